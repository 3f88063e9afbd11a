"""The pages of a bank's staff and of applicants, in a real browser."""
