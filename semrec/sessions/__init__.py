"""What people did in running sessions, and the log of what was done and shown."""
