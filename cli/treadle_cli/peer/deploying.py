"""``peer chaincode instantiate`` and ``upgrade``."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse
from treadle_fabric.client import (
    ClientError,
    Deployment,
    OrdererConnection,
    PeerConnection,
    deployment_args,
)
from treadle_fabric.packages import PackageFormatError, language_number
from treadle_fabric.wire import (
    BuiltProposal,
    WireError,
    assemble_transaction,
    build_proposal,
    sign_envelope,
)

from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.inputs import parse_constructor, parse_endorsement_policy, read_collections
from treadle_cli.peer.invoking import PATIENCE
from treadle_cli.peer.session import Session
from treadle_cli.peer.targets import TargetFlags, endpoints, open_broadcast, open_peers

_LSCC_FUNCTIONS = {"instantiate": "deploy", "upgrade": "upgrade"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What the user wants deployed, as typed."""

    name: str
    version: str
    channel: str
    constructor: str
    language: str = "golang"
    path: str = ""
    policy: str = ""
    escc: str = ""
    vscc: str = ""
    collections: str = ""
    targets: TargetFlags = field(default_factory=TargetFlags)


async def deploy(session: Session, request: DeployRequest, *, command: str) -> None:
    """Run *command* (``instantiate`` or ``upgrade``) up to the orderer's acceptance."""
    async with AsyncExitStack() as stack:
        found = endpoints(session, request.targets, command=command, channel=request.channel)
        peers = await open_peers(stack, session, found, command=command)
        orderer = await open_broadcast(stack, session, channel=request.channel, peer=peers[0])
        deployment = _deployment(session, request, command=command)
        proposal = build_proposal(
            signer=session.signer,
            channel_id=request.channel,
            chaincode_name="lscc",
            args=deployment_args(_LSCC_FUNCTIONS[command], request.channel, deployment),
            tls_cert_hash=peers[0].endpoint.tls_cert_hash,
        )
        response = await _endorsed(peers[0], proposal)
        await _order(session, proposal, response, orderer)


async def _endorsed(peer: PeerConnection, proposal: BuiltProposal) -> ProposalResponse:
    try:
        return await peer.endorse(proposal.signed, within=PATIENCE)
    except ClientError as error:
        raise CommandError(f"error endorsing chaincode: {error}") from None


async def _order(
    session: Session,
    proposal: BuiltProposal,
    response: ProposalResponse,
    orderer: OrdererConnection,
) -> None:
    try:
        payload = assemble_transaction(proposal=proposal.proposal_bytes, responses=[response])
    except WireError as error:
        raise CommandError(f"could not assemble transaction, err {error}") from None
    try:
        await orderer.broadcast(sign_envelope(session.signer, payload), within=PATIENCE)
    except ClientError as error:
        raise CommandError(str(error)) from None


def _deployment(session: Session, request: DeployRequest, *, command: str) -> Deployment:
    require_names(request.name, request.version, command=command)
    escc, vscc = report_plugins(session, escc=request.escc, vscc=request.vscc)
    return Deployment(
        name=request.name,
        version=request.version,
        path=request.path,
        policy=parse_endorsement_policy(request.policy),
        collections=read_collections(request.collections),
        args=parse_constructor(request.constructor),
        language_type=spec_type(request.language),
        escc=escc,
        vscc=vscc,
    )


def require_names(name: str, version: str, *, command: str) -> None:
    """Raise CommandError when the chaincode's name or version is missing."""
    if not name:
        raise CommandError("must supply value for chaincode name parameter", usage=True)
    if not version:
        raise CommandError(f"chaincode version is not provided for {command}", usage=True)


def report_plugins(session: Session, *, escc: str = "", vscc: str = "") -> tuple[str, str]:
    """The endorsement and validation plugins with their defaults, and the usual log lines."""
    function = "checkChaincodeCmdParams"
    for kind, given in (("escc", escc), ("vscc", vscc)):
        text = f"Using {kind} {given}" if given else f"Using default {kind}"
        session.log.info("chaincodeCmd", function, text)
    return escc or "escc", vscc or "vscc"


def spec_type(language: str) -> int:
    """The type number of ``-l``; Fabric turns an unknown language into UNDEFINED."""
    try:
        return language_number(language)
    except PackageFormatError:
        return ChaincodeSpec.UNDEFINED
