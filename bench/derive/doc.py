"""Put the figures into docs/derive.md, between its marks, and draw docs/images/derive-*.svg.

reclaim bench derive --json > derive.json
python -m bench.derive.doc derive.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.derive.plots import draw
from bench.derive.report import BOTH
from reclaim.matching.policy import FARTHEST_REVIEW

DOCS = Path(__file__).parents[2] / "docs"


def main(file: str) -> None:
    """Write both."""
    figures = json.loads(Path(file).read_text(encoding="utf-8"))
    note = DOCS / "derive.md"
    text = note.read_text(encoding="utf-8")
    for name, made in tables(figures).items():
        text = _filled(text, name, made)
    note.write_text(text, encoding="utf-8")
    draw(figures, DOCS / "images")


def _filled(text: str, name: str, made: str) -> str:
    """The note with this between its mark and the end. Raises ValueError where there is no such mark."""
    before, mark, after = text.partition(f"<!-- {name} -->\n")
    _, end, rest = after.partition("<!-- end -->")
    if not end:
        raise ValueError(f"docs/derive.md has no mark «{name}».")
    return f"{before}{mark}{made}\n{end}{rest}"


def tables(figures: dict[str, Any]) -> dict[str, str]:
    """Each table in Markdown, by the name of its mark."""
    return {
        "about": _about(figures),
        "aims": "\n".join(_aims(figures)),
        "recall": "\n".join(_recall(figures)),
        "wrongly": "\n".join(_wrongly(figures)),
        "ablation": "\n".join(_ablation(figures)),
        "cost": "\n".join(_cost(figures)),
    }


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _about(figures: dict[str, Any]) -> str:
    unrelated = figures["wrongly"][0]
    return (
        f"Measured: {figures['photographs']} held-out photographs, {figures['uploads']:,} uploads, a bank of "
        f"{figures['bank']} pictures, {unrelated['pairs']:,} pairs that have nothing to do with each other (none found "
        f"bounds the rate below {unrelated['bound']:.1e}, 95 %). Thresholds learnt on {figures['learnt_on']} others, "
        f"{figures['wrongly_where_learnt'][0]['pairs']:,} pairs."
    )


def _aims(figures: dict[str, Any]) -> Iterator[str]:
    rows = [
        [row["aim"], row["with"], f"{_percent(row['least'])} %", f"{_percent(row['recall'])} %", _met(row["met"])]
        for row in figures["aims"]
    ]
    for row in figures["growth"]:
        if row["signals"] == 10_000_000:
            whole = figures["stage_one_ms"] + row["match_ms"]
            what = "an upload at 10 million signals"
            rows.append([what, "stage one", "under 40 ms", f"{whole:.1f} ms", _met(whole < 40)])
    yield from _rows(("aim", "with", "aim is", "measured", "met"), rows)


def _met(met: bool) -> str:
    return "yes" if met else "**no**"


def _recall(figures: dict[str, Any]) -> Iterator[str]:
    names = [*(column["name"] for column in figures["columns"]), BOTH]
    limits = [column["limit"] for column in figures["columns"]]
    head = ["edit", *(f"{name} {limit}" for name, limit in zip(names, [*limits, ""], strict=True))]
    rows = [[row["edit"], *(_percent(row["recall"][name]) for name in names)] for row in figures["edits"]]
    rows.append(["**mean**", *(f"**{_percent(figures['mean'][name])}**" for name in names)])
    yield from _rows(head, rows)


def _wrongly(figures: dict[str, Any]) -> Iterator[str]:
    names = [column["name"] for column in figures["columns"]]
    rows = [
        [
            row["kind"],
            f"{row['pairs']:,}",
            f"{row['bound']:.1e}" if row["bound"] else "",
            *(f"{row['false'][name]:,}" for name in names),
        ]
        for row in figures["wrongly"]
    ]
    yield from _rows(("pairs that are", "how many", "bound if none", *names), rows)


def _ablation(figures: dict[str, Any]) -> Iterator[str]:
    groups = list(figures["ablation"][0]["recall"])
    rows = [
        [
            row["what"],
            *(_percent(row["recall"][group]) for group in groups),
            _percent(row["mean"]),
        ]
        for row in figures["ablation"]
    ]
    yield from _rows(("with", *groups, "mean"), rows)


def _cost(figures: dict[str, Any]) -> Iterator[str]:
    rows = [[stage, f"{row['median_ms']:.1f}", f"{row['p95_ms']:.1f}"] for stage, row in figures["costs"].items()]
    for row in figures["growth"]:
        what = f"looking views up among {row['signals']:,} signals"
        rows.append([what, f"{row['match_ms']:.1f}", f"{row['match_p95_ms']:.1f}"])
        rows.append(
            [
                f"the whole upload, in eight turns, at {FARTHEST_REVIEW} bits",
                f"{row['review_ms']:.1f}",
                f"{row['review_p95_ms']:.1f}",
            ]
        )
    yield from _rows(("stage of an upload", "ms, median", "ms, 95 %"), rows)
    yield ""
    sizes = "; ".join(f"{name}: {size:,.0f}" for name, size in figures["bytes"].items())
    yield f"Bytes a picture: {sizes}. Stage one looks up {figures['codes_an_upload']:.0f} values for an upload, mean."


if __name__ == "__main__":
    main(sys.argv[1])
