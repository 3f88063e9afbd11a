"""Checks of a bank: it is asked over HTTP with a platform's keys."""
