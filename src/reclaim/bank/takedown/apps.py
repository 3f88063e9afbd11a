"""The takedown app of the bank."""

from django.apps import AppConfig


class TakedownConfig(AppConfig):
    """Links, requests to take them down, replies, and looking again."""

    name = "reclaim.bank.takedown"
