"""The endorser: from a signed proposal to the peer's answer (fabric-wire.md §4).

Checks, resolves, simulates, endorses. Knows no transport: ``services.endorser`` wraps it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fabric_protos.peer.chaincode_pb2 import ChaincodeDeploymentSpec
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import (
    ChaincodeInterest,
    Endorsement,
    ProposalResponse,
)
from treadle_fabric.identity import Signer
from treadle_fabric.msp import MSPManager
from treadle_fabric.wire import (
    UnpackedProposal,
    WireError,
    parse,
    sign_endorsement,
)

from treadle_peer.channels import Channel, Channels
from treadle_peer.endorse.acl import PROPOSE, AccessControl, signed_data
from treadle_peer.endorse.checks import check_not_expired, check_proposal, unpack_checked
from treadle_peer.endorse.definitions import DefinitionError, Definitions, Resolved
from treadle_peer.endorse.errors import (
    AccessDenied,
    EndorsementError,
    Failure,
    Fault,
    ProposalRefused,
)
from treadle_peer.endorse.interest import chaincode_interest
from treadle_peer.endorse.response import ERROR, ERROR_THRESHOLD, Simulated, compose, failure
from treadle_peer.endorse.runner import Context, Runner, check_init
from treadle_peer.execution import CallKind, ExecutionError, Outcome
from treadle_peer.ledger import LedgerError

_log = logging.getLogger(__name__)

# These two never touch state, so they get no simulator and their results stay empty.
_WITHOUT_SIMULATOR = frozenset(("qscc", "cscc"))
_DEPLOYMENTS = (b"deploy", b"upgrade")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, what it was about, and what failed."""

    channel_id: str
    chaincode_name: str
    response: ProposalResponse
    failure: Failure | None

    @property
    def successful(self) -> bool:
        """As Fabric counts: endorsed, or answered without a channel."""
        return self.response.HasField("endorsement") or not self.channel_id


