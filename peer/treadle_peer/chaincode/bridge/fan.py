"""One chaincode process that several peers call: the rules, without I/O.

A client sends the same proposal to all its endorsers, so that several peers start a transaction of
the same channel and id. The chaincode reads both, and its shim tells transactions apart by nothing
else: the second peer's transaction waits until the first one's is over. Others run side by side.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.bridge.link import (
    FINALS,
    GREETINGS,
    STARTS,
    Link,
    LinkEffect,
    ToShim,
)
from treadle_peer.chaincode.session import TxKey

FanEffect = tuple[int, LinkEffect]
"""Which peer it is about, by its index, and what to do."""


class Fan:
    """State of one chaincode stream joined to *count* peers. *clock* is for the records only."""

    def __init__(self, count: int, *, clock: Callable[[], float]) -> None:
        self._links = [Link(clock=clock) for _ in range(count)]
        self._greeted: set[int] = set()
        self._owners: dict[TxKey, int] = {}
        self._waiting: dict[TxKey, deque[tuple[int, ChaincodeMessage]]] = {}

    @property
    def registered(self) -> bool:
        """Whether the chaincode has said who it is."""
        return self._links[0].registered

    def peer_up(self, index: int) -> list[FanEffect]:
        """A new stream to the peer is open; the chaincode has registered."""
        return _of(index, self._links[index].peer_up())

    def peer_down(self, index: int) -> list[FanEffect]:
        """The stream to the peer is gone, with all that it still waits for."""
        for waiting in self._waiting.values():
            for entry in [entry for entry in waiting if entry[0] == index]:
                waiting.remove(entry)
        return _of(index, self._links[index].peer_down())

    def from_shim(self, message: ChaincodeMessage) -> list[FanEffect]:
        """Take a message of the chaincode; raises ProtocolViolation."""
        if message.type == ChaincodeMessage.REGISTER or not self.registered:
            return [
                effect
                for index, link in enumerate(self._links)
                for effect in _of(index, link.from_shim(message))
            ]
        key = self._key_of(message)
        index = self._owners.get(key, 0)
        effects = _of(index, self._links[index].from_shim(message))
        if message.type in FINALS and key in self._owners:
            effects += self._next(key)
        return effects

    def from_peer(self, index: int, message: ChaincodeMessage) -> list[FanEffect]:
        """Take a message of the peer."""
        if message.type in STARTS:
            return self._start(index, message)
        effects = _of(index, self._links[index].from_peer(message))
        if message.type not in GREETINGS:
            return effects
        if message.type in self._greeted:
            return [effect for effect in effects if not isinstance(effect[1], ToShim)]
        self._greeted.add(message.type)
        return effects

    def _start(self, index: int, message: ChaincodeMessage) -> list[FanEffect]:
        key = TxKey(message.channel_id, message.txid)
        if self._owners.setdefault(key, index) != index:
            self._waiting.setdefault(key, deque()).append((index, message))
            return []
        return _of(index, self._links[index].from_peer(message))

    def _next(self, key: TxKey) -> list[FanEffect]:
        del self._owners[key]
        waiting = self._waiting.pop(key, None)
        if not waiting:
            return []
        index, message = waiting.popleft()
        effects = self._start(index, message)
        if waiting:
            self._waiting[key] = waiting
        return effects

    def _key_of(self, message: ChaincodeMessage) -> TxKey:
        """Whose message it is; an ERROR of the Python shim may lack the channel."""
        key = TxKey(message.channel_id, message.txid)
        if key in self._owners or message.channel_id or message.type != ChaincodeMessage.ERROR:
            return key
        same = [running for running in self._owners if running.tx_id == message.txid]
        return same[0] if len(same) == 1 else key


def _of(index: int, effects: list[LinkEffect]) -> list[FanEffect]:
    return [(index, effect) for effect in effects]
