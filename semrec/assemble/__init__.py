"""The only place that picks classes."""
