"""From data to the artifact that serves: built, compared, let through gates, promoted."""
