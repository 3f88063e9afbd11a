"""How many edited copies of photographs are found, and what wrongly. docs/derive.md says how, and what it shows."""

from bench.derive.report import table
from bench.derive.whole import run

__all__ = ["run", "table"]
