"""How the suite runs clients that it knows: ``python -m reclaim.conformance.drivers.NAME sync|list``."""
