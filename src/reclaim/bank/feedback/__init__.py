"""What platforms say about signals, and which withdrawals they have acknowledged."""
