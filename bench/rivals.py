"""What the benches that measure against faiss have in common."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rich.console import Console, RenderableType

HOW_TO_GET_FAISS = "faiss is missing: it comes with the development requirements (pip install faiss-cpu)"


def tell(
    name: str, measure: Callable[[], dict[str, Any]], table: Callable[[dict[str, Any]], RenderableType], as_json: bool
) -> None:
    """Measure and print: one JSON object, or the table. Where faiss is missing, say how to get it."""
    try:
        found = measure()
    except ModuleNotFoundError as error:
        if error.name != "faiss":
            raise
        print(json.dumps({"name": name, "skipped": HOW_TO_GET_FAISS}) if as_json else HOW_TO_GET_FAISS)
        return
    if as_json:
        print(json.dumps(found))
    else:
        Console(width=160).print(table(found))
