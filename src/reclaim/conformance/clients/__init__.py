"""Checks of a platform's client: it is run against a scripted bank, and asked what it holds."""
