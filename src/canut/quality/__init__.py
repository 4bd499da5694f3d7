"""Blind evidence about contributors."""
