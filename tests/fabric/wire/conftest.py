"""A signer without certificates: the wire layer knows no identities."""

from __future__ import annotations

import hashlib

import pytest


class Signer:
    """Signs with a keyed hash, so that signatures differ by signer and message."""

    def __init__(self, name: bytes = b"creator") -> None:
        self.name = name

    def serialize(self) -> bytes:
        return self.name

    def sign(self, message: bytes) -> bytes:
        return hashlib.sha256(self.name + b"|" + message).digest()


@pytest.fixture
def signer() -> Signer:
    return Signer()


@pytest.fixture
def other_signer() -> Signer:
    return Signer(b"other")
