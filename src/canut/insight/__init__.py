"""Figures people look at."""
