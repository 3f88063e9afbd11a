"""Numbers and times on the pages of staff."""

from __future__ import annotations

from django import template

from reclaim.bank.operations.queries import MOST_COUNTED

register = template.Library()


@register.simple_tag
def counted(number: int) -> str:
    """A count, or that it is more than anybody counted."""
    return f"more than {MOST_COUNTED:,}" if number > MOST_COUNTED else f"{number:,}"


@register.simple_tag
def spell(seconds: int) -> str:
    """A length of time in its largest whole unit."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}{'s' if seconds >= 2 * length else ''}"
    return f"{seconds} second{'s' if seconds != 1 else ''}"
