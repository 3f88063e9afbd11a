"""The subscription app of a platform's site."""

from django.apps import AppConfig


class SubscriptionConfig(AppConfig):
    """The signals this platform holds of its bank, and how far it has followed."""

    name = "reclaim.platform.subscription"
    label = "platform_subscription"
