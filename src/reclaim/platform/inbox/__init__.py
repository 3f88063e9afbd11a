"""Uploads: matched as they come in, held while a match waits for a decision."""
