"""The gate app of the bank."""

from django.apps import AppConfig


class GateConfig(AppConfig):
    """Puzzles, one-time codes and limits."""

    name = "reclaim.bank.gate"

    def ready(self) -> None:
        """Read the limits, so that a file with a fault is said at the start and not at the first case."""
        from reclaim.bank.gate.figures import figures

        figures()
