"""The loops that turn facts into decisions, and the jobs: nothing but scheduling."""
