"""Transaction ids (fabric-wire.md §4.1)."""

from __future__ import annotations

import secrets

from treadle_fabric.wire.hashing import sha256

NONCE_SIZE = 24


def new_nonce() -> bytes:
    """24 random bytes, the length every Fabric client uses."""
    return secrets.token_bytes(NONCE_SIZE)


def compute_tx_id(nonce: bytes, creator: bytes) -> str:
    """Lower-case hex of SHA-256(nonce || creator)."""
    return sha256(nonce, creator).hex()
