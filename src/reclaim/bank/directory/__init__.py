"""Whom a person, or who helps her, can turn to; and where «Leave this page» goes."""
