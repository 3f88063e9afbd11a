"""The person's pages."""
