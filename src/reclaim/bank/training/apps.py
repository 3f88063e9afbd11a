"""The training app."""

from django.apps import AppConfig
from django.conf import settings


class TrainingConfig(AppConfig):
    """Training in a sandbox."""

    name = "reclaim.bank.training"
    label = "training"

    def ready(self) -> None:
        """In a sandbox, close the process's way out; let trainees and facilitators be recognised."""
        from reclaim.bank.training import queries  # noqa: F401 registers the checks of two accesses
        from reclaim.bank.training.closed import close_sockets

        if settings.SANDBOX:
            close_sockets()
