"""What an adversary is told, and what it keeps count of."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """One adversary's task. Addresses are those of the peer's ports; ``folder`` is its data.

    ``callers`` clients call a misbehaving chaincode, each in a closed loop, ``argument_bytes``
    large; ``rate`` bounds what it does per second; ``patience`` is a caller's own deadline.
    ``ports`` are the names of the addresses to attack, ``count`` is how many things to hold
    open, ``keys`` how many keys the rogue's Init writes.
    """

    behaviour: str
    addresses: Mapping[str, str]
    folder: str
    tls: bool = False
    name: str = "rogue"
    callers: int = 0
    argument_bytes: int = 0
    patience: float = 20.0
    rate: float = 100.0
    diary: str = ""
    ports: Sequence[str] = ()
    count: int = 0
    keys: int = 0


@dataclass(slots=True)
class Deeds:
    """What it has done so far; ``at_work`` is set once the misbehaviour is in full swing."""

    did: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0
    unanswered: int = 0
    at_work: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    prepared: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def start(self) -> None:
        """What it needs is there: wait until this is so for all, and begin."""
        self.prepared.set()
        await self.go.wait()

    def note(self, what: str, count: int = 1) -> None:
        """It did *what* again."""
        self.did[what] += count

    def as_json(self) -> str:
        """For the parent."""
        return json.dumps(
            {
                "did": self.did,
                "answers": self.answers,
                "longest": self.longest,
                "unanswered": self.unanswered,
            }
        )


class Pace:
    """At most *rate* turns a second, evenly: what is late is not made up for."""

    def __init__(self, rate: float) -> None:
        self._interval = 1.0 / rate
        self._next = time.monotonic()

    async def turn(self) -> None:
        """Wait for the next turn."""
        now = time.monotonic()
        self._next = max(self._next + self._interval, now)
        await asyncio.sleep(self._next - now)
