"""The artifact: its folder, what it holds, and the only place that picks classes."""
