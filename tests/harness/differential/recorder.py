"""What a conversation hears becomes a recording: every rig's talk is a recorder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from google.protobuf.message import Message
from harness.differential.events import Event, Recording


class Recorder:
    """``recording`` has what was heard; sources of one label are numbered from the second on."""

    def __init__(self, title: str, texts: Mapping[str, str]) -> None:
        self.recording = Recording(title, texts=dict(texts))
        self._sources: Counter[str] = Counter()

    def hear(self, event: Event) -> None:
        """Record anything."""
        self.recording.events.append(event)

    def hear_message(self, source: str, message: Message, hint: str = "") -> None:
        """Record a message."""
        kind, data = message.DESCRIPTOR.full_name, message.SerializeToString()
        self.hear(Event(source=source, kind="message", type=kind, data=data, hint=hint))

    def note(self, label: str, text: object) -> None:
        """Record a fact that the conversation worked out."""
        self.hear(Event(source=self.source(label), kind="fact", details=str(text)))

    def source(self, label: str) -> str:
        """*label*, with its number from the second time on."""
        self._sources[label] += 1
        number = self._sources[label]
        return label if number == 1 else f"{label} #{number}"
