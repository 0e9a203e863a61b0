"""The endpoints, a module for each group. Each has a `router`; `app` puts them together."""
