"""A person's cases."""
