"""What a conversation heard: whole messages as they came, ends of streams, and silences."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

Kind = Literal["message", "end", "silence", "fact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing heard.

    ``source`` names who said it, and which time: ``endorsement 2``, ``chaincode probe:1``. A
    ``message`` has the protobuf ``type`` and ``data``; ``hint`` is the full name of the type of an
    inner payload that the message itself does not tell. An ``end`` has a gRPC ``code`` and
    ``details``. A ``fact`` is text in ``details``.
    """

    source: str
    kind: Kind
    type: str = ""
    data: bytes = b""
    hint: str = ""
    code: str = ""
    details: str = ""


@dataclass(slots=True)
class Recording:
    """The events of one conversation with one peer, in the order of each source.

    ``names`` gives byte strings that differ with each run a name (hashes of blocks that hold a
    peer's signatures); ``texts`` does so for parts of texts (folders, addresses).
    """

    conversation: str
    events: list[Event] = field(default_factory=list)
    names: dict[bytes, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    broken: str = ""  # the traceback where the script could not go on; never kept
    began: int = 0  # seconds since 1970: the first moment in which a peer or orderer may have
    ended: int = 0  # made something for this conversation, and the last

    def plain(self) -> dict[str, Any]:
        """What JSON can carry; ``from_plain`` reads it back."""
        return {
            "conversation": self.conversation,
            "events": [
                {**asdict(event), "data": base64.b64encode(event.data).decode()}
                for event in self.events
            ],
            "names": {key.hex(): name for key, name in self.names.items()},
            "texts": self.texts,
            "began": self.began,
            "ended": self.ended,
        }

    @classmethod
    def from_plain(cls, content: Mapping[str, Any]) -> Self:
        """What ``plain`` made."""
        events = [
            Event(**{**event, "data": base64.b64decode(event["data"])})
            for event in content["events"]
        ]
        names = {bytes.fromhex(key): name for key, name in content["names"].items()}
        return cls(
            content["conversation"],
            events,
            names,
            content["texts"],
            began=content.get("began", 0),
            ended=content.get("ended", 0),
        )
