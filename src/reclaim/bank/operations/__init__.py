"""What the people who run the bank do: vet platforms, watch them, decide."""
