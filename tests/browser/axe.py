"""What axe-core finds on a page."""

from __future__ import annotations

import json
from collections.abc import Sequence

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page


def violations(page: Page, rules: Sequence[str] = ()) -> list[str]:
    """What axe-core finds on the page as it now stands, by its rules or these of them: a rule and an element each."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    # Only this is asked for: all that axe-core can tell of what is well costs more than to look.
    return [
        f"{found['id']}: {node['html'][:200]} {node['failureSummary']}"
        for found in page.evaluate(f"axe.run({json.dumps(options)}).then((said) => said.violations)")
        for node in found["nodes"]
    ]
