"""Why the ordering refuses an envelope (fabric-wire.md §5.2)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Status


class OrderingError(Exception):
    """The ordering cannot do what was asked of it by this peer; one line."""


class BroadcastRefused(Exception):
    """An envelope is not accepted: ``status`` and, as ``str()``, Fabric's text."""

    def __init__(self, status: Status.ValueType, text: str) -> None:
        super().__init__(text)
        self.status = status
