"""Platforms and their keys."""