class Endorser:
    """Answers proposals; ``local_msps`` holds the peer's own MSP alone."""

    def __init__(
        self,
        *,
        channels: Channels,
        local_msps: MSPManager,
        signer: Signer,
        acl: AccessControl,
        definitions: Definitions,
        runner: Runner,
    ) -> None:
        self._channels = channels
        self._local_msps = local_msps
        self._signer = signer
        self._acl = acl
        self._definitions = definitions
        self._runner = runner

    async def process(
        self,
        signed: SignedProposal,
        *,
        answer_by: float | None = None,
        init_must_succeed: bool = False,
    ) -> Answer:
        """The peer's answer; raises ProposalRefused where Fabric answers with a gRPC error.

        *answer_by* is that of ``Call``. Fabric defines a chaincode whatever Init answers; with
        *init_must_succeed* an answer that says failure is one.
        """
        check_not_expired(signed, datetime.now(UTC))
        proposal = unpack_checked(signed)
        channel = self._channels.get(proposal.channel_id)
        if proposal.channel_id and channel is None:
            text = f"channel '{proposal.channel_id}' not found"
            return _answer(proposal, failure(text), Failure(Fault.UNKNOWN_CHANNEL))
        self._check(proposal, channel)
        try:
            with _context(signed, proposal, channel, answer_by) as context:
                asked = replace(context, init_must_succeed=init_must_succeed)
                response = await self._respond(asked)
            return _answer(proposal, response, _status_failure(proposal, response))
        except EndorsementError as error:
            _log.warning(
                "[%s][%s] chaincode %s: %s",
                proposal.channel_id,
                proposal.tx_id[:8],
                proposal.chaincode_name,
                error,
            )
            return _answer(proposal, failure(str(error)), error.failure)

    def _check(self, proposal: UnpackedProposal, channel: Channel | None) -> None:
        check_proposal(proposal, channel.bundle.msps if channel else self._local_msps)
        if channel is None:
            return
        if channel.ledger.has_transaction(proposal.tx_id):
            raise ProposalRefused(
                f"duplicate transaction found [{proposal.tx_id}]. "
                f"Creator [{proposal.creator.hex()}]",
                _failure(Fault.DUPLICATE, proposal),
            )
        if self._definitions.is_system(proposal.chaincode_name):
            return
        try:
            self._acl.check(PROPOSE, proposal.channel_id, signed_data(proposal))
        except AccessDenied as error:
            raise ProposalRefused(str(error), _failure(Fault.FORBIDDEN, proposal)) from error

    async def _respond(self, context: Context) -> ProposalResponse:
        proposal = context.proposal
        chaincode = self._resolve(context)
        try:
            outcome = await self._execute(chaincode, context)
            simulated = self._finish(outcome, context)
        except (ExecutionError, LedgerError, WireError) as error:
            raise EndorsementError(
                f"error in simulation: {error}", _failure(Fault.SIMULATION, proposal)
            ) from error
        return compose(
            simulated,
            proposal_hash=proposal.hash,
            channel_id=context.channel_id,
            chaincode_name=chaincode.name,
            chaincode_version=chaincode.version,
            endorse=lambda payload: self._endorse(chaincode, proposal, payload),
        )

    def _resolve(self, context: Context) -> Resolved:
        name, channel_id = context.proposal.chaincode_name, context.channel_id
        try:
            return self._definitions.resolve(name, channel_id, context.simulator)
        except DefinitionError as error:
            raise EndorsementError(
                f"make sure the chaincode {name} has been successfully defined "
                f"on channel {channel_id} and try again: {error}"
            ) from error

    async def _execute(self, chaincode: Resolved, context: Context) -> Outcome:
        arguments = context.proposal.input
        try:
            check_init(chaincode, arguments)
        except ExecutionError as error:
            raise ExecutionError(
                f"failed to execute transaction {context.tx_id}: invalid invocation: {error}"
            ) from error
        outcome = await self._runner.run(chaincode, arguments, context)
        is_deployment = (
            chaincode.name == "lscc"
            and len(arguments.args) >= 3
            and arguments.args[0] in _DEPLOYMENTS
        )
        if is_deployment and outcome.response.status < ERROR_THRESHOLD:
            await self._initialise(arguments.args[2], context)
        return outcome

    async def _initialise(self, deployment: bytes, context: Context) -> None:
        """Call Init in the same simulation; its event does not count, and its response only for
        who wants it to (§3.6).
        """
        cds = parse(ChaincodeDeploymentSpec, deployment)
        spec = cds.chaincode_spec
        name, version = spec.chaincode_id.name, spec.chaincode_id.version
        if self._definitions.is_system(name):
            raise ExecutionError(
                f"attempting to deploy a system chaincode {name}/{context.channel_id}"
            )
        if cds.code_package:
            raise ExecutionError("lscc upgrade/deploy should not include a code packages")
        chaincode = Resolved(name=name, version=version, ccid=f"{name}:{version}")
        failed = Failure(Fault.INIT, context.channel_id, name)
        try:
            outcome = await self._runner.run(chaincode, spec.input, context, CallKind.INIT)
        except ExecutionError as error:
            raise EndorsementError(f"error in simulation: {error}", failed) from error
        said = outcome.response
        if context.init_must_succeed and said.status >= ERROR_THRESHOLD:
            raise EndorsementError(
                f"error in simulation: Init answered with status {said.status}: {said.message}",
                failed,
            )

    def _finish(self, outcome: Outcome, context: Context) -> Simulated:
        if context.simulator is None:
            results, interest = b"", None
        else:
            results = context.simulator.results()
            interest = self._interest(context.channel_id, results)
        return Simulated(
            response=outcome.response, event=outcome.event, results=results, interest=interest
        )

    def _interest(self, channel_id: str, results: bytes) -> ChaincodeInterest | None:
        """Looked up beside the simulation: a client's hint leaves no trace in the read set."""
        channel = self._channels.get(channel_id)
        if channel is None:
            return None
        with channel.ledger.reader() as reader:
            return chaincode_interest(
                results,
                metadata=reader.get_state_metadata,
                is_system=self._definitions.is_system,
            )

    def _endorse(
        self, chaincode: Resolved, proposal: UnpackedProposal, payload: bytes
    ) -> Endorsement:
        plugin = chaincode.endorsement_plugin
        if plugin != "escc":
            raise EndorsementError(
                f"endorsing with plugin failed: plugin with name {plugin} could not be used: "
                f"plugin with name {plugin} wasn't found",
                _failure(Fault.PLUGIN, proposal),
            )
        return sign_endorsement(self._signer, payload)


def _answer(
    proposal: UnpackedProposal, response: ProposalResponse, failed: Failure | None
) -> Answer:
    return Answer(proposal.channel_id, proposal.chaincode_name, response, failed)


def _failure(fault: Fault, proposal: UnpackedProposal) -> Failure:
    return Failure(fault, proposal.channel_id, proposal.chaincode_name)


def _status_failure(proposal: UnpackedProposal, response: ProposalResponse) -> Failure | None:
    """What Fabric counts about an answer that came; a status from 500 on is not among it."""
    if proposal.channel_id and ERROR_THRESHOLD <= response.response.status < ERROR:
        return _failure(Fault.CHAINCODE_STATUS, proposal)
    return None


@contextmanager
def _context(
    signed: SignedProposal,
    proposal: UnpackedProposal,
    channel: Channel | None,
    answer_by: float | None,
) -> Iterator[Context]:
    bare = Context(
        channel_id=proposal.channel_id,
        tx_id=proposal.tx_id,
        signed=signed,
        proposal=proposal,
        simulator=None,
        history=None,
        answer_by=answer_by,
    )
    if channel is None or proposal.chaincode_name in _WITHOUT_SIMULATOR:
        yield bare
        return
    with channel.ledger.simulator(proposal.tx_id) as simulator:
        yield replace(bare, simulator=simulator, history=channel.ledger.history_reader())
