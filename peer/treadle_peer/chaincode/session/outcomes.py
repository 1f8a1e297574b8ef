"""The end of a transaction: what the chaincode's final message means (fabric-wire.md §1.6)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response
from google.protobuf.message import DecodeError
from treadle_fabric.wire import why_unreadable

from treadle_peer.execution import Call, ExecutionError, Outcome


def outcome_of(call: Call, message: ChaincodeMessage) -> Outcome:
    """The response and event of *message*, or ExecutionError with Fabric's text."""
    if message.type == ChaincodeMessage.ERROR:
        text = message.payload.decode(errors="replace")
        raise ExecutionError(f"transaction returned with failure: {text}")
    if message.type != ChaincodeMessage.COMPLETED:
        raise ExecutionError(
            f"unexpected response type {message.type} for transaction {call.tx_id}"
        )
    try:
        response = Response.FromString(message.payload)
    except DecodeError:
        raise ExecutionError(
            f"failed to unmarshal response for transaction {call.tx_id}: "
            f"{why_unreadable(Response, message.payload)}"
        ) from None
    return Outcome(response=response, event=_event(call, message))


def _event(call: Call, message: ChaincodeMessage) -> ChaincodeEvent | None:
    if not message.HasField("chaincode_event"):
        return None
    event = ChaincodeEvent()
    event.CopyFrom(message.chaincode_event)
    # A chaincode cannot speak in another one's name.
    event.chaincode_id = call.chaincode_name
    event.tx_id = call.tx_id
    return event
