"""Keys of case files, and the sealing of what practitioners write (docs/helpline-security.md)."""
