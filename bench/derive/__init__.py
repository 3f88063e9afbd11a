"""How much of edited copies of photographs is found, and what wrongly. docs/derive.md says how and what it shows."""
