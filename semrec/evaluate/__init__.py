"""Offline comparison that can be believed."""
