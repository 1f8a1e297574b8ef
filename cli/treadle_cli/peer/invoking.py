"""``peer chaincode invoke`` and ``query``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import Enum

import click
from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse, ProposalResponsePayload
from treadle_fabric.client import (
    ClientError,
    CommitWatch,
    DeadlinePassed,
    OrdererConnection,
    PeerConnection,
    validation_code_name,
)
from treadle_fabric.wire import (
    BuiltProposal,
    WireError,
    assemble_transaction,
    build_proposal,
    parse,
    sign_envelope,
)

from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.gotext import go_text
from treadle_cli.peer.inputs import parse_constructor, parse_transient
from treadle_cli.peer.session import Session
from treadle_cli.peer.targets import TargetFlags, endpoints, open_broadcast, open_peers

_ERROR_THRESHOLD = 400
# Fabric's command waits without end. A debugger may hold a chaincode for long, but not for ever.
PATIENCE = 3600.0


class Form(Enum):
    """How query prints the payload."""

    TEXT = "text"
    RAW = "raw"
    HEX = "hex"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRequest:
    """What the user wants called, as typed; ``wait_seconds`` None does not wait for the commit."""

    name: str
    channel: str
    constructor: str
    transient: str = ""
    is_init: bool = False
    wait_seconds: float | None = None
    targets: TargetFlags = field(default_factory=TargetFlags)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A proposal and the peers' answers to it."""

    proposal: BuiltProposal
    responses: tuple[ProposalResponse, ...]

    @property
    def first(self) -> ProposalResponse:
        return self.responses[0]


async def invoke(session: Session, request: CallRequest) -> None:
    """Endorse, order, optionally wait; raises CommandError."""
    async with AsyncExitStack() as stack:
        found = endpoints(session, request.targets, command="invoke", channel=request.channel)
        peers = await open_peers(stack, session, found, command="invoke")
        orderer = await open_broadcast(stack, session, channel=request.channel, peer=peers[0])
        sent = await _send(session, request, peers, verb="invoke")
        if sent.first.response.status < _ERROR_THRESHOLD:
            await _order(session, request, sent, peers=peers, orderer=orderer)
    _report_invoke(session, sent.first)


async def query(session: Session, request: CallRequest, *, form: Form) -> None:
    """Ask one peer and print its answer; raises CommandError."""
    async with AsyncExitStack() as stack:
        found = endpoints(session, request.targets, command="query", channel=request.channel)
        peers = await open_peers(stack, session, found, command="query")
        sent = await _send(session, request, peers, verb="query")
    _require_endorsement(sent.first, verb="query")
    click.echo(printable(sent.first.response.payload, form))


def printable(payload: bytes, form: Form) -> bytes:
    """What query prints for *payload*."""
    if form is Form.HEX:
        return payload.hex().encode()
    if form is Form.RAW:
        return f"[{' '.join(str(byte) for byte in payload)}]".encode()
    return payload


async def _send(
    session: Session, request: CallRequest, peers: Sequence[PeerConnection], *, verb: str
) -> _Sent:
    args = call_arguments(request)
    try:
        transient = parse_transient(request.transient)
    except CommandError as error:
        raise _with_response(error, None) from None
    proposal = _proposal(session, request, args=args, transient=transient, peer=peers[0])
    try:
        answers = await asyncio.gather(
            *(peer.endorse(proposal.signed, within=PATIENCE) for peer in peers)
        )
    except ClientError as error:
        raise _with_response(f"error endorsing {verb}: {error}", None) from None
    return _Sent(proposal, tuple(answers))


def call_arguments(request: CallRequest) -> tuple[bytes, ...]:
    """The arguments of ``-c``; raises CommandError, also when the chaincode's name is missing."""
    if not request.name:
        raise CommandError("must supply value for chaincode name parameter", usage=True)
    return parse_constructor(request.constructor)


def _proposal(
    session: Session,
    request: CallRequest,
    *,
    args: Sequence[bytes],
    transient: Mapping[str, bytes],
    peer: PeerConnection,
) -> BuiltProposal:
    return build_proposal(
        signer=session.signer,
        channel_id=request.channel,
        chaincode_name=request.name,
        args=args,
        transient=transient,
        is_init=request.is_init,
        chaincode_type=ChaincodeSpec.UNDEFINED,
        tls_cert_hash=peer.endpoint.tls_cert_hash,
    )


async def _order(
    session: Session,
    request: CallRequest,
    sent: _Sent,
    *,
    peers: Sequence[PeerConnection],
    orderer: OrdererConnection,
) -> None:
    try:
        payload = assemble_transaction(
            proposal=sent.proposal.proposal_bytes, responses=sent.responses
        )
    except WireError as error:
        raise _with_response(f"could not assemble transaction: {error}", sent.first) from None
    envelope = sign_envelope(session.signer, payload)
    async with AsyncExitStack() as stack:
        watches = await _watches(stack, session, request, sent, peers)
        try:
            await orderer.broadcast(envelope, within=PATIENCE)
        except ClientError as error:
            text = f"error sending transaction for invoke: {error}"
            raise _with_response(text, sent.first) from None
        await _await_commits(session, watches, within=request.wait_seconds or 0.0)


async def _watches(
    stack: AsyncExitStack,
    session: Session,
    request: CallRequest,
    sent: _Sent,
    peers: Sequence[PeerConnection],
) -> list[CommitWatch]:
    if request.wait_seconds is None:
        return []
    watches = []
    for peer in peers:
        watch = await stack.enter_async_context(CommitWatch(peer=peer, tx_id=sent.proposal.tx_id))
        try:
            await watch.open(
                signer=session.signer, channel_id=request.channel, within=request.wait_seconds
            )
        except DeadlinePassed:
            text = "timed out waiting for connection to deliver on all peers"
            raise _with_response(text, None) from None
        except ClientError as error:
            text = f"failed to connect to deliver on all peers: {error}"
            raise _with_response(text, None) from None
        watches.append(watch)
    return watches


async def _await_commits(
    session: Session, watches: Sequence[CommitWatch], *, within: float
) -> None:
    waits = [watch.commit(within=within) for watch in watches]
    try:
        commits = await asyncio.gather(*waits)
    except DeadlinePassed:
        raise _with_response("timed out waiting for txid on all peers", None) from None
    except ClientError as error:
        raise _with_response(f"error receiving from deliver filtered: {error}", None) from None
    invalid = None
    for commit in commits:
        status = validation_code_name(commit.code)
        text = f"txid [{commit.tx_id}] committed with status ({status}) at {commit.address}"
        session.log.info("chaincodeCmd", "ClientWait", text)
        invalid = invalid if commit.valid else f"transaction invalidated with status ({status})"
    if invalid:
        raise _with_response(invalid, None)


def _report_invoke(session: Session, response: ProposalResponse) -> None:
    try:
        payload = parse(ProposalResponsePayload, response.payload)
        action = parse(ChaincodeAction, payload.extension)
    except WireError as error:
        raise CommandError(f"error while unmarshalling chaincode action: {error}") from None
    _require_endorsement(response, verb="invoke")
    session.log.info(
        "chaincodeCmd",
        "chaincodeInvokeOrQuery",
        f"Chaincode invoke successful. result: {go_text(action.response)}",
    )


def _require_endorsement(response: ProposalResponse, *, verb: str) -> None:
    if not response.HasField("endorsement"):
        raise CommandError(
            f"endorsement failure during {verb}. response: {go_text(response.response)}"
        )


def _with_response(text: object, response: ProposalResponse | None) -> CommandError:
    return CommandError(f"{text} - proposal response: {go_text(response)}")
