"""Running a resolved chaincode: inside the peer, or on its process.

Shared by the endorser (a client's proposal) and by chaincodes that call others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_pb2 import SignedProposal
from fabric_protos.peer.proposal_response_pb2 import Response
from treadle_fabric.wire import UnpackedProposal, serialize

from treadle_peer.channels import Channels
from treadle_peer.endorse.definitions import Resolved
from treadle_peer.endorse.scc import SystemCall, SystemChaincode, SystemChaincodeError
from treadle_peer.execution import Call, CallKind, ChaincodeExecutor, ExecutionError, Outcome
from treadle_peer.ledger import HistoryReader, SimulationError, Simulator


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One transaction on one channel. Simulator and history are ``None`` without a channel, and
    for system chaincodes that touch no state. ``answer_by`` is that of ``Call``, and
    ``init_must_succeed`` that of ``Endorser.process``."""

    channel_id: str
    tx_id: str
    signed: SignedProposal
    proposal: UnpackedProposal
    simulator: Simulator | None
    history: HistoryReader | None
    answer_by: float | None
    init_must_succeed: bool = False


class Runner:
    """Runs system chaincodes itself and hands all others to the executor."""

    def __init__(
        self,
        *,
        channels: Channels,
        system: Mapping[str, SystemChaincode],
        executor: ChaincodeExecutor,
    ) -> None:
        self._channels = channels
        self._system = system
        self._executor = executor

    async def run(
        self,
        chaincode: Resolved,
        arguments: ChaincodeInput,
        context: Context,
        kind: CallKind = CallKind.INVOKE,
    ) -> Outcome:
        """The chaincode's answer, whatever its status; raises ExecutionError."""
        plain = _plain(arguments)
        if chaincode.is_system:
            return await self._run_system(chaincode.name, plain, context)
        return await self._executor.execute(self._call(chaincode, plain, context, kind))

    async def final_message(
        self, chaincode: Resolved, arguments: ChaincodeInput, context: Context
    ) -> ChaincodeMessage:
        """What another chaincode gets that calls this one: the last message, as it was said.

        Raises ExecutionError when the chaincode could not be run.
        """
        plain = _plain(arguments)
        if chaincode.is_system:
            return _completed(context, await self._run_system(chaincode.name, plain, context))
        call = self._call(chaincode, plain, context, CallKind.INVOKE)
        return await self._executor.run(call)

    async def _run_system(self, name: str, arguments: ChaincodeInput, context: Context) -> Outcome:
        call = SystemCall(
            args=arguments.args,
            channel_id=context.channel_id,
            proposal=context.proposal,
            simulator=context.simulator,
        )
        try:
            return await _answer(self._system[name], call)
        except UnicodeEncodeError as error:
            # Fabric's own chaincodes speak through a shim, which cannot say this either.
            raise ExecutionError(
                "transaction returned with failure: failed to marshal response: "
                "string field contains invalid UTF-8"
            ) from error

    def _call(
        self, chaincode: Resolved, arguments: ChaincodeInput, context: Context, kind: CallKind
    ) -> Call:
        channel = self._channels.get(context.channel_id)
        if channel is None:
            raise ExecutionError(f"Channel does not exist: {context.channel_id}")
        capabilities = channel.bundle.application.capabilities
        return Call(
            kind=kind,
            channel_id=context.channel_id,
            tx_id=context.tx_id,
            chaincode_name=chaincode.name,
            ccid=chaincode.ccid,
            input=arguments,
            signed_proposal=context.signed,
            simulator=context.simulator,
            history=context.history,
            key_level_endorsement=capabilities.key_level_endorsement,
            purge_private_data=capabilities.purge_private_data,
            answer_by=context.answer_by,
        )


def _plain(arguments: ChaincodeInput) -> ChaincodeInput:
    plain = ChaincodeInput()
    plain.CopyFrom(arguments)  # with the fields that only client and chaincode know
    # Decorations are for the peer's plugins to set, not for clients.
    plain.ClearField("decorations")
    return plain


def _completed(context: Context, outcome: Outcome) -> ChaincodeMessage:
    return ChaincodeMessage(
        type=ChaincodeMessage.COMPLETED,
        payload=serialize(outcome.response),
        txid=context.tx_id,
        channel_id=context.channel_id,
        chaincode_event=outcome.event,
    )


async def _answer(chaincode: SystemChaincode, call: SystemCall) -> Outcome:
    try:
        outcome = await chaincode.invoke(call)
    except (SystemChaincodeError, SimulationError) as error:
        return Outcome(response=Response(status=500, message=str(error)), event=None)
    return Outcome(response=outcome.response(), event=outcome.event)


def check_init(chaincode: Resolved, arguments: ChaincodeInput) -> None:
    """Legacy and system chaincodes are never *called* as init; raises ExecutionError."""
    if arguments.is_init:
        raise ExecutionError(
            f"chaincode '{chaincode.name}' does not require initialization but called as init"
        )
