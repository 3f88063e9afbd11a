"""Push: a process that tells connected platforms at once that the ledger has changed, and nothing of what changed."""
