"""A sandbox's mark, groups of trainees, what they decided, and certificates. No real person is in any of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


class Sandbox(models.Model):
    """The mark in the database: with this one row it is a sandbox for good."""

    made_at = models.DateTimeField(default=timezone.now)
    code_mac = models.BinaryField(max_length=32, default=bytes)
    """Of the facilitator's code, made anew at each start."""


class Group(models.Model):
    """Trainees who train together, let in by one code."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=60)
    track = models.CharField(max_length=20)
    """A key of ``scenarios.tracks``."""
    language = models.CharField(max_length=20, default="en")
    code_mac = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField(default=timezone.now, db_index=True)


class Certificate(models.Model):
    """That somebody finished a track. Whose it is, it does not say."""

    code = models.CharField(max_length=14, unique=True)
    track = models.CharField(max_length=20)
    scenarios = models.JSONField()
    """Keys, in the track's order."""
    score = models.PositiveSmallIntegerField()
    """Percent."""
    day = models.DateField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(score__lte=100), name="at_most_a_hundred_percent")]


class Trainee(models.Model):
    """Somebody in a group, under a nickname."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="trainees")
    nickname = models.CharField(max_length=24)
    token_mac = models.BinaryField(max_length=32, unique=True)
    """Of what the trainee's cookie has."""
    joined_at = models.DateTimeField(default=timezone.now)
    practitioner = models.ForeignKey("organisations.Practitioner", on_delete=models.SET_NULL, null=True)
    """The practice practitioner as whom they open the bank's pages."""
    secret = models.CharField(max_length=43)
    """What opens that practitioner's key: nothing that is sealed with it is anybody's."""
    certificate = models.ForeignKey(Certificate, on_delete=models.SET_NULL, null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "nickname"], name="one_nickname_a_group")]


class Play(models.Model):
    """One trainee's way through one scenario."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    trainee = models.ForeignKey(Trainee, on_delete=models.CASCADE, related_name="plays")
    scenario = models.CharField(max_length=40)
    at = models.PositiveSmallIntegerField(default=0)
    """The step that waits, from 0; as many as there are when it is over."""
    days = models.PositiveIntegerField(default=0)
    """How many days have passed in it."""
    begun_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    case_file = models.ForeignKey("casework.CaseFile", on_delete=models.SET_NULL, null=True)
    demand = models.ForeignKey("cooperation.LegalDemand", on_delete=models.SET_NULL, null=True)
    made_up = models.JSONField(default=dict)
    """What texts name: number and PIN of the made-up person's own case."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trainee", "scenario"], name="one_play_a_scenario")]


class Decision(models.Model):
    """What a trainee chose at one step."""

    play = models.ForeignKey(Play, on_delete=models.CASCADE, related_name="decisions")
    number = models.PositiveSmallIntegerField()
    """Of the step, from 0."""
    choice = models.CharField(max_length=40, blank=True)
    """Empty: the facilitator moved everyone on, and it counts for nothing."""
    points = models.PositiveSmallIntegerField(default=0)
    most = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["play", "number"], name="one_decision_a_step"),
            models.CheckConstraint(condition=models.Q(points__lte=models.F("most")), name="points_within_the_most"),
        ]
