"""Envelopes for the ordering: read, checked against a channel, or made a new channel."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from fabric_protos.common.common_pb2 import Envelope, Status
from fuzz.configuring import refit_update, updates
from fuzz.forging import Refit, refit_transaction
from fuzz.layers import edit_many
from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.validating import CAPABILITIES, honest
from fuzz.world import CHANNEL, consortium, genesis, scratch
from treadle_fabric.channelconfig import OrganizationDefinition
from treadle_fabric.wire import WireError, parse, serialize
from treadle_peer.order import BroadcastRefused, Chain, ChannelTemplate, OrderStore
from treadle_peer.order.creation import block_from_creation
from treadle_peer.order.envelopes import read_submission

RAW = 0xFF
_LEVEL = CAPABILITIES[0]
_STATUS = {Status.BAD_REQUEST, Status.FORBIDDEN, Status.NOT_FOUND, Status.SERVICE_UNAVAILABLE}


@cache
def _chain() -> Chain:
    store = OrderStore(scratch() / "ordering")
    store.append(CHANNEL, 0, serialize(genesis(_LEVEL)))
    return Chain(CHANNEL, store=store, signer=consortium().orderer)


@cache
def _template() -> ChannelTemplate:
    people = consortium()
    organizations = (people.org1, people.org2)
    return ChannelTemplate(
        organizations=tuple(
            OrganizationDefinition(org.msp_id, org.msp_config()) for org in organizations
        ),
        orderer=OrganizationDefinition("OrdererMSP", people.orderer_org.msp_config()),
        addresses=("127.0.0.1:7050",),
        capability=_LEVEL,
    )


@cache
def _honest() -> tuple[bytes, ...]:
    return (*map(serialize, updates(_LEVEL)), *honest(_LEVEL))


def seeds() -> Iterator[bytes]:
    """Everything honest: updates, a creation, transactions; as it is and raw."""
    for number, raw in enumerate(_honest()):
        yield bytes((number, 0))
        yield bytes((number, 0, 1, 1, 1))
        yield bytes((RAW,)) + raw


def one_input(data: bytes) -> None:
    """Accepted, or a BroadcastRefused; the same one again."""
    octets = Octets(data)
    chosen = octets.byte()
    if chosen == RAW:
        raw = octets.rest()
    else:
        refit = Refit.chosen(octets)
        raw = edit_many(Envelope, _honest()[chosen % len(_honest())], octets)
        raw = refit_transaction(refit_update(raw) if refit.endorsements else raw, refit)
    try:
        envelope = parse(Envelope, raw)
    except WireError:
        return
    assert _outcome(envelope) == _outcome(envelope)


def _outcome(envelope: Envelope) -> str:
    try:
        submission = read_submission(envelope)
        assert submission.size == len(envelope.payload) + len(envelope.signature)
        if submission.channel_id == CHANNEL:
            _chain().check(submission)
        elif submission.is_config_update:
            block = block_from_creation(
                submission, template=_template(), signer=consortium().orderer
            )
            assert block.header.number == 0
    except BroadcastRefused as refusal:
        status, text = refusal.status, said(refusal)
    else:
        return "accepted"
    assert status in _STATUS
    return text
