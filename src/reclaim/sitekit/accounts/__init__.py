"""Accounts of a site's staff: a password, a mandatory second factor, a role."""
