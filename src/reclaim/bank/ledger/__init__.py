"""The signals, in the order in which they changed."""
