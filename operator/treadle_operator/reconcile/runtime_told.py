"""Which addresses of pods the peers were told; they do not tell them back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from treadle_operator.model import Key

_TRUSTED: Final = timedelta(minutes=4)  # another operator may have told others meanwhile

Addresses = tuple[str, ...]


@dataclass(slots=True)
class AddressesTold:
    """By the key of the runtime; lost with this process, and then told again."""

    _told: dict[Key, tuple[Addresses, datetime]] = field(default_factory=dict)

    def knows(self, key: Key, addresses: Addresses, now: datetime) -> bool:
        """Whether the peer has just these; there is no way to tell it that there are none."""
        if not addresses:
            return True
        told, when = self._told.get(key, ((), now))
        return told == addresses and now - when < _TRUSTED

    def told(self, key: Key, addresses: Addresses, now: datetime) -> None:
        """The peer has these."""
        if addresses:
            self._told[key] = addresses, now

    def forget(self, key: Key) -> None:
        """The peer has none."""
        self._told.pop(key, None)
