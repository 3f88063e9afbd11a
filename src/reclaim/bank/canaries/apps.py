"""The canaries app of the bank."""

from django.apps import AppConfig


class CanariesConfig(AppConfig):
    """Signals that nobody reported, one set a platform, so that a leaked list names its source."""

    name = "reclaim.bank.canaries"

    def ready(self) -> None:
        """Let canaries come and move together with real signals."""
        from reclaim.bank.canaries.services import come_along
        from reclaim.bank.ledger.services import accompany

        accompany(come_along)
