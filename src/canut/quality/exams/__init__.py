"""Exams on gold, the same for people and agents."""
