"""INVOKE_CHAINCODE: the one request whose answer takes time (fabric-wire.md §1.10)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage

from treadle_peer.chaincode.session.replies import RequestFailed, parse
from treadle_peer.chaincode.session.transactions import Transaction

SYSTEM_CHAINCODES = frozenset({"lscc", "cscc", "qscc", "_lifecycle"})


def wanted_callee(message: ChaincodeMessage) -> ChaincodeSpec:
    """What the chaincode wants to call; raises RequestFailed.

    The Python shim sends a bare ChaincodeInput here, which has no chaincode id. An empty name
    is a name, of a chaincode that nobody has defined.
    """
    spec = parse(ChaincodeSpec, message.payload)
    if not spec.HasField("chaincode_id"):
        raise RequestFailed("the request names no chaincode (no ChaincodeSpec)")
    return spec


def check_context(transaction: Transaction | None, message: ChaincodeMessage) -> Transaction:
    """The caller's context; raises RequestFailed with the text for a missing one."""
    if transaction is not None and transaction.call.simulator is not None:
        return transaction
    if message.channel_id or not _names_system_chaincode(message):
        raise RequestFailed("could not get valid transaction")
    if transaction is None:
        raise RequestFailed("failed to get transaction context")
    return transaction


def _names_system_chaincode(message: ChaincodeMessage) -> bool:
    name = parse(ChaincodeSpec, message.payload).chaincode_id.name
    return name.partition("/")[0].partition(":")[0] in SYSTEM_CHAINCODES
