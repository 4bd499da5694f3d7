"""Measurements anyone can repeat: `python -m bench.<name>`; the last line printed is JSON."""
