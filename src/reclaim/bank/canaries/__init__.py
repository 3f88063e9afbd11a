"""Signals that nobody reported, one set a platform, so that a leaked list names its source."""
