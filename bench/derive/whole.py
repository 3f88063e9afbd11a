"""All figures of `reclaim bench derive`: thresholds learnt on the open part, the held-out part measured."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.derive.growth import SIZES, growth
from bench.derive.methods import METHODS, PARTS_WITHOUT
from bench.derive.report import BOTH, ablation, aims, columns, costs, recalls, wrongly
from bench.derive.run import UNRELATED, Measuring

ABLATED_ON = 12
"""Held-out photographs that the ablation of stage two is made with: each variant looks everything up anew."""
LOOKED_UP = 40
"""Uploads whose look-up is timed."""


def run(pictures: int | None = None) -> dict[str, Any]:
    """Everything, as one object; with so many photographs of each part only, where it is to be quick."""
    with Measuring(pictures) as measuring:
        learnt = measuring.measure("open", METHODS)
        measured = measuring.measure("held", METHODS)
        ablated = ABLATED_ON if pictures is None else max(2, pictures // 4)
        learnt_parts = measuring.measure("open", PARTS_WITHOUT, pictures=ablated)
        parts = measuring.measure("held", PARTS_WITHOUT, pictures=ablated)
    shown = columns(learnt)
    edits = recalls(measured, shown)
    sizes = SIZES if pictures is None else SIZES[:1]
    step = max(1, len(measured.codes) // LOOKED_UP)
    spent = costs(measured)
    descriptors = [len(known.descriptors.values) for known in measuring.known if known.descriptors is not None]
    return {
        "name": "derive",
        "photographs": len(measuring.photographs["held"]),
        "learnt_on": len(measuring.photographs["open"]),
        "bank": len(measuring.bank),
        "uploads": len(measured.uploads),
        "pairs": int(measured.pairs(UNRELATED).sum()),
        "columns": [
            {"name": column.name, "method": column.method, "threshold": column.threshold, "limit": column.limit}
            for column in shown
        ],
        "edits": edits,
        "mean": {name: float(np.mean([row["recall"][name] for row in edits])) for name in edits[0]["recall"]},
        "aims": aims(edits),
        "wrongly": wrongly(measured, shown),
        "wrongly_where_learnt": wrongly(learnt, shown),
        "ablation": ablation(learnt, measured, "views") + ablation(learnt_parts, parts, "parts"),
        "costs": spent,
        "stage_one_ms": spent["decode"]["median_ms"] + spent["views"]["median_ms"],
        "growth": growth(measured.codes[::step], sizes),
        "bytes": {
            "pdq": 32,
            "pHash": 8,
            "trimmed pdq, where there is one": 32,
            "descriptors, mean": float(np.mean(descriptors)) * 32,
            "placement, mean": float(np.mean(descriptors)) * 8,
        },
        "codes_an_upload": float(np.mean([len(codes) for codes in measured.codes])),
        "without_descriptors": sum(known.descriptors is None for known in measuring.known) / len(measuring.known),
        "both": BOTH,
    }
