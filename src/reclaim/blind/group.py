"""The pseudorandom function: 2HashDH of Jarecki, Kiayias, Krawczyk and Xu (2016), over ristretto255 by libsodium.

``tag(x) = H2(x, H1(x) * key)``. Whoever has no key gets a tag only by asking for ``H1(x) * r`` with a random r, from
which the holder of the key learns nothing of x.
"""

from __future__ import annotations

import hashlib

import rbcl

POINT_BYTES = 32
TAG_BYTES = 15
_H1 = b"reclaim blind lookup, to a point"
_H2 = b"reclaim blind lookup, to a tag"


def to_point(sample: int, bits: int) -> bytes:
    """H1: a sample's number and its 32 bits to a point."""
    digest = hashlib.sha512(_H1 + _input(sample, bits)).digest()
    return bytes(rbcl.crypto_core_ristretto255_from_hash(digest))


def to_tag(sample: int, bits: int, point: bytes) -> int:
    """H2: the input and the evaluated point to a tag of 120 bits."""
    return int.from_bytes(hashlib.sha256(_H2 + _input(sample, bits) + point).digest()[:TAG_BYTES])


def _input(sample: int, bits: int) -> bytes:
    return sample.to_bytes(2, "big") + bits.to_bytes(4, "big")


def multiply(scalar: bytes, point: bytes) -> bytes:
    """The point times the scalar. Raises ``ValueError`` for what is no point, or the neutral one."""
    if len(point) != POINT_BYTES or not rbcl.crypto_core_ristretto255_is_valid_point(point):
        raise ValueError("This is no point of ristretto255.")
    try:
        return bytes(rbcl.crypto_scalarmult_ristretto255(scalar, point))
    except RuntimeError as error:
        raise ValueError("This is the neutral point of ristretto255.") from error


def random_scalar() -> bytes:
    """A secret scalar of 32 bytes."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_random())


def inverse(scalar: bytes) -> bytes:
    """One over a scalar."""
    return bytes(rbcl.crypto_core_ristretto255_scalar_invert(scalar))
