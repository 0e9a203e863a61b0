"""Datasets: reading, checking, splitting and fetching them."""

from importlib import import_module


def __getattr__(name: str) -> object:
    """Load `sources`, which README names, on first use."""
    if name != "sources":
        raise AttributeError(f"module 'semrec.data' has no attribute {name!r}")
    return import_module("semrec.data.sources")
