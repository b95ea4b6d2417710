"""Declared options: each has a name, a kind, a default, a reason and an environment variable."""
