"""The trust app of the bank."""

from django.apps import AppConfig


class TrustConfig(AppConfig):
    """How far a signal can be trusted, and what follows."""

    name = "reclaim.bank.trust"

    def ready(self) -> None:
        """Reckon trust anew whenever a record is written."""
        from reclaim.bank.ledger.services import accompany
        from reclaim.bank.trust.services import reckon

        accompany(reckon)
