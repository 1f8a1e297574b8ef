"""Honest proposals and transactions, and making edited ones consistent again.

A check behind the signature is reached only by a message whose ids, hashes and signatures fit:
after an edit they can be made anew, one by one, as the input wants.
"""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    Payload,
    SignatureHeader,
)
from fabric_protos.peer.proposal_pb2 import Proposal, SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from fabric_protos.peer.transaction_pb2 import (
    ChaincodeActionPayload,
    Transaction,
    TransactionAction,
)
from fuzz.octets import Octets
from fuzz.world import CHANNEL, consortium, signer
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from treadle_fabric.identity import SigningIdentity
from treadle_fabric.wire import build_proposal, compute_tx_id, serialize, sha256, sign_endorsement

NONCE = b"n" * 24
THEN = 1_795_000_000
"""When everything here happens, in seconds since the epoch: in November 2026."""


def signed_proposal(
    chaincode: str, *args: bytes, client: SigningIdentity, channel_id: str = CHANNEL
) -> bytes:
    """A marshalled SignedProposal, the same each time but for the signature."""
    built = build_proposal(
        signer=client, channel_id=channel_id, chaincode_name=chaincode, args=args
    )
    proposal = Proposal.FromString(built.proposal_bytes)
    header = Header.FromString(proposal.header)
    channel = ChannelHeader.FromString(header.channel_header)
    channel.timestamp.CopyFrom(Timestamp(seconds=THEN))
    header.channel_header = serialize(channel)
    creator = SignatureHeader(creator=client.serialize(), nonce=NONCE)
    header.signature_header = serialize(creator)
    proposal.header = serialize(header)
    return refit_proposal(serialize(SignedProposal(proposal_bytes=serialize(proposal))))


def refit_proposal(raw: bytes, *, sign: bool = True) -> bytes:
    """*raw* with the right transaction id, signed by its creator, as far as it can be read."""
    try:
        signed = SignedProposal.FromString(raw)
        proposal = Proposal.FromString(signed.proposal_bytes)
        header = Header.FromString(proposal.header)
        channel = ChannelHeader.FromString(header.channel_header)
        creator = SignatureHeader.FromString(header.signature_header)
    except DecodeError:
        return raw
    channel.tx_id = compute_tx_id(creator.nonce, creator.creator)
    header.channel_header = serialize(channel)
    proposal.header = serialize(header)
    signed.proposal_bytes = serialize(proposal)
    client = signer(creator.creator)
    if sign and client is not None:
        signed.signature = client.sign(signed.proposal_bytes)
    return serialize(signed)


@dataclass(frozen=True, slots=True)
class Refit:
    """What of a transaction is made right again."""

    tx_id: bool
    proposal_hash: bool
    endorsements: bool
    signature: bool

    @classmethod
    def chosen(cls, octets: Octets) -> Refit:
        """As the next byte says; 0 is everything."""
        bits = ~octets.byte()
        return cls(bool(bits & 1), bool(bits & 2), bool(bits & 4), bool(bits & 8))


def refit_transaction(raw: bytes, refit: Refit) -> bytes:
    """An edited envelope made consistent, from the inside out, as far as it can be read."""
    try:
        envelope = Envelope.FromString(raw)
        payload = Payload.FromString(envelope.payload)
        channel = ChannelHeader.FromString(payload.header.channel_header)
        creator = SignatureHeader.FromString(payload.header.signature_header)
    except DecodeError:
        return raw
    if refit.tx_id:
        channel.tx_id = compute_tx_id(creator.nonce, creator.creator)
        payload.header.channel_header = serialize(channel)
    if refit.proposal_hash or refit.endorsements:
        payload.data = _refit_actions(payload, refit)
    envelope.payload = serialize(payload)
    creating = signer(creator.creator)
    if refit.signature and creating is not None:
        envelope.signature = creating.sign(envelope.payload)
    return serialize(envelope)


def _refit_actions(payload: Payload, refit: Refit) -> bytes:
    try:
        transaction = Transaction.FromString(payload.data)
        for action in transaction.actions:
            _refit_action(action, payload.header.channel_header, refit)
    except DecodeError:
        return payload.data
    return serialize(transaction)


def _refit_action(action: TransactionAction, channel_header: bytes, refit: Refit) -> None:
    content = ChaincodeActionPayload.FromString(action.payload)
    response = ProposalResponsePayload.FromString(content.action.proposal_response_payload)
    if refit.proposal_hash:
        visible = content.chaincode_proposal_payload
        response.proposal_hash = sha256(channel_header, action.header, visible)
        content.action.proposal_response_payload = serialize(response)
    if refit.endorsements:
        signed = content.action.proposal_response_payload
        people = {each.serialize(): each for each in (consortium().peer, consortium().peer2)}
        for entry in content.action.endorsements:
            if entry.endorser in people:
                entry.CopyFrom(sign_endorsement(people[entry.endorser], signed))
    action.payload = serialize(content)
