"""What can go wrong between a client and the network.

One small hierarchy: whoever catches ``ClientError`` has caught everything this package raises on
purpose. The texts are Fabric's command line's, because people search for them.
"""

from __future__ import annotations

from fabric_protos.common.common_pb2 import Status
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from fabric_protos.peer.transaction_pb2 import TxValidationCode


class ClientError(Exception):
    """Base of every error of this package."""


class ConnectionFailed(ClientError):
    """No connection to ``address`` within the deadline; ``reason`` says what the network said."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"failed to connect to {address}: {reason}")
        self.address = address
        self.reason = reason


class DeadlinePassed(ClientError):
    """The answer did not come in time; the text says what was waited for and how long."""


class CallFailed(ClientError):
    """A call ended with a gRPC status: ``code`` is its upper-case name, ``details`` its text."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"rpc error: code = {_go_name(code)} desc = {details}")
        self.code = code
        self.details = details


class StreamClosed(ClientError):
    """The other side ended a stream that should have gone on."""


class EndorsementFailed(ClientError):
    """A peer answered without endorsing: ``response`` is its whole answer."""

    def __init__(self, address: str, response: ProposalResponse) -> None:
        said = response.response
        super().__init__(
            f"no endorsement from {address}: status {said.status}, message {said.message!r}"
        )
        self.address = address
        self.response = response


class BroadcastRefused(ClientError):
    """The orderer did not accept an envelope (fabric-wire.md §5.2)."""

    def __init__(self, status: int, info: str) -> None:
        super().__init__(f"got unexpected status: {status_name(status)} -- {info}")
        self.status = status
        self.info = info


class DeliverRefused(ClientError):
    """A deliver stream ended with a status other than SUCCESS (fabric-wire.md §5.7)."""

    def __init__(self, status: int) -> None:
        super().__init__(f"deliver completed with status ({status_name(status)})")
        self.status = status


class NotCommitted(ClientError):
    """A transaction is in a block, but invalid: ``code`` is its validation code."""

    def __init__(self, tx_id: str, code: int) -> None:
        super().__init__(f"transaction invalidated with status ({validation_code_name(code)})")
        self.tx_id = tx_id
        self.code = code


def status_name(status: int) -> str:
    """Fabric's name of a status, its digits when the number is unknown."""
    value = Status.DESCRIPTOR.values_by_number.get(status)
    return value.name if value else str(status)


def validation_code_name(code: int) -> str:
    """Fabric's name of a validation code, its digits when the number is unknown."""
    value = TxValidationCode.DESCRIPTOR.values_by_number.get(code)
    return value.name if value else str(code)


def _go_name(code: str) -> str:
    """``INVALID_ARGUMENT`` as Go's gRPC prints it: ``InvalidArgument``."""
    special = {"OK": "OK", "CANCELLED": "Canceled"}
    return special.get(code) or "".join(word.capitalize() for word in code.split("_"))
