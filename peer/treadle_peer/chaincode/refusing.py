"""Streams that can never be admitted: asked for their name, then ended with a sentence.

Nothing in here can register a chaincode, whatever arrives: the streams come from strangers. They
leave no trace in the registry either, where they would overwrite what is said about real ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from treadle_peer.chaincode.errors import Ending, RegistrationRefused, StreamEnded
from treadle_peer.chaincode.session import Register, Session
from treadle_peer.chaincode.streams import ChaincodeStream, StreamPeer
from treadle_peer.logs import Repeats

log = logging.getLogger(__name__)

MAX_REFUSED_BYTES: Final = 16 * 1024
"""Largest first message of a stranger; a REGISTER has some dozen bytes."""
_NAME_CHARACTERS: Final = 128


class Doorkeeper:
    """Refuses every stream; *sentence* tells a ccid why and what to do instead.

    *register_timeout* bounds the wait for the REGISTER message, in seconds. *refused* is told
    name, sentence and address of each.
    """

    def __init__(
        self,
        sentence: Callable[[str], str],
        *,
        register_timeout: float = 5.0,
        refused: Callable[[str, str, str], None] = lambda ccid, sentence, remote: None,
    ) -> None:
        self._sentence = sentence
        self._refused = refused
        self._register_timeout = register_timeout
        self._repeats = Repeats(log)

    async def serve(self, stream: ChaincodeStream, caller: StreamPeer) -> None:
        """Raises StreamEnded, unless the other end goes without having said its name."""
        ccid = ""
        try:
            name = await self._name(stream)
            if name is None:
                return
            ccid = _shown(name)
            sentence = self._sentence(ccid)
            self._refused(ccid, sentence, caller.remote)
            raise RegistrationRefused(sentence, Ending.PERMISSION_DENIED)
        except StreamEnded as ended:
            self._repeats.warning(
                f"stream of chaincode {ccid or 'without a name'} ({caller.remote}) ended: "
                f"{ended.sentence}",
            )
            raise

    async def _name(self, stream: ChaincodeStream) -> str | None:
        session = Session()
        try:
            async with asyncio.timeout(self._register_timeout):
                while (message := await stream.receive()) is not None:
                    for effect in session.receive(message):
                        if isinstance(effect, Register):
                            return effect.ccid
        except TimeoutError:
            raise RegistrationRefused(
                f"no REGISTER message arrived within {self._register_timeout:g} s",
                Ending.DEADLINE_EXCEEDED,
            ) from None
        return None


def _shown(name: str) -> str:
    """A stranger's word, fit for a log line and for a status."""
    short = name if len(name) <= _NAME_CHARACTERS else name[:_NAME_CHARACTERS] + "…"
    return "".join(one if one.isprintable() else "?" for one in short)
