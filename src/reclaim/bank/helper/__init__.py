"""What helper organisations see: cases that people let them see, and what the bank holds for a look."""
