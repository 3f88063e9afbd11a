"""Which signals must not enter the bank, and which somebody should look at first."""
