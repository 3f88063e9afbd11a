"""Ways to get the pieces of a scan answered: on this machine, or on many."""
