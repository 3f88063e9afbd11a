"""Signals from and to other banks."""
