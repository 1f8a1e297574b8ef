"""The chaincode's side of a conversation, message by message; it may misbehave as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, Response
from google.protobuf.message import Message
from harness.differential.streams import Line
from treadle_fabric.wire import BuiltProposal, serialize

if TYPE_CHECKING:
    from harness.differential.talk import Talk


@dataclass(slots=True)
class Chaincode:
    """One stream to the chaincode port."""

    talk: Talk
    line: Line

    async def register(self, name: str) -> None:
        """Say REGISTER; what is answered is for the conversation to hear."""
        await self.line.say(Msg(type=Msg.REGISTER, payload=serialize(ChaincodeID(name=name))))

    async def called(self) -> Msg:
        """Hear the INIT or TRANSACTION that comes next."""
        message: Msg | None = await self.line.hear()
        assert message is not None, "the stream ended instead of a call"
        return message

    @asynccontextmanager
    async def transaction(
        self, proposal: BuiltProposal, *, hint: str = ""
    ) -> AsyncIterator[Transaction]:
        """Send *proposal* as a client and hear the call; at the end hear the client's answer.

        ``answer`` of the transaction is what the client got; *hint* types Response.payload.
        """
        asking = asyncio.create_task(self.talk.endorse(proposal, hint=hint))
        try:
            transaction = Transaction(self, await self.called())
            yield transaction
            transaction.answer = await asking
        finally:
            asking.cancel()


@dataclass(slots=True)
class Transaction:
    """A call that the chaincode works on."""

    chaincode: Chaincode
    call: Msg
    answer: ProposalResponse | None = None

    def message(self, kind: int, payload: Message | bytes = b"", **changes: object) -> Msg:
        """A message within this transaction; *changes* replace fields of it."""
        content = payload if isinstance(payload, bytes) else serialize(payload)
        message = Msg(payload=content, txid=self.call.txid, channel_id=self.call.channel_id)
        message.type = kind
        for name, value in changes.items():
            setattr(message, name, value)
        return message

    async def say(self, kind: int, payload: Message | bytes = b"", **changes: object) -> None:
        """Send without waiting for an answer."""
        await self.chaincode.line.say(self.message(kind, payload, **changes))

    async def ask(self, kind: int, payload: Message | bytes = b"", *, hint: str = "") -> Msg:
        """Send and hear the answer; *hint* names the type of the RESPONSE's payload."""
        await self.say(kind, payload)
        answer: Msg | None = await self.chaincode.line.hear(hint)
        assert answer is not None, "the stream ended instead of an answer"
        return answer

    async def complete(
        self,
        status: int = 200,
        message: str = "",
        payload: bytes = b"",
        event: ChaincodeEvent | None = None,
    ) -> None:
        """End it with COMPLETED."""
        response = Response(status=status, message=message, payload=payload)
        changes = {} if event is None else {"event": event}
        done = self.message(Msg.COMPLETED, response)
        if changes:
            done.chaincode_event.CopyFrom(event)
        await self.chaincode.line.say(done)

    async def fail(self, text: str) -> None:
        """End it with ERROR."""
        await self.say(Msg.ERROR, text.encode())
