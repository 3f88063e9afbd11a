"""What templates of staff pages know."""

from __future__ import annotations

from django.http import HttpRequest


def staff(request: HttpRequest) -> dict[str, object]:
    """``member``: who is signed in on a route of staff, else ``None``."""
    return {"member": getattr(request, "member", None)}
