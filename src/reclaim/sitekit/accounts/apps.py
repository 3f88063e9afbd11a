"""The accounts app of both sites."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Members of a site's staff and how they show who they are."""

    name = "reclaim.sitekit.accounts"
