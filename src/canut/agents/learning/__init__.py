"""Agents that learn from examples: from memory, from n-grams, from embeddings."""
