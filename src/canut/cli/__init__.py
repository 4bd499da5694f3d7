"""The `canut` command, one module a noun."""
