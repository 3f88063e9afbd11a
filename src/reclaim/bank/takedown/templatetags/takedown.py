"""What other apps' pages show of takedown."""

from __future__ import annotations

from typing import Any

from django import template

from reclaim.bank.casework.models import CaseFile
from reclaim.bank.takedown import pages

register = template.Library()


@register.simple_tag
def links_of(case_file: CaseFile) -> dict[str, Any]:
    """What the panel within a case file's page shows: its newest links as rows, and how many there are."""
    return pages.panel(case_file)
