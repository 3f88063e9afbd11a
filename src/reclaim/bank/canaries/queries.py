"""Reads on canaries."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reclaim.bank.canaries.models import Canary
from reclaim.index import CODE_BYTES


def all_canaries() -> tuple[list[str], npt.NDArray[np.uint8]]:
    """The platform of each canary ever handed out, by name, and the values, shape (n, 32)."""
    rows = list(Canary.objects.filter(placed=True).values_list("platform_name", "value"))
    codes = np.frombuffer(bytes.fromhex("".join(value for _, value in rows)), np.uint8).reshape(-1, CODE_BYTES)
    return [name for name, _ in rows], codes
