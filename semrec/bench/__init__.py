"""Benchmarks: figures that a command prints."""
