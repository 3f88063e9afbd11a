"""What is drawn and not photographed: pages of text, forms, flyers. Nearly the same ones are on unrelated pictures.

Letters and lines lie on a ground of one shade, while what was photographed changes from pixel to pixel. How wide a
shade is grows with what the plane spans, so that a dark photograph is no different. The kernel of descriptors asks the
same of each patch (docs/descriptors.md).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SHADES = 50
"""A shade is as wide as a fiftieth of what the plane spans, and one grey level more."""
MOST_OF_ONE = 0.4
"""What a plane is drawn beyond. Of 319 photographs 99 in a hundred have less than 0.40 of one shade,
flyers 0.41 and more, pages of text 0.82 (docs/matching.md)."""


def is_drawn(plane: npt.NDArray[np.uint8]) -> bool:
    """Whether one shade fills more of the plane (uint8, of two dimensions) than of a photograph."""
    counts = np.bincount(plane.ravel(), minlength=256)
    there = np.flatnonzero(counts)
    wide = 1 + int(there[-1] - there[0]) // SHADES
    upto = np.concatenate([[0], np.cumsum(counts)])
    return int((upto[wide:] - upto[:-wide]).max()) > MOST_OF_ONE * plane.size
