"""Load tests: a large bank, many readers, kills at any moment. ``make load`` runs them; ``make test`` does not."""
