"""Chaincode processes that are functions of the test: the executor that an endorser asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response
from treadle_peer.execution import Call, CallKind, ChaincodeInvoker, ExecutionError, Outcome

FAILURE = "transaction returned with failure: "

Script = Callable[[Call], Awaitable[Outcome]]


def outcome(status: int = 200, payload: bytes = b"", message: str = "") -> Outcome:
    """A chaincode's answer without event."""
    return Outcome(response=Response(status=status, payload=payload, message=message), event=None)


async def _content(call: Call) -> Outcome:
    return outcome()


class ScriptedExecutor:
    """Chaincode processes by name; ``calls`` lists what they were asked."""

    def __init__(self, invoker: ChaincodeInvoker) -> None:
        self.invoker = invoker
        self.scripts: dict[str, Script] = {}
        self.calls: list[Call] = []
        self._running: set[tuple[str, str, str]] = set()

    async def execute(self, call: Call) -> Outcome:
        """Run the script, refusing as a process does to enter one transaction twice."""
        self.calls.append(call)
        context = (call.ccid, call.channel_id, call.tx_id)
        if context in self._running:
            raise ExecutionError(
                f"failed to execute transaction {call.tx_id}: error sending: "
                f"txid: {call.tx_id}({call.channel_id}) exists"
            )
        self._running.add(context)
        try:
            return await self.scripts.get(call.chaincode_name, _content)(call)
        finally:
            self._running.discard(context)

    async def run(self, call: Call) -> ChaincodeMessage:
        """The script's answer as the message that the chaincode would have sent."""
        message = ChaincodeMessage(txid=call.tx_id, channel_id=call.channel_id)
        try:
            answer = await self.execute(call)
        except ExecutionError as error:
            text = str(error).removeprefix(f"failed to execute transaction {call.tx_id}: ")
            if not text.startswith(FAILURE):
                raise ExecutionError(text) from error
            message.type = ChaincodeMessage.ERROR
            message.payload = text.removeprefix(FAILURE).encode()
            return message
        message.type = ChaincodeMessage.COMPLETED
        message.payload = answer.response.SerializeToString()
        if answer.event is not None:
            message.chaincode_event.CopyFrom(answer.event)
        return message

    @property
    def inits(self) -> list[Call]:
        """The INIT calls so far."""
        return [call for call in self.calls if call.kind is CallKind.INIT]
