"""Readers' key pairs, in the site's database; wrapped keys of case files, in a database of their own."""

from __future__ import annotations

from django.db import models


class KeyPair(models.Model):
    """The key pair of a reader, whose private half nobody can use without the reader."""

    reader = models.CharField(max_length=60, unique=True)
    """``practitioner:<pk>``, ``person:<uuid of the case>`` or ``recovery``."""
    public_key = models.BinaryField(max_length=32)
    mac = models.BinaryField(max_length=32)
    """Of reader and public key under the site's secret: whoever can only write to the database puts no key of theirs
    in a colleague's place."""
    locked = models.BinaryField(blank=True)
    """The private key under the practitioner's password (``keys.lock``); empty for the recovery key, which is on
    paper, and for a person's, which number and PIN make."""
    made_at = models.DateTimeField(auto_now=True)


class WrappedKey(models.Model):
    """The key of a case file as one reader can open it. Lives in the database ``keys`` and nowhere else."""

    case_file = models.UUIDField()
    reader = models.CharField(max_length=60)
    wrapped = models.BinaryField(max_length=120)
    mac = models.BinaryField(max_length=32)
    """Of the three above under the site's secret: nobody who can only write to the database chooses a key."""
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case_file", "reader"], name="one_wrapped_key_a_reader")]
        indexes = [models.Index(fields=["reader"], name="wrapped_keys_of_a_reader")]
