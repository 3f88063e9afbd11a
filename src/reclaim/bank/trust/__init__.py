"""How far a signal can be trusted, and what follows."""
