"""Is this proposal well formed, fresh, and signed by whom it names? (fabric-wire.md §4.2)

All checks before any chaincode is looked at, in the order and with the texts of Fabric 2.5.
"""

from __future__ import annotations

import logging
from datetime import datetime

from fabric_protos.common.common_pb2 import Header, HeaderType, SignatureHeader
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.proposal_pb2 import Proposal, SignedProposal
from treadle_fabric.identity.certificates import CertificateError, load_certificate
from treadle_fabric.msp import MSPError, MSPManager
from treadle_fabric.wire import (
    UnpackedProposal,
    WireError,
    compute_tx_id,
    header_type_name,
    parse,
    unpack_proposal,
)

from treadle_peer.endorse.errors import Failure, Fault, ProposalRefused

_log = logging.getLogger(__name__)

_TYPES = (HeaderType.ENDORSER_TRANSACTION, HeaderType.CONFIG)


def check_not_expired(signed: SignedProposal, now: datetime) -> None:
    """The filter in front of everything: raise ProposalRefused for an expired certificate.

    A creator without a readable certificate passes; a later check refuses it.
    """
    expiry = _expiry(_creator(signed))
    if expiry is not None and now > expiry:
        raise ProposalRefused("proposal client identity expired")


def unpack_checked(signed: SignedProposal) -> UnpackedProposal:
    """The parts of *signed*; raises ProposalRefused with the bare text of row 1."""
    try:
        return unpack_proposal(signed)
    except WireError as error:
        raise ProposalRefused(str(error), Failure(Fault.INVALID)) from error


def check_proposal(proposal: UnpackedProposal, msps: MSPManager) -> None:
    """Rows 2 to 7; *msps* are the channel's, or the local MSP alone for channel ``""``.

    Raises ProposalRefused with Fabric's prefix.
    """
    reason = _header_defect(proposal) or _signature_defect(proposal, msps)
    if reason:
        raise ProposalRefused(f"error validating proposal: {reason}", Failure(Fault.INVALID))


def _header_defect(proposal: UnpackedProposal) -> str | None:
    header = proposal.channel_header
    if header.type not in _TYPES:
        return f"invalid header type {header_type_name(header.type)}"
    if header.epoch != 0:
        return "epoch is non-zero"
    if not proposal.nonce:
        return "nonce is empty"
    if not proposal.creator:
        return "creator is empty"
    expected = compute_tx_id(proposal.nonce, proposal.creator)
    if proposal.tx_id != expected:
        return f"incorrectly computed txid '{proposal.tx_id}' -- expected '{expected}'"
    return None if proposal.signature else "empty signature bytes"


def _signature_defect(proposal: UnpackedProposal, msps: MSPManager) -> str | None:
    """The cause is logged only: whoever asks must not learn which check failed."""
    channel = proposal.channel_id
    try:
        creator = msps.deserialize(proposal.creator)
    except MSPError as error:
        _log.warning("access denied: channel [%s]: %s", channel, error)
        return f"access denied: channel [{channel}] creator org unknown, creator is malformed"
    try:
        msps.get(creator.msp_id).validate(creator)
        creator.verify(proposal.raw, proposal.signature)
    except MSPError as error:
        _log.warning("access denied: channel [%s] org [%s]: %s", channel, creator.msp_id, error)
        return f"access denied: channel [{channel}] creator org [{creator.msp_id}]"
    return None


def _creator(signed: SignedProposal) -> bytes:
    step = "proposal"
    try:
        proposal = parse(Proposal, signed.proposal_bytes)
        step = "header"
        header = parse(Header, proposal.header)
        step = "signature header"
        return parse(SignatureHeader, header.signature_header).creator
    except WireError as error:
        raise ProposalRefused(f"failed parsing {step}: {error}", Failure(Fault.INVALID)) from error


def _expiry(creator: bytes) -> datetime | None:
    try:
        identity = parse(SerializedIdentity, creator)
        certificate = load_certificate(identity.id_bytes)
    except (WireError, CertificateError):
        return None
    return certificate.not_valid_after_utc
