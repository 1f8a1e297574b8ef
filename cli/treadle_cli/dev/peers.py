"""The peers that one chaincode process is joined to, and who says that it is theirs."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from treadle_peer.chaincode import Ending, StreamEnded
from treadle_peer.chaincode.bridge import Dial
from treadle_peer.server.callers import TAKE, WHO
from treadle_peer.server.chaincode_grpc import ClientTLS, DialledStream, Target, dial_peer

_PATIENCE_SECONDS: Final = 5.0
_TAKEN: Final = frozenset({Ending.ABORTED, Ending.ALREADY_EXISTS})

Credentials = Callable[[], Awaitable[ClientTLS | None]]
"""What to show a peer, asked for at each connection: certificates are renewed. None: plaintext."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerEnd:
    """One peer's chaincode port: how we call it, ``host:port`` to dial, and our credentials."""

    name: str
    address: str
    credentials: Credentials


@dataclass(slots=True, kw_only=True)
class Refusal:
    """What a peer said when it ended a stream for good; empty until then."""

    peer: str = ""
    sentence: str = ""
    code: Ending | None = None

    @property
    def somebody_else(self) -> bool:
        """Whether another process of the same chaincode is preferred to ours."""
        return self.code in _TAKEN


@dataclass(slots=True, kw_only=True)
class Doors:
    """Dials peers for the bridge, tells them who we are, and remembers a refusal.

    ``take``: the first registration may replace somebody else's process. Later ones may not: who
    comes back after a lost tunnel must not take it from whoever has it by then.
    ``on_waiting`` gets the name of a peer that does not admit the chaincode for seconds.
    """

    take: bool
    on_registered: Callable[[str], None]
    on_waiting: Callable[[str], None]
    refusal: Refusal = field(default_factory=Refusal)
    _known: set[str] = field(default_factory=set)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def over(self) -> int:
        """Wait for a refusal; the exit code that it means."""
        await self._over.wait()
        return 1

    def dial(self, end: PeerEnd) -> Dial:
        """How the bridge opens a stream to *end*."""

        async def opened() -> _Heard:
            take = self.take and end.name not in self._known
            target = Target(
                address=end.address,
                tls=await end.credentials(),
                metadata=((WHO, who()), (TAKE, "true" if take else "false")),
            )
            return _Heard(await dial_peer(target), end.name, self)

        return opened

    def registered(self, name: str) -> None:
        """A peer has taken our chaincode."""
        self._known.add(name)
        self.on_registered(name)

    def refused(self, name: str, ended: StreamEnded) -> None:
        """A stream has ended; remembered if it is of no use to come back."""
        if ended.code.final:
            self.refusal = Refusal(peer=name, sentence=ended.sentence, code=ended.code)
            self._over.set()


class _Heard:
    """A stream to a peer whose end and greeting are noticed."""

    def __init__(self, stream: DialledStream, name: str, doors: Doors) -> None:
        self._stream = stream
        self._name = name
        self._doors = doors
        # A peer keeps waiting who comes before the package.
        loop = asyncio.get_running_loop()
        self._reminder = loop.call_later(_PATIENCE_SECONDS, doors.on_waiting, name)

    async def receive(self) -> ChaincodeMessage | None:
        """See ChaincodeStream."""
        try:
            message = await self._stream.receive()
        except StreamEnded as ended:
            self._doors.refused(self._name, ended)
            raise
        if message is not None and message.type == ChaincodeMessage.READY:
            self._reminder.cancel()
            self._doors.registered(self._name)
        return message

    async def send(self, message: ChaincodeMessage) -> None:
        """See ChaincodeStream."""
        try:
            await self._stream.send(message)
        except StreamEnded as ended:
            self._doors.refused(self._name, ended)
            raise

    async def close(self) -> None:
        """See ClosableStream."""
        self._reminder.cancel()
        await self._stream.close()


def who() -> str:
    """``user@host`` of this process, in the characters that metadata may have."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):
        # A container's user may have no name.
        user = "somebody"
    words = f"{user}@{socket.gethostname()}"
    return "".join(letter if "!" <= letter <= "~" else "?" for letter in words)
