"""Reclaim: the open network against non-consensual intimate image abuse.

The packages, from the ground up: ``signals`` (file to signal), ``index`` (signal to matches), ``protocol``
(what goes over the wire), ``client`` and ``matching`` (what a platform embeds), ``sitekit`` (what both sites
share), ``bank`` and ``platform`` (the two sites), ``cli`` (the one entry point).
"""

__version__ = "0.1.0"
