"""Behavioural models, learned from interactions alone."""
