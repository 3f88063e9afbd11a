"""Organisations that help people, and the one that runs the bank."""
