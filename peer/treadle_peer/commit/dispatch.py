"""Which rules an endorsed transaction must satisfy, namespace by namespace (fabric-wire.md §5.5).

Channels below Application capability V2_0 follow Fabric's v14 rules, others its v20 rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.channelconfig import Capabilities
from treadle_fabric.wire import (
    TransactionError,
    TransactionResults,
    UnpackedTransaction,
    WireError,
    parse,
    unpack_results,
)

from treadle_peer.commit.errors import InvalidTransaction
from treadle_peer.commit.rwset import NamespaceSet, namespace_sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """What a transaction claims to have called, and its effects."""

    transaction: UnpackedTransaction
    chaincode: str
    version: str
    namespaces: tuple[NamespaceSet, ...]

    def part(self, namespace: str) -> NamespaceSet | None:
        """The read-write set of *namespace*, if it has one."""
        return next((entry for entry in self.namespaces if entry.name == namespace), None)

    def written(self, capabilities: Capabilities) -> list[str]:
        """The called chaincode's namespace, then all others it writes to.

        Before V1_2 the called chaincode's counted only when written, too.
        """
        written = [entry.name for entry in self.namespaces if entry.writes(capabilities)]
        if not capabilities.strict_validation:
            return written
        return [self.chaincode, *(name for name in written if name != self.chaincode)]


def unpack_invocation(transaction: UnpackedTransaction, capabilities: Capabilities) -> Invocation:
    """The effects of *transaction*; raises InvalidTransaction with the code of §5.5."""
    try:
        results = unpack_results(transaction)
    except TransactionError as error:
        raise InvalidTransaction(error.code, str(error)) from error
    if not transaction.action_bytes:
        text = "response payload is missing extension"
        raise InvalidTransaction(TxValidationCode.BAD_RESPONSE_PAYLOAD, text)
    namespaces = namespace_sets(results.namespaces)
    name = _called_chaincode(results, capabilities)
    if capabilities.strict_validation:
        _check_event(results.action, name)
    _check_duplicates(namespaces)
    _check_collections(namespaces)
    return Invocation(
        transaction=transaction,
        chaincode=name,
        version=results.action.chaincode_id.version,
        namespaces=namespaces,
    )


def _called_chaincode(results: TransactionResults, capabilities: Capabilities) -> str:
    other = TxValidationCode.INVALID_OTHER_REASON
    if not results.extension.HasField("chaincode_id"):
        raise InvalidTransaction(other, "nil ChaincodeId in header extension")
    if not results.action.HasField("chaincode_id"):
        raise InvalidTransaction(other, "nil ChaincodeId in ChaincodeAction")
    code = TxValidationCode.INVALID_CHAINCODE if capabilities.v2_validation else other
    name, called = results.extension.chaincode_id.name, results.action.chaincode_id
    if not name:
        raise InvalidTransaction(code, "invalid chaincode ID")
    if name != called.name:
        raise InvalidTransaction(code, f"inconsistent ccid info ({name}/{called.name})")
    if not called.version:
        raise InvalidTransaction(code, "invalid chaincode version")
    return name


def _check_event(action: ChaincodeAction, name: str) -> None:
    if not action.events:
        return
    code = TxValidationCode.INVALID_OTHER_REASON
    try:
        event = parse(ChaincodeEvent, action.events)
    except WireError as error:
        raise InvalidTransaction(code, f"invalid chaincode event: {error}") from error
    if event.chaincode_id != name:
        text = "chaincode event chaincode id does not match chaincode action chaincode id"
        raise InvalidTransaction(code, text)


def _check_duplicates(namespaces: Sequence[NamespaceSet]) -> None:
    seen: set[str] = set()
    for namespace in namespaces:
        if namespace.name in seen:
            text = f"duplicate namespace '{namespace.name}' in txRWSet"
            raise InvalidTransaction(TxValidationCode.ILLEGAL_WRITESET, text)
        seen.add(namespace.name)


def _check_collections(namespaces: Sequence[NamespaceSet]) -> None:
    """Private data is not kept yet, and no honest endorsement of ours carries any.

    Valid, such a transaction could not be committed and would stop the channel.
    """
    for namespace in namespaces:
        if namespace.collections:
            text = f"namespace '{namespace.name}' carries private data, which is not supported yet"
            raise InvalidTransaction(TxValidationCode.ILLEGAL_WRITESET, text)
