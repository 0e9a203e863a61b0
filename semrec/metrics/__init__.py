"""Metrics of rankings, and how sure their differences are."""
