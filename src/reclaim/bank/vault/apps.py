"""The app of keys."""

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Keys of case files, and who can open them."""

    name = "reclaim.bank.vault"

    def ready(self) -> None:
        """Be told of members' passwords."""
        from reclaim.bank.vault import hooks

        hooks.listen()
