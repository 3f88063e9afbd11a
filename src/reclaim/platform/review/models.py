"""How a member likes to work, and what the site remembers of a shift so that it can say when a break is due."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models


class Preferences(models.Model):
    """How one member likes pictures and keys. Without a row, the mildest of everything."""

    class Blur(models.IntegerChoices):
        """Pixels along the long side that are left of a blurred picture."""

        STRONG = 12, "Strong: light and dark areas, no shapes"
        MEDIUM = 24, "Medium: where something is"
        WEAK = 40, "Weak: rough outlines"

    class Size(models.IntegerChoices):
        """Pixels along the short side of a clear picture."""

        SMALL = 192, "Small"
        MEDIUM = 320, "Medium"
        LARGE = 512, "Large"

    member = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    blur = models.PositiveSmallIntegerField(choices=Blur.choices, default=Blur.STRONG)
    size = models.PositiveSmallIntegerField(choices=Size.choices, default=Size.MEDIUM)
    hide_after = models.PositiveSmallIntegerField(default=60, validators=[MinValueValidator(0), MaxValueValidator(600)])
    """Seconds without a key or a touch after which a clear picture is blurred again; 0 for never."""
    shortcuts = models.BooleanField(default=True)
    """Single keys do things."""
    goes_on = models.BooleanField(default=False)
    """After a decision comes the next match, not the list."""


class Shift(models.Model):
    """One member's time at the review, from the first page to its end.

    Nobody but that member can read it, and it is gone an hour after its end. Nothing of it enters the audit trail.
    """

    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    started_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    works_since = models.DateTimeField()
    """The end of the last break, or the start."""
    was_reminded = models.BooleanField(default=False)
    """Of the break that is due."""
    postponed_until = models.DateTimeField(null=True)
    """Once for each break."""
    breaks_due = models.PositiveSmallIntegerField(default=0)
    breaks_taken = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=models.Q(ended_at=None), name="review_one_shift_at_a_time"
            )
        ]


class Look(models.Model):
    """A picture was shown clearly. Gone with its shift; who looked at what is in the audit trail."""

    shift = models.ForeignKey(Shift, on_delete=models.CASCADE, related_name="looks")
    began_at = models.DateTimeField()
    seconds = models.PositiveSmallIntegerField(null=True)
    """``None`` while it lasts."""


class BreakWeek(models.Model):
    """Breaks of all members together in one week: all that anybody else learns of shifts.

    Of a shift, no more count as taken than were due.
    """

    monday = models.DateField(unique=True)
    due = models.PositiveIntegerField(default=0)
    taken = models.PositiveIntegerField(default=0)
