"""All channels of a peer: opened at start, joined later."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fabric_protos.common.common_pb2 import Block
from treadle_fabric.channelconfig import Bundle
from treadle_fabric.wire import channel_id_of

from treadle_peer.channels.channel import Channel
from treadle_peer.channels.genesis import check_config_block
from treadle_peer.ledger import Ledger, LedgerError, LedgerStore

_log = logging.getLogger(__name__)

JoinCallback = Callable[[Channel], None]


class JoinError(Exception):
    """A channel cannot be joined; the text is Fabric's."""


class Channels:
    """The joined channels by name; ``on_join`` callbacks run once for every newly joined one."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._callbacks: list[JoinCallback] = []
        ledgers = [ledger for name in store.names() if (ledger := store.get(name))]
        self._channels = {ledger.channel_id: _channel(ledger) for ledger in ledgers}

    def get(self, channel_id: str) -> Channel | None:
        """The channel, or ``None`` when the peer has not joined it."""
        return self._channels.get(channel_id)

    def names(self) -> list[str]:
        """All joined channels in alphabetical order."""
        return sorted(self._channels)

    def on_join(self, callback: JoinCallback) -> None:
        """Call *callback* with every channel joined from now on."""
        self._callbacks.append(callback)

    def join(self, genesis: Block) -> Channel:
        """Create the ledger of a new channel from its config block.

        Raises JoinError with Fabric's text (fabric-wire.md §5.10), ConfigError or WireError when
        the block is no usable config block.
        """
        channel_id = channel_id_of(genesis)
        if channel_id in self._channels:
            raise JoinError(_exists(channel_id))
        bundle = check_config_block(genesis)
        try:
            ledger = self._store.create(genesis)
        except LedgerError as error:
            raise JoinError(str(error)) from error
        channel = Channel(ledger=ledger, bundle=bundle)
        self._channels[channel_id] = channel
        _log.info("joined channel %s at block %d", channel_id, genesis.header.number)
        for callback in self._callbacks:
            callback(channel)
        return channel


def _channel(ledger: Ledger) -> Channel:
    return Channel(ledger=ledger, bundle=Bundle.from_config(ledger.channel_id, ledger.config))


def _exists(channel_id: str) -> str:
    return (
        "cannot create ledger from genesis block: "
        f"ledger [{channel_id}] already exists with state [ACTIVE]"
    )
