"""What can go wrong, by what is to be done about it. The sentences go to logs and name no address, file or person."""

from __future__ import annotations


class ConfigError(Exception):
    """The configuration or one of its files cannot be used; the sentence says what to do."""


class NotNow(Exception):
    """Somebody cannot be reached, or does not let us in: try again later."""


class SiteNotNow(NotNow):
    """The review site as a whole cannot be asked, whatever the file: nothing else need be tried before it can."""


class MediaNotNow(NotNow):
    """The file cannot be had now. After some tries it counts as one that cannot be looked up."""


class Gone(Exception):
    """It is no longer there, so there is nothing to look up and nothing to hide."""


class Unreadable(Exception):
    """It cannot be looked up, and trying again would not help: too large, or not to be fetched from there."""
