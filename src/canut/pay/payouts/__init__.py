"""Paying people out: where to, what they ask for, runs, files for banks, and what banks say."""
