"""How often something goes wrong with a platform's requests: counts by the hour, for those who watch."""

from __future__ import annotations

import datetime

from django.db import DatabaseError
from django.db.models import F
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from reclaim.bank.platforms.models import ErrorHour
from reclaim.sitekit.events import GetResponse, log_failure

KEPT = datetime.timedelta(days=7)


class CountErrors:
    """Count answers from 400 on to requests that came with a platform's key."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        platform = getattr(request, "platform", None)
        if platform is not None and response.status_code >= 400:
            try:
                _count(platform.pk, failed=response.status_code >= 500)
            except DatabaseError as error:
                # The platform has its answer all the same.
                log_failure("an error of a platform was not counted", error)
        return response


def _count(platform: int, *, failed: bool) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    row, _ = ErrorHour.objects.get_or_create(platform_id=platform, hour=hour)
    kind = "failed" if failed else "refused"
    ErrorHour.objects.filter(pk=row.pk).update(**{kind: F(kind) + 1})


def forget_errors() -> int:
    """Delete counts of long ago; returns how many rows."""
    deleted, _ = ErrorHour.objects.filter(hour__lt=timezone.now() - KEPT).delete()
    return deleted
