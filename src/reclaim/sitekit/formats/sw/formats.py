"""Swahili: the day first, the month as a word."""

DATE_FORMAT = "j F Y"
