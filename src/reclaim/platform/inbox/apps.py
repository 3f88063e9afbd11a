"""The inbox app of a platform's site."""

from django.apps import AppConfig


class InboxConfig(AppConfig):
    """Uploads: matched as they come in, held while a match waits for a decision."""

    name = "reclaim.platform.inbox"
    label = "platform_inbox"
