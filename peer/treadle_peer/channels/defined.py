"""Which chaincodes the channels of a peer define, by the name that their processes register."""

from __future__ import annotations

from collections.abc import Iterator

from treadle_fabric.wire import WireError

from treadle_peer.channels.channel import Channel
from treadle_peer.channels.channels import Channels
from treadle_peer.channels.definitions import (
    LEGACY_NAMESPACE,
    is_collection_key,
    legacy_definition,
)
from treadle_peer.ledger import StateReader


def defined(channels: Channels) -> Iterator[str]:
    """The ccid of every legacy definition on any channel; unreadable ones are passed over."""
    for channel in _joined(channels):
        with channel.ledger.reader() as reader:
            for entry in reader.range(LEGACY_NAMESPACE, "", ""):
                ccid = None if is_collection_key(entry.key) else _ccid(reader, entry.key)
                if ccid is not None:
                    yield ccid


def is_defined(channels: Channels, ccid: str) -> bool:
    """Whether a channel defines *ccid* (``name:version``)."""
    name = ccid.partition(":")[0]
    return bool(name) and any(_names(channel, name, ccid) for channel in _joined(channels))


def _joined(channels: Channels) -> Iterator[Channel]:
    for name in channels.names():
        if (channel := channels.get(name)) is not None:
            yield channel


def _names(channel: Channel, name: str, ccid: str) -> bool:
    with channel.ledger.reader() as reader:
        return _ccid(reader, name) == ccid


def _ccid(reader: StateReader, name: str) -> str | None:
    try:
        definition = legacy_definition(reader, name)
    except WireError:
        return None
    return None if definition is None else definition.ccid
