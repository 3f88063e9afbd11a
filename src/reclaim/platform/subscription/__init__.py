"""The signals this platform holds of its bank, and how far it has followed."""
