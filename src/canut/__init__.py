"""Canut: a platform for outsourced work."""

__version__ = "0.1.0"
