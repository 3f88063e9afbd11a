"""Middleware that counts what goes wrong with each platform's requests: how many, and nothing of what."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from reclaim.bank.platforms.models import Platform
from reclaim.bank.platforms.queries import platform_of_ended_key
from reclaim.bank.platforms.services import note_error
from reclaim.sitekit.events import GetResponse, log_failure


class CountErrors:
    """Count answers from 400 on, under the platform whose key came with the request, be it an ended one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400:
            return response
        try:
            platform: Platform | None = getattr(request, "asking_platform", None)
            if platform is None and response.status_code == 401:
                platform = platform_of_ended_key(request)
            if platform is not None:
                note_error(platform, response.status_code)
        except DatabaseError as error:
            log_failure("an error of a platform could not be counted", error)
        return response
