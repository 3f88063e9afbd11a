"""How often one network may apply, and try secrets."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from reclaim.sitekit.limits import Limit, SlowDownError, network_of, seconds_to_wait

DAY = 24 * 3600
APPLICATIONS = Limit("application, network", tries=5, window=DAY)
APPLICATIONS_AT_STAGING = Limit("application, network", tries=100, window=DAY)
APPLICATIONS_OF_ALL = Limit("application, everybody", tries=500, window=DAY)
"""People read them: more than that is somebody who wants them to read nothing else."""
SECRETS = Limit("application secret, network", tries=30, window=300)
_EVERYBODY = b"everybody"


def may_apply(request: HttpRequest) -> None:
    """Raise ``SlowDownError`` for one application too many."""
    own = APPLICATIONS_AT_STAGING if settings.STAGING else APPLICATIONS
    # A network's own limit first: what it refuses must not use up what everybody has.
    _insist(own, network_of(request))
    _insist(APPLICATIONS_OF_ALL, _EVERYBODY)


def may_try_secret(request: HttpRequest) -> None:
    """Raise ``SlowDownError`` for one try of a secret too many."""
    _insist(SECRETS, network_of(request))


def _insist(limit: Limit, counted: bytes) -> None:
    if wait := seconds_to_wait([(limit, counted)]):
        raise SlowDownError(wait)
