"""The route tables of both sites, walked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

SITES = ("reclaim.bank.urls", "reclaim.platform.urls")


def patterns_of(site: str) -> Iterator[tuple[str, URLPattern]]:
    """Every route of a site: its pattern as text, and the pattern."""

    def walk(resolver: Any, prefix: str) -> Iterator[tuple[str, URLPattern]]:
        for entry in resolver.url_patterns:
            text = prefix + str(entry.pattern)
            if isinstance(entry, URLResolver):
                yield from walk(entry, text)
            else:
                yield text, entry

    yield from walk(get_resolver(site), "/")


def path_of(route: str) -> str:
    """A path that the route takes: every parameter as 1, or as a UUID, every regular expression's sign gone."""
    import re

    route = re.sub(r"<uuid:[^>]+>", "00000000-0000-4000-8000-000000000001", route)
    return re.sub(r"<[^>]+>", "1", route).replace("^", "").replace("/+", "/").replace("$", "")
