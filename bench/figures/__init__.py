"""Figures that benches draw for the documentation."""
