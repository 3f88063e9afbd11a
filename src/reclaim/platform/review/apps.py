"""The review app of a platform's site."""

from django.apps import AppConfig


class ReviewConfig(AppConfig):
    """Where a person at the platform looks at a match and decides."""

    name = "reclaim.platform.review"
    label = "platform_review"
