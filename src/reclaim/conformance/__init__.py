"""The conformance suite: what a bank, or a platform's client, must do so that nothing is lost and withdrawals arrive.

``reclaim conformance`` runs it over a socket against any implementation. docs/conformance.md is for its users.
"""
