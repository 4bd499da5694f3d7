"""Agents at work: claims, predictions out of everybody's way, answers handed in once."""
