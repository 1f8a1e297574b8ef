"""What a session asks its shell to do. Plain data; the shell does the I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.execution import Call


class TxKey(NamedTuple):
    """Identity of a transaction on one stream (fabric-wire.md §1.5)."""

    channel_id: str
    tx_id: str


@dataclass(frozen=True, slots=True)
class Register:
    """The chaincode asks to be registered as *ccid*. Answer with ``Session.admit``."""

    ccid: str


@dataclass(frozen=True, slots=True)
class Send:
    """Write *message* to the chaincode, in this order."""

    message: ChaincodeMessage


@dataclass(frozen=True, slots=True)
class Finished:
    """The chaincode gave its final message, COMPLETED or ERROR."""

    key: TxKey
    message: ChaincodeMessage


@dataclass(frozen=True, slots=True)
class Failed:
    """The transaction ended without an answer of the chaincode; *cause* is Fabric's text."""

    key: TxKey
    cause: str


@dataclass(frozen=True, slots=True)
class Invoke:
    """Run the callee, then call ``Session.answer`` or ``Session.refuse`` with *token*."""

    token: int
    call: Call
    spec: ChaincodeSpec


@dataclass(frozen=True, slots=True)
class CancelInvoke:
    """Nobody waits for this callee any more."""

    token: int


Effect = Register | Send | Finished | Failed | Invoke | CancelInvoke
