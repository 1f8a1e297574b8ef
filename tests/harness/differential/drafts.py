"""Proposals whose every part a conversation may choose, and whose bytes are the same each time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fabric_protos.common.common_pb2 import ChannelHeader, Header, HeaderType, SignatureHeader
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from google.protobuf.timestamp_pb2 import Timestamp
from harness.differential.material import FixedSigner
from treadle_fabric.wire import BuiltProposal, compute_tx_id, serialize, sha256

_MORNING = 1_767_225_600  # 2026-01-01T00:00:00Z


@dataclass(slots=True, kw_only=True)
class Draft:
    """A proposal; ``None`` means what an honest client would send.

    ``seed`` decides nonce and time: equal seeds give equal bytes.
    """

    seed: str
    signer: FixedSigner
    channel_id: str
    chaincode: str
    args: Sequence[bytes] = ()
    transient: Mapping[str, bytes] = field(default_factory=dict)
    is_init: bool = False
    header_type: int = HeaderType.ENDORSER_TRANSACTION
    version: int = 0
    epoch: int = 0
    tx_id: str | None = None
    nonce: bytes | None = None
    creator: bytes | None = None
    tls_cert_hash: bytes = b""
    seconds: int | None = None
    extension: bytes | None = None
    channel_header: bytes | None = None
    signature_header: bytes | None = None
    header: bytes | None = None
    input: bytes | None = None
    payload: bytes | None = None
    proposal: bytes | None = None
    signature: bytes | None = None

    def build(self) -> BuiltProposal:
        """The signed proposal."""
        nonce = self._nonce() if self.nonce is None else self.nonce
        creator = self.signer.serialize() if self.creator is None else self.creator
        tx_id = compute_tx_id(nonce, creator) if self.tx_id is None else self.tx_id
        header = Header(
            channel_header=_or(self.channel_header, self._channel_header(tx_id)),
            signature_header=_or(
                self.signature_header, SignatureHeader(creator=creator, nonce=nonce)
            ),
        )
        whole = Proposal(
            header=_or(self.header, header), payload=_or(self.payload, self._payload())
        )
        raw = _or(self.proposal, whole)
        signature = self.signer.sign(raw) if self.signature is None else self.signature
        signed = SignedProposal(proposal_bytes=raw, signature=signature)
        return BuiltProposal(proposal_bytes=raw, tx_id=tx_id, signed=signed)

    def _nonce(self) -> bytes:
        return sha256(b"nonce", self.seed.encode())[:24]

    def _channel_header(self, tx_id: str) -> ChannelHeader:
        moment = int.from_bytes(sha256(b"time", self.seed.encode())[:3], "big")
        extension = ChaincodeHeaderExtension(chaincode_id=ChaincodeID(name=self.chaincode))
        header = ChannelHeader(
            version=self.version,
            timestamp=Timestamp(
                seconds=_MORNING + moment if self.seconds is None else self.seconds
            ),
            channel_id=self.channel_id,
            tx_id=tx_id,
            epoch=self.epoch,
            extension=_or(self.extension, extension),
            tls_cert_hash=self.tls_cert_hash,
        )
        header.type = self.header_type
        return header

    def _payload(self) -> ChaincodeProposalPayload:
        spec = ChaincodeSpec(
            type=ChaincodeSpec.GOLANG,
            chaincode_id=ChaincodeID(name=self.chaincode),
            input=ChaincodeInput(args=self.args, is_init=self.is_init),
        )
        content = ChaincodeInvocationSpec(chaincode_spec=spec)
        return ChaincodeProposalPayload(
            input=_or(self.input, content), TransientMap=dict(self.transient)
        )


def _or(given: bytes | None, made: object) -> bytes:
    return serialize(made) if given is None else given  # type: ignore[arg-type]
