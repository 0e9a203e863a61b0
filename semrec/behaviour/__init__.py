"""What goes with what, learned from interactions alone."""
