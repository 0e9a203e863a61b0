"""Running sessions, and the log of what was done and shown."""
