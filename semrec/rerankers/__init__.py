"""Reranking a few candidates, best first, until the deadline."""
