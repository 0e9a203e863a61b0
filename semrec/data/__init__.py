"""Datasets: reading, checking, splitting and fetching them."""
