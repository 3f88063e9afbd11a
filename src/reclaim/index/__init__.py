"""From a code to the codes near it. Framework-free; knows nothing of banks, platforms or pictures.

The whole interface is ``HammingIndex`` and the ``Hits`` it answers with.
"""

from reclaim.index.hamming import CODE_BYTES, MAX_RADIUS, HammingIndex, Hits

__all__ = ["CODE_BYTES", "MAX_RADIUS", "HammingIndex", "Hits"]
