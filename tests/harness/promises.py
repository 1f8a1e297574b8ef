"""What somebody outside a peer has learned from it, and when: the peer may not forget it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """Made at *when*, in ns since 1970."""

    when: int


@dataclass(frozen=True, slots=True)
class Ready(Promise):
    """The peer said that it serves: its identities and authorities are known outside."""


@dataclass(frozen=True, slots=True)
class Installed(Promise):
    """A package was accepted."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Committed(Promise):
    """A client saw a transaction's commit event."""

    channel: str
    tx_id: str
    code: int


@dataclass(frozen=True, slots=True)
class Delivered(Promise):
    """Somebody received a block from the peer, or (*ordered*) from the ordering."""

    channel: str
    number: int
    header_hash: bytes
    ordered: bool
