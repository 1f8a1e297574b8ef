"""The Endorser service without its transport: what ProcessProposal answers, and its metrics."""

from __future__ import annotations

import asyncio
import time

from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from treadle_peer.endorse import Endorser, Failure, Fault, ProposalRefused
from treadle_peer.services.metrics import EndorserMetrics

ANSWER_SECONDS = 0.5
"""What an answer needs to reach a client before its deadline."""


class EndorserService:
    """Counts and times what the endorser answers."""

    def __init__(self, endorser: Endorser, metrics: EndorserMetrics) -> None:
        self._endorser = endorser
        self._metrics = metrics

    async def process_proposal(
        self,
        signed: SignedProposal,
        *,
        patience: float | None = None,
        init_must_succeed: bool = False,
    ) -> ProposalResponse:
        """Answer one proposal; raises ProposalRefused where the call fails with a gRPC error.

        *patience* is how many seconds the client still waits. Who cannot wait for the end of a
        launch is told so in time; ``None`` waits for ever. *init_must_succeed* is that of
        ``Endorser.process``.
        """
        self._metrics.proposals_received.inc()
        started = time.monotonic()
        try:
            answer = await self._endorser.process(
                signed, answer_by=_answer_by(patience), init_must_succeed=init_must_succeed
            )
        except ProposalRefused as refusal:
            self._count(refusal.failure)
            raise
        self._count(answer.failure)
        if answer.failure is not None and answer.failure.fault is Fault.UNKNOWN_CHANNEL:
            # Nobody has checked who asks: strangers must not invent names for our metrics.
            return answer.response
        if answer.successful:
            self._metrics.successful_proposals.inc()
        self._metrics.proposal_duration.labels(
            channel=answer.channel_id,
            chaincode=answer.chaincode_name,
            success=str(answer.successful).lower(),
        ).observe(time.monotonic() - started)
        return answer.response

    def _count(self, failure: Failure | None) -> None:
        if failure is None:
            return
        metrics, about = self._metrics, (failure.channel_id, failure.chaincode_name)
        match failure.fault:
            case Fault.INVALID:
                metrics.proposal_validation_failures.inc()
            case Fault.DUPLICATE:
                metrics.duplicate_transaction_failures.labels(*about).inc()
            case Fault.FORBIDDEN:
                metrics.proposal_acl_failures.labels(*about).inc()
            case Fault.SIMULATION:
                metrics.proposal_simulation_failures.labels(*about).inc()
            case Fault.INIT:
                metrics.chaincode_instantiation_failures.labels(*about).inc()
            case Fault.PLUGIN:
                metrics.endorsement_failures.labels(*about, "false").inc()
            case Fault.CHAINCODE_STATUS:
                metrics.endorsement_failures.labels(*about, "true").inc()
            case Fault.UNKNOWN_CHANNEL:
                pass  # Fabric counts it nowhere


def _answer_by(patience: float | None) -> float | None:
    if patience is None:
        return None
    return asyncio.get_running_loop().time() + patience - ANSWER_SECONDS
