"""The peers app of the bank."""

from django.apps import AppConfig


class PeersConfig(AppConfig):
    """Other banks that this one exchanges signals with."""

    name = "reclaim.bank.peers"
