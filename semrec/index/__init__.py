"""Maximum inner product search."""
