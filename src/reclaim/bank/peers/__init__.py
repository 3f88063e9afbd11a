"""Other banks that this one exchanges signals with."""
