"""Reordering the top of the fused list by what a sum of signals can't say."""
