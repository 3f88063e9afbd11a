"""What this platform tells its bank of a signal, sent until the bank has it."""
