"""Practitioners of organisations that help people: their pages."""
