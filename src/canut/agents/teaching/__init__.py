"""What an agent may learn from, when it learns, and what becomes of the new version."""
