"""The stages of the line that aren't parts."""
