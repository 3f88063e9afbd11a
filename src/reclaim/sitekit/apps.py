"""The app of what both sites share."""

from django.apps import AppConfig


class SitekitConfig(AppConfig):
    """Audit events, limits."""

    name = "reclaim.sitekit"
    label = "sitekit"
