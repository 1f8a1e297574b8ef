"""A chaincode calls another one (fabric-wire.md §1.10).

On the caller's own channel the callee joins the caller's simulation; on another channel it gets
one of its own, whose writes are thrown away. That a chaincode may not come back to itself is
seen by the executor, which knows the contexts of running transactions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fabric_protos.peer.chaincode_pb2 import ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from treadle_fabric.wire import UnpackedProposal, WireError, unpack_proposal

from treadle_peer.channels import Channels
from treadle_peer.endorse.acl import CHAINCODE_TO_CHAINCODE, AccessControl, signed_data
from treadle_peer.endorse.definitions import DefinitionError, Definitions
from treadle_peer.endorse.errors import AccessDenied
from treadle_peer.endorse.runner import Context, Runner, check_init
from treadle_peer.execution import Call, ExecutionError


@dataclass(frozen=True, slots=True)
class _Target:
    """What ``name[:version][/channel]`` means; the version never counted."""

    name: str
    channel_id: str

    @classmethod
    def parse(cls, text: str, own_channel: str) -> _Target:
        rest, _, channel_id = text.partition("/")
        return cls(rest.partition(":")[0], channel_id or own_channel)


class CrossChaincodeInvoker:
    """Implements ChaincodeInvoker."""

    def __init__(
        self,
        *,
        channels: Channels,
        acl: AccessControl,
        definitions: Definitions,
        runner: Runner,
    ) -> None:
        self._channels = channels
        self._acl = acl
        self._definitions = definitions
        self._runner = runner

    async def invoke(self, caller: Call, spec: ChaincodeSpec) -> ChaincodeMessage:
        """See ChaincodeInvoker."""
        target = _Target.parse(spec.chaincode_id.name, caller.channel_id)
        try:
            proposal = unpack_proposal(caller.signed_proposal)
        except WireError as error:
            raise ExecutionError(str(error)) from error
        self._check_access(target, proposal)
        async with self._context(caller, target, proposal) as context:
            return await self._run(target, spec, context)

    def _check_access(self, target: _Target, proposal: UnpackedProposal) -> None:
        """System chaincodes judge for themselves."""
        if self._definitions.is_system(target.name):
            return
        try:
            self._acl.check(CHAINCODE_TO_CHAINCODE, target.channel_id, signed_data(proposal))
        except AccessDenied as error:
            raise ExecutionError(str(error)) from error

    @asynccontextmanager
    async def _context(
        self, caller: Call, target: _Target, proposal: UnpackedProposal
    ) -> AsyncIterator[Context]:
        if target.channel_id == caller.channel_id:
            yield Context(
                channel_id=caller.channel_id,
                tx_id=caller.tx_id,
                signed=caller.signed_proposal,
                proposal=proposal,
                simulator=caller.simulator,
                history=caller.history,
                answer_by=caller.answer_by,
            )
            return
        channel = self._channels.get(target.channel_id)
        if channel is None:
            raise ExecutionError(f"failed to find ledger for channel: {target.channel_id}")
        with channel.ledger.simulator(caller.tx_id) as simulator:
            yield Context(
                channel_id=target.channel_id,
                tx_id=caller.tx_id,
                signed=caller.signed_proposal,
                proposal=proposal,
                simulator=simulator,
                history=channel.ledger.history_reader(),
                answer_by=caller.answer_by,
            )

    async def _run(
        self, target: _Target, spec: ChaincodeSpec, context: Context
    ) -> ChaincodeMessage:
        try:
            chaincode = self._definitions.resolve(
                target.name, context.channel_id, context.simulator
            )
            check_init(chaincode, spec.input)
        except DefinitionError as error:
            raise ExecutionError(
                f"execute failed: invalid invocation: [channel {context.channel_id}] "
                f"failed to get chaincode container info for {target.name}: {error}"
            ) from error
        except ExecutionError as error:
            raise ExecutionError(f"execute failed: invalid invocation: {error}") from error
        try:
            return await self._runner.final_message(chaincode, spec.input, context)
        except ExecutionError as error:
            raise ExecutionError(f"execute failed: {error}") from error
