"""What a picture found by its descriptors is told as: how the upload relates to the known picture, coarsely."""

from __future__ import annotations

from reclaim.matching.relation import Box, Relation
from reclaim.signals.geometry import Geometry

PARTLY_ALTERED = 0.3
"""From this share of what is visible on, a part is said to be replaced. Measured, see docs/second-stage.md."""

_TILT_STEP = 5


def relation_of(geometry: Geometry) -> Relation:
    """The relation that a check found, in tenths and steps of 5 degrees.

    Anything finer would tell whoever asks where the known picture's descriptors lie, which only the bank knows.
    """
    left, top, right, bottom = (round(side, 1) for side in geometry.box)
    altered = None if geometry.altered is None else round(geometry.altered, 1)
    whole = (left, top, right, bottom) == (0, 0, 1, 1)
    return Relation(
        how="parts",
        turn=geometry.turn,
        tilt=float(_TILT_STEP * round(geometry.tilt / _TILT_STEP)),
        box=None if whole else Box(left, top, right, bottom),
        kept=geometry.kept,
        altered=altered,
        partly_altered=altered is not None and altered >= PARTLY_ALTERED,
    )
