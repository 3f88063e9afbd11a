"""Where a person at the platform looks at a match and decides."""
