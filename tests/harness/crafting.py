"""Transactions that no honest client or peer would make, correct but for what a test asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import (
    KVMetadataEntry,
    KVMetadataWrite,
    KVRead,
    KVRWSet,
    KVWrite,
    Version,
)
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeAction,
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
)
from fabric_protos.peer.proposal_response_pb2 import (
    Endorsement,
    ProposalResponsePayload,
    Response,
)
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    ChaincodeEndorsedAction,
    Transaction,
    TransactionAction,
)
from google.protobuf.timestamp_pb2 import Timestamp
from harness.onepeer import CHANNEL
from treadle_fabric.policy import signed_by_any_member
from treadle_fabric.wire import (
    SignerLike,
    compute_tx_id,
    new_nonce,
    sha256,
    sign_endorsement,
    timestamp_now,
)


def write_set(
    *,
    writes: Mapping[str, str | bytes] | None = None,
    policies: Mapping[str, str] | None = None,
    reads: Mapping[str, tuple[int, int] | None] | None = None,
) -> KVRWSet:
    """Writes, key policies (any member of an MSP) and reads at a version, all by key."""
    result = KVRWSet()
    for key, value in sorted((writes or {}).items()):
        content = value.encode() if isinstance(value, str) else value
        result.writes.append(KVWrite(key=key, value=content, is_delete=not content))
    for key, msp_id in sorted((policies or {}).items()):
        policy = signed_by_any_member([msp_id]).SerializeToString(deterministic=True)
        entry = KVMetadataEntry(name="VALIDATION_PARAMETER", value=policy)
        result.metadata_writes.append(KVMetadataWrite(key=key, entries=[entry]))
    for key, version in sorted((reads or {}).items()):
        read = KVRead(key=key)
        if version is not None:
            read.version.CopyFrom(Version(block_num=version[0], tx_num=version[1]))
        result.reads.append(read)
    return result


def results(*sets: tuple[str, KVRWSet | bytes]) -> bytes:
    """A marshalled TxReadWriteSet of namespaces in the given order."""
    parts = [
        NsReadWriteSet(
            namespace=name,
            rwset=content if isinstance(content, bytes) else content.SerializeToString(),
        )
        for name, content in sets
    ]
    return TxReadWriteSet(ns_rwset=parts).SerializeToString()


@dataclass(slots=True, kw_only=True)
class Forgery:
    """Everything a transaction is made of; ``None`` means the honest value."""

    creator: SignerLike
    endorsers: Sequence[SignerLike]
    chaincode: str = "probe"
    version: str = "1"
    results: bytes = b""
    args: Sequence[bytes] = (b"go",)
    events: bytes = b""
    header_type: int = HeaderType.ENDORSER_TRANSACTION
    channel_id: str = CHANNEL
    epoch: int = 0
    tx_id: str | None = None
    nonce: bytes = field(default_factory=new_nonce)
    timestamp: Timestamp = field(default_factory=timestamp_now)
    creator_bytes: bytes | None = None
    channel_header: bytes | None = None
    signature_header: bytes | None = None
    header_extension: bytes | None = None
    action_header: bytes | None = None
    action: bytes | None = None
    action_payload: bytes | None = None
    response: Response = field(default_factory=lambda: Response(status=200))
    response_payload: bytes | None = None
    called: ChaincodeID | None = None
    proposal_hash: bytes | None = None
    endorsement_payload: bytes | None = None
    endorsements: Sequence[Endorsement] | None = None
    actions: int = 1
    signature: bytes | None = None
    payload: bytes | None = None
    headerless: bool = False
    data: bytes | None = None

    def envelope(self) -> bytes:
        """The marshalled envelope."""
        payload = self.payload if self.payload is not None else self._payload()
        signature = self.signature if self.signature is not None else self.creator.sign(payload)
        return Envelope(payload=payload, signature=signature).SerializeToString()

    def _payload(self) -> bytes:
        creator = self.creator.serialize() if self.creator_bytes is None else self.creator_bytes
        signature_header = SignatureHeader(creator=creator, nonce=self.nonce).SerializeToString()
        if self.signature_header is not None:
            signature_header = self.signature_header
        channel_header = self._channel_header(creator)
        header = Header(channel_header=channel_header, signature_header=signature_header)
        data = self._transaction(channel_header, signature_header)
        if self.headerless:
            return Payload(data=data).SerializeToString()
        return Payload(header=header, data=data).SerializeToString()

    def _channel_header(self, creator: bytes) -> bytes:
        if self.channel_header is not None:
            return self.channel_header
        extension = ChaincodeHeaderExtension(chaincode_id=ChaincodeID(name=self.chaincode))
        header = ChannelHeader(
            type=self.header_type,
            timestamp=self.timestamp,
            channel_id=self.channel_id,
            tx_id=compute_tx_id(self.nonce, creator) if self.tx_id is None else self.tx_id,
            epoch=self.epoch,
            extension=extension.SerializeToString(),
        )
        if self.header_extension is not None:
            header.extension = self.header_extension
        return header.SerializeToString()

    def _transaction(self, channel_header: bytes, signature_header: bytes) -> bytes:
        if self.data is not None:
            return self.data
        spec = ChaincodeSpec(
            type=ChaincodeSpec.GOLANG,
            chaincode_id=ChaincodeID(name=self.chaincode),
            input=ChaincodeInput(args=self.args),
        )
        proposal = ChaincodeProposalPayload(
            input=ChaincodeInvocationSpec(chaincode_spec=spec).SerializeToString()
        ).SerializeToString()
        action_header = signature_header if self.action_header is None else self.action_header
        honest_hash = sha256(channel_header, action_header, proposal)
        response = ProposalResponsePayload(
            proposal_hash=honest_hash if self.proposal_hash is None else self.proposal_hash,
            extension=self._action() if self.action is None else self.action,
        ).SerializeToString()
        if self.response_payload is not None:
            response = self.response_payload
        endorsed = ChaincodeEndorsedAction(
            proposal_response_payload=response, endorsements=self._endorsements(response)
        )
        payload = ChaincodeActionPayload(chaincode_proposal_payload=proposal, action=endorsed)
        content = payload.SerializeToString()
        if self.action_payload is not None:
            content = self.action_payload
        action = TransactionAction(header=action_header, payload=content)
        return Transaction(actions=[action] * self.actions).SerializeToString()

    def _action(self) -> bytes:
        called = ChaincodeID(name=self.chaincode, version=self.version)
        return ChaincodeAction(
            results=self.results,
            events=self.events,
            response=self.response,
            chaincode_id=self.called if self.called is not None else called,
        ).SerializeToString()

    def _endorsements(self, response: bytes) -> Sequence[Endorsement]:
        if self.endorsements is not None:
            return self.endorsements
        signed = response if self.endorsement_payload is None else self.endorsement_payload
        return [sign_endorsement(endorser, signed) for endorser in self.endorsers]
