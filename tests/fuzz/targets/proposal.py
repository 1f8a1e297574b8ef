"""Signed proposals: taking them apart and all checks before a chaincode is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

from fabric_protos.peer.proposal_pb2 import SignedProposal
from fuzz.forging import THEN, refit_proposal, signed_proposal
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.world import bundle, consortium
from treadle_fabric.wire import WireError, parse, payload_for_transaction
from treadle_peer.endorse.checks import check_not_expired, check_proposal, unpack_checked
from treadle_peer.endorse.errors import ProposalRefused

RAW = 0xFF
_NOW = datetime.fromtimestamp(THEN, UTC)


@cache
def _honest() -> tuple[bytes, ...]:
    people = consortium()
    return (
        signed_proposal("probe", b"invoke", b"a", client=people.client),
        signed_proposal("lscc", b"install", b"\x0a\x00", client=people.admin, channel_id=""),
        signed_proposal("qscc", b"GetChainInfo", b"ch", client=people.client2),
    )


def seeds() -> Iterator[bytes]:
    """The honest ones, as they are and raw; one whose S has more digits than Python prints."""
    for number, raw in enumerate(_honest()):
        yield bytes((number, 0))
        yield bytes((RAW,)) + raw
    endless = SignedProposal.FromString(_honest()[0])
    endless.signature = b"\x30\x82\x07\xd7\x02\x01\x01\x02\x82\x07\xd0" + b"\x7f" * 2000
    yield bytes((RAW,)) + endless.SerializeToString()


def one_input(data: bytes) -> None:
    """Every defect is a ProposalRefused, and the same one again."""
    octets = Octets(data)
    chosen = octets.byte()
    if chosen == RAW:
        raw = octets.rest()
    else:
        refit = octets.byte()
        raw = edit_many(SignedProposal, _honest()[chosen % len(_honest())], octets)
        if refit % 4 < 3:
            raw = refit_proposal(raw, sign=refit % 4 != 1)
    try:
        signed = parse(SignedProposal, raw)
    except WireError:
        return
    assert _outcome(signed) == _outcome(signed)


def _outcome(signed: SignedProposal) -> str:
    try:
        check_not_expired(signed, _NOW)
        proposal = unpack_checked(signed)
        check_proposal(proposal, bundle().msps)
    except ProposalRefused as refusal:
        return said(refusal)
    assert len(proposal.hash) == 32
    visible = payload_for_transaction(proposal.payload_bytes)
    assert payload_for_transaction(visible) == visible
    return "passed"
