"""Proposals: unpacking what a client sent, building what a client sends (fabric-wire.md §4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

from treadle_fabric.wire.envelopes import SignerLike, build_signature_header, timestamp_now
from treadle_fabric.wire.hashing import sha256
from treadle_fabric.wire.messages import WireError, parse, serialize
from treadle_fabric.wire.txid import compute_tx_id


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedProposal:
    """A signed proposal with every layer raw and parsed.

    ``raw`` are the signed proposal bytes, ``signature`` the client's signature over them; the
    other ``*_bytes`` are the received bytes of that layer, used for hashing and re-use (trap 29).
    """

    raw: bytes
    signature: bytes
    header_bytes: bytes
    channel_header_bytes: bytes
    signature_header_bytes: bytes
    payload_bytes: bytes
    channel_header: ChannelHeader
    signature_header: SignatureHeader
    extension: ChaincodeHeaderExtension
    payload: ChaincodeProposalPayload
    spec: ChaincodeSpec
    input: ChaincodeInput

    @property
    def channel_id(self) -> str:
        """The channel, ``""`` for proposals to the peer itself."""
        return self.channel_header.channel_id

    @property
    def tx_id(self) -> str:
        """The transaction id the client claims; the endorser checks it."""
        return self.channel_header.tx_id

    @property
    def chaincode_name(self) -> str:
        """The name the peer routes on: the header extension's."""
        return self.extension.chaincode_id.name

    @property
    def creator(self) -> bytes:
        """The client's serialised identity."""
        return self.signature_header.creator

    @property
    def nonce(self) -> bytes:
        """The client's nonce."""
        return self.signature_header.nonce

    @property
    def hash(self) -> bytes:
        """The proposal hash that endorsement and validation compare."""
        return proposal_hash(
            self.channel_header_bytes, self.signature_header_bytes, self.payload_bytes
        )


@dataclass(frozen=True, slots=True)
class BuiltProposal:
    """A proposal ready to be sent: ``signed`` goes to Endorser.ProcessProposal."""

    proposal_bytes: bytes
    tx_id: str
    signed: SignedProposal


def unpack_proposal(signed: SignedProposal) -> UnpackedProposal:
    """Take *signed* apart; raises WireError with Fabric 2.5's text (§4.2 row 1).

    Nothing but the shape is checked: header type, tx id and signature are the endorser's business.
    """
    proposal = parse(Proposal, signed.proposal_bytes)
    header = parse(Header, proposal.header)
    channel_header = parse(ChannelHeader, header.channel_header)
    signature_header = parse(SignatureHeader, header.signature_header)
    extension = _header_extension(channel_header.extension)
    payload = parse(ChaincodeProposalPayload, proposal.payload)
    spec = _chaincode_spec(payload.input)
    return UnpackedProposal(
        raw=signed.proposal_bytes,
        signature=signed.signature,
        header_bytes=proposal.header,
        channel_header_bytes=header.channel_header,
        signature_header_bytes=header.signature_header,
        payload_bytes=proposal.payload,
        channel_header=channel_header,
        signature_header=signature_header,
        extension=extension,
        payload=payload,
        spec=spec,
        input=spec.input,
    )


def _header_extension(data: bytes) -> ChaincodeHeaderExtension:
    extension = parse(ChaincodeHeaderExtension, data)
    if not extension.HasField("chaincode_id"):
        raise WireError("ChaincodeHeaderExtension.ChaincodeId is nil")
    if not extension.chaincode_id.name:
        raise WireError("ChaincodeHeaderExtension.ChaincodeId.Name is empty")
    return extension


def _chaincode_spec(data: bytes) -> ChaincodeSpec:
    invocation = parse(ChaincodeInvocationSpec, data)
    if not invocation.HasField("chaincode_spec"):
        raise WireError("chaincode invocation spec did not contain chaincode spec")
    if not invocation.chaincode_spec.HasField("input"):
        raise WireError("chaincode input did not contain any input")
    return invocation.chaincode_spec


def proposal_hash(
    channel_header_bytes: bytes, signature_header_bytes: bytes, payload_bytes: bytes
) -> bytes:
    """SHA-256 over both raw headers and the payload as it enters the transaction.

    *payload_bytes* is a marshalled ChaincodeProposalPayload, with or without a transient map.
    """
    visible = payload_for_transaction(payload_bytes)
    return sha256(channel_header_bytes, signature_header_bytes, visible)


def payload_for_transaction(payload_bytes: bytes) -> bytes:
    """The marshalled ChaincodeProposalPayload with ``input`` only (trap 30)."""
    payload = parse(ChaincodeProposalPayload, payload_bytes)
    return serialize(ChaincodeProposalPayload(input=payload.input))


def build_proposal(
    *,
    signer: SignerLike,
    channel_id: str,
    chaincode_name: str,
    args: Sequence[bytes],
    transient: Mapping[str, bytes] | None = None,
    header_type: HeaderType.ValueType = HeaderType.ENDORSER_TRANSACTION,
    is_init: bool = False,
    chaincode_version: str = "",
    chaincode_type: ChaincodeSpec.Type.ValueType = ChaincodeSpec.GOLANG,
    tls_cert_hash: bytes = b"",
) -> BuiltProposal:
    """A signed proposal to call *chaincode_name* on *channel_id* with *args*."""
    chaincode_id = ChaincodeID(name=chaincode_name, version=chaincode_version)
    signature_header = build_signature_header(signer)
    tx_id = compute_tx_id(signature_header.nonce, signature_header.creator)
    channel_header = ChannelHeader(
        type=header_type,
        timestamp=timestamp_now(),
        channel_id=channel_id,
        tx_id=tx_id,
        extension=serialize(ChaincodeHeaderExtension(chaincode_id=chaincode_id)),
        tls_cert_hash=tls_cert_hash,
    )
    spec = ChaincodeSpec(
        type=chaincode_type,
        chaincode_id=chaincode_id,
        input=ChaincodeInput(args=args, is_init=is_init),
    )
    proposal_bytes = _proposal_bytes(channel_header, signature_header, spec, transient or {})
    signed = SignedProposal(proposal_bytes=proposal_bytes, signature=signer.sign(proposal_bytes))
    return BuiltProposal(proposal_bytes=proposal_bytes, tx_id=tx_id, signed=signed)


def _proposal_bytes(
    channel_header: ChannelHeader,
    signature_header: SignatureHeader,
    spec: ChaincodeSpec,
    transient: Mapping[str, bytes],
) -> bytes:
    header = Header(
        channel_header=serialize(channel_header), signature_header=serialize(signature_header)
    )
    payload = ChaincodeProposalPayload(
        input=serialize(ChaincodeInvocationSpec(chaincode_spec=spec)), TransientMap=transient
    )
    return serialize(Proposal(header=serialize(header), payload=serialize(payload)))
