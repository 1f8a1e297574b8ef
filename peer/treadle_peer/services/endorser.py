"""The Endorser service without its transport: what ProcessProposal answers, and its metrics."""

from __future__ import annotations

import time

from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from treadle_peer.endorse import Endorser
from treadle_peer.services.metrics import EndorserMetrics


class EndorserService:
    """Counts and times what the endorser answers."""

    def __init__(self, endorser: Endorser, metrics: EndorserMetrics) -> None:
        self._endorser = endorser
        self._metrics = metrics

    async def process_proposal(self, signed: SignedProposal) -> ProposalResponse:
        """Answer one proposal; raises ProposalRefused where the call fails with a gRPC error."""
        self._metrics.proposals_received.inc()
        started = time.monotonic()
        answer = await self._endorser.process(signed)
        if answer.successful:
            self._metrics.successful_proposals.inc()
        self._metrics.proposal_duration.labels(
            channel=answer.channel_id,
            chaincode=answer.chaincode_name,
            success=str(answer.successful).lower(),
        ).observe(time.monotonic() - started)
        return answer.response
