"""Organisations that help people."""
