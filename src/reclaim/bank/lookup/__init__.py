"""Matching as a service, for platforms too small to be trusted with a list."""
