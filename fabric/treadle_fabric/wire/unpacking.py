"""Taking the transactions of a block apart, with the validation code of every defect.

Three stages, because other checks (the creator's signature, channel, duplicate id) lie between
them (fabric-wire.md §5.4). Called by block validation and by readers of committed blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.peer.proposal_pb2 import ChaincodeAction, ChaincodeHeaderExtension
from fabric_protos.peer.proposal_response_pb2 import Endorsement, ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
    TxValidationCode,
)
from google.protobuf.message import Message

from treadle_fabric.wire.apart import parse_apart, parse_around
from treadle_fabric.wire.envelopes import UnpackedPayload, header_type_name
from treadle_fabric.wire.hashing import sha256
from treadle_fabric.wire.messages import Octets, WireError, parse
from treadle_fabric.wire.txid import compute_tx_id

_M = TypeVar("_M", bound=Message)

_KNOWN_TYPES = (HeaderType.ENDORSER_TRANSACTION, HeaderType.CONFIG_UPDATE, HeaderType.CONFIG)


class TransactionError(WireError):
    """A malformed transaction; ``code`` is the validation code its block records."""

    def __init__(self, code: TxValidationCode.ValueType, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedTransaction:
    """The single action of an endorser transaction, raw and parsed.

    ``proposal_response_payload_bytes`` followed by an endorser's identity is what that endorser
    signed; ``action_bytes``, a marshalled ChaincodeAction, is its extension.
    """

    envelope: UnpackedPayload
    proposal_payload_bytes: bytes
    proposal_response_payload_bytes: Octets
    action_bytes: Octets
    endorsements: tuple[Endorsement, ...]


@dataclass(frozen=True, slots=True)
class NamespaceBytes:
    """One namespace of a read-write set: its marshalled KVRWSet, and ``rest`` without that."""

    rest: NsReadWriteSet
    public: Octets


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionResults:
    """What the endorsers signed: the called chaincode, its action, its read-write set.

    ``action`` is without its results: they are ``namespaces``.
    """

    extension: ChaincodeHeaderExtension
    action: ChaincodeAction
    namespaces: tuple[NamespaceBytes, ...]


def unpack_envelope(envelope_bytes: bytes) -> UnpackedPayload:
    """First stage: one entry of a block's data up to its checked headers.

    Raises TransactionError with INVALID_OTHER_REASON, BAD_PAYLOAD or BAD_COMMON_HEADER.
    """
    with _marked(TxValidationCode.INVALID_OTHER_REASON):
        envelope, raw = parse_apart(Envelope, envelope_bytes, "payload")
    with _marked(TxValidationCode.BAD_PAYLOAD):
        payload, data = parse_apart(Payload, raw, "data")
    code = TxValidationCode.BAD_COMMON_HEADER
    if not payload.HasField("header"):
        raise TransactionError(code, "nil header")
    header = payload.header
    unpacked = UnpackedPayload(
        raw=raw,
        signature=envelope.signature,
        channel_header_bytes=header.channel_header,
        signature_header_bytes=header.signature_header,
        channel_header=_parse_or(code, ChannelHeader, header.channel_header),
        signature_header=_parse_or(code, SignatureHeader, header.signature_header),
        data=data,
    )
    _check_channel_header(unpacked.channel_header)
    _check_signature_header(code, unpacked.signature_header)
    return unpacked


def unpack_endorsed(envelope: UnpackedPayload) -> UnpackedTransaction:
    """Second stage, once the creator's signature is known to be good.

    Raises TransactionError with UNSUPPORTED_TX_PAYLOAD (not an endorser transaction),
    BAD_PROPOSAL_TXID or INVALID_ENDORSER_TRANSACTION.
    """
    if envelope.channel_header.type != HeaderType.ENDORSER_TRANSACTION:
        text = f"unsupported transaction payload type [{envelope.channel_header.type}]"
        raise TransactionError(TxValidationCode.UNSUPPORTED_TX_PAYLOAD, text)
    _check_tx_id(envelope)
    code = TxValidationCode.INVALID_ENDORSER_TRANSACTION
    action, action_payload = _only_action(envelope.data)
    _check_signature_header(code, _parse_or(code, SignatureHeader, action.header))
    with _marked(code):
        payload, endorsed, response_bytes = parse_action_payload(action_payload)
        response, extension = parse_apart(ProposalResponsePayload, response_bytes, "extension")
    # Validation hashes the visible payload as it is: a transient map would make it differ.
    expected = sha256(
        envelope.channel_header_bytes, action.header, payload.chaincode_proposal_payload
    )
    if response.proposal_hash != expected:
        raise TransactionError(code, "proposal hash does not match")
    return UnpackedTransaction(
        envelope=envelope,
        proposal_payload_bytes=payload.chaincode_proposal_payload,
        proposal_response_payload_bytes=response_bytes,
        action_bytes=extension,
        endorsements=tuple(endorsed.endorsements),
    )


def unpack_results(transaction: UnpackedTransaction) -> TransactionResults:
    """Third stage, once channel and transaction id are known to be good.

    Raises TransactionError with BAD_HEADER_EXTENSION, BAD_RESPONSE_PAYLOAD or BAD_RWSET.
    """
    extension = _parse_or(
        TxValidationCode.BAD_HEADER_EXTENSION,
        ChaincodeHeaderExtension,
        transaction.envelope.channel_header.extension,
    )
    with _marked(TxValidationCode.BAD_RESPONSE_PAYLOAD):
        action, results = parse_apart(ChaincodeAction, transaction.action_bytes, "results")
    with _marked(TxValidationCode.BAD_RWSET):
        namespaces = parse_namespaces(results)
    return TransactionResults(extension=extension, action=action, namespaces=namespaces)


def parse_action_payload(
    data: Octets,
) -> tuple[ChaincodeActionPayload, ChaincodeEndorsedAction, Octets]:
    """A ChaincodeActionPayload without its action, that without its payload, and the payload.

    Raises WireError.
    """
    payload, action = parse_apart(ChaincodeActionPayload, data, "action")
    endorsed, response = parse_apart(ChaincodeEndorsedAction, action, "proposal_response_payload")
    return payload, endorsed, response


def parse_namespaces(results: Octets) -> tuple[NamespaceBytes, ...]:
    """The namespaces of a marshalled TxReadWriteSet; raises WireError."""
    _, entries = parse_around(TxReadWriteSet, results, "ns_rwset")
    return tuple(NamespaceBytes(*parse_apart(NsReadWriteSet, each, "rwset")) for each in entries)


def unpack_transaction(envelope_bytes: bytes) -> UnpackedTransaction:
    """First and second stage at once, for readers of blocks that were validated already."""
    return unpack_endorsed(unpack_envelope(envelope_bytes))


def _parse_or(code: TxValidationCode.ValueType, kind: type[_M], data: Octets) -> _M:
    with _marked(code):
        return parse(kind, data)


@contextmanager
def _marked(code: TxValidationCode.ValueType) -> Iterator[None]:
    """What cannot be read in here makes the transaction invalid with *code*."""
    try:
        yield
    except WireError as error:
        raise TransactionError(code, str(error)) from error


def _check_channel_header(header: ChannelHeader) -> None:
    code = TxValidationCode.BAD_COMMON_HEADER
    if header.type not in _KNOWN_TYPES:
        raise TransactionError(code, f"invalid header type {header_type_name(header.type)}")
    if header.epoch != 0:
        text = f"invalid Epoch in ChannelHeader. Expected 0, got [{header.epoch}]"
        raise TransactionError(code, text)


def _check_signature_header(code: TxValidationCode.ValueType, header: SignatureHeader) -> None:
    if not header.nonce:
        raise TransactionError(code, "invalid nonce specified in the header")
    if not header.creator:
        raise TransactionError(code, "invalid creator specified in the header")


def _check_tx_id(envelope: UnpackedPayload) -> None:
    claimed = envelope.channel_header.tx_id
    computed = compute_tx_id(envelope.signature_header.nonce, envelope.creator)
    if claimed != computed:
        text = f"invalid txid. got [{claimed}], expected [{computed}]"
        raise TransactionError(TxValidationCode.BAD_PROPOSAL_TXID, text)


def _only_action(data: Octets) -> tuple[TransactionAction, Octets]:
    """The action without its payload, and that."""
    code = TxValidationCode.INVALID_ENDORSER_TRANSACTION
    with _marked(code):
        actions = parse_actions(data)
    if len(actions) != 1:
        text = f"only one action per transaction is supported, tx contains {len(actions)}"
        raise TransactionError(code, text)
    return actions[0]


def parse_actions(data: Octets) -> list[tuple[TransactionAction, Octets]]:
    """The actions of a Transaction without their payloads, and these; raises WireError."""
    _, actions = parse_around(Transaction, data, "actions")
    return [parse_apart(TransactionAction, each, "payload") for each in actions]
