"""What the ledger needs of a block's entries, read as leniently as Fabric's ledger reads them.

Whether a transaction is well formed was decided before (block validation); here an invalid one
must still be stored and, if it has an id, be found again.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from google.protobuf.timestamp_pb2 import Timestamp
from treadle_fabric.wire import (
    Octets,
    WireError,
    compute_tx_id,
    parse,
    parse_action_payload,
    parse_actions,
    parse_apart,
    parse_namespaces,
)


@dataclass(frozen=True, slots=True)
class NamespaceSet:
    """The public part of a read-write set in one namespace."""

    namespace: str
    content: KVRWSet
    has_collections: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of a block's data.

    ``tx_id`` is "" and ``type`` None when the headers cannot be read. ``data`` is the payload's.
    """

    tx_id: str
    type: int | None
    timestamp: Timestamp
    data: Octets

    @property
    def is_endorsed(self) -> bool:
        """Whether this is an endorser transaction."""
        return self.type == HeaderType.ENDORSER_TRANSACTION

    @property
    def is_config(self) -> bool:
        """Whether this is a channel configuration."""
        return self.type == HeaderType.CONFIG


_UNREADABLE = Entry(tx_id="", type=None, timestamp=Timestamp(), data=b"")


def read_entry(envelope: bytes) -> Entry:
    """Headers of an entry; a transaction without id gets the computed one, as in Fabric."""
    try:
        _, raw = parse_apart(Envelope, envelope, "payload")
        payload, data = parse_apart(Payload, raw, "data")
        header = parse(ChannelHeader, payload.header.channel_header)
        tx_id = header.tx_id or _computed_id(payload)
    except WireError:
        return _UNREADABLE
    return Entry(tx_id=tx_id, type=header.type, timestamp=header.timestamp, data=data)


def read_results(entry: Entry) -> Octets | None:
    """The marshalled TxReadWriteSet of an endorser transaction; None when there is none to read."""
    try:
        actions = parse_actions(entry.data)
        if not actions:
            return None
        _, _, payload = parse_action_payload(actions[0][1])
        _, extension = parse_apart(ProposalResponsePayload, payload, "extension")
        return parse_apart(ChaincodeAction, extension, "results")[1]
    except WireError:
        return None


def read_sets(results: Octets) -> list[NamespaceSet]:
    """The namespaces of a marshalled TxReadWriteSet; raises WireError when it is unreadable."""
    return [
        NamespaceSet(
            each.rest.namespace,
            parse(KVRWSet, each.public),
            bool(each.rest.collection_hashed_rwset),
        )
        for each in parse_namespaces(results)
    ]


def _computed_id(payload: Payload) -> str:
    header = parse(SignatureHeader, payload.header.signature_header)
    return compute_tx_id(header.nonce, header.creator)
