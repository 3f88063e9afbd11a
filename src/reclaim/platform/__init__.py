"""Django site 2, run by a platform: what it holds of a bank, what it found, what people there decided."""
