"""Blind evidence about contributors and decisions: what is known of both, and what follows.

Each folder is one thing with its rules (pure), its verbs, and its SQL in `store*`. What all share:
`model` (licences and blind answers as values) and `figures` (how figures are set); `store` reads
what a step knows of who works at it.
"""
