"""``protos.Endorser`` over gRPC."""

from __future__ import annotations

from typing import NoReturn

import grpc
import grpc.aio
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import ProposalResponse

from treadle_peer.endorse import ProposalRefused
from treadle_peer.server.guard import Guard
from treadle_peer.services.endorser import EndorserService

ENDORSER_SERVICE = "protos.Endorser"
INIT_MUST_SUCCEED = ("treadle-init", "must-succeed")
"""Metadata of a call by who wants no definition whose Init answers with a status from 400 on."""

_Context = grpc.aio.ServicerContext[SignedProposal, ProposalResponse]


def endorser_handlers(service: EndorserService, *, guard: Guard) -> grpc.GenericRpcHandler:
    """ProcessProposal; a refused proposal is an RPC error with Fabric's text (trap 9)."""

    async def process(request: SignedProposal, context: _Context) -> ProposalResponse:
        try:
            return await service.process_proposal(
                request,
                patience=context.time_remaining(),
                init_must_succeed=INIT_MUST_SUCCEED in (context.invocation_metadata() or ()),
            )
        except ProposalRefused as refusal:
            await _refuse(context, str(refusal))

    method = grpc.unary_unary_rpc_method_handler(
        guard.unary("ProcessProposal", process),
        request_deserializer=SignedProposal.FromString,
        response_serializer=ProposalResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler(ENDORSER_SERVICE, {"ProcessProposal": method})


async def _refuse(context: _Context, text: str) -> NoReturn:
    await context.abort(grpc.StatusCode.UNKNOWN, text)
    raise AssertionError("abort raises")
