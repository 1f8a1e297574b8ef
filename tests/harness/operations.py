"""A chaincode whose arguments say what to do, once for a real peer and once for ours.

Each argument after the first is one step: ``get k``, ``put k v``, ``delete k``, ``range a b``,
``policy k MSP``, ``event name payload``, ``call chaincode step``, ``answer status message``,
``fail text``. The payload of the answer joins what was read.
"""

from __future__ import annotations

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import (
    ChaincodeMessage,
    DelState,
    GetState,
    GetStateByRange,
    PutState,
    PutStateMetadata,
    QueryResponse,
    QueryStateNext,
    StateMetadata,
)
from fabric_protos.peer.proposal_response_pb2 import Response
from google.protobuf.message import Message
from harness.real_peer import Shim
from harness.scripted_executor import ScriptedExecutor
from treadle_fabric.policy import signed_by_any_member
from treadle_peer.execution import Call, ExecutionError, Outcome

_PARAMETER = "VALIDATION_PARAMETER"


def _policy(msp_id: str) -> bytes:
    return signed_by_any_member([msp_id]).SerializeToString(deterministic=True)


class _Result:
    """What the steps have built so far."""

    def __init__(self) -> None:
        self.read: list[bytes] = []
        self.status = 200
        self.message = ""
        self.event: ChaincodeEvent | None = None
        self.failure: str | None = None

    def common(self, verb: str, rest: list[str]) -> bool:
        if verb == "event":
            self.event = ChaincodeEvent(event_name=rest[0], payload=rest[1].encode())
        elif verb == "answer":
            self.status, self.message = int(rest[0]), rest[1]
        elif verb == "fail":
            self.failure = rest[0]
        else:
            return False
        return True

    def response(self) -> Response:
        return Response(status=self.status, message=self.message, payload=b"|".join(self.read))


def _steps(arguments: ChaincodeInput) -> list[tuple[str, list[str]]]:
    steps = []
    for argument in arguments.args[1:]:
        verb, *rest = argument.decode().split(" ")
        if verb == "call":
            rest = [rest[0], " ".join(rest[1:])]
        steps.append((verb, rest))
    return steps


async def over_stream(shim: Shim, message: ChaincodeMessage) -> ChaincodeMessage:
    """The chaincode towards a real peer."""

    async def ask(kind: ChaincodeMessage.Type.ValueType, payload: Message) -> ChaincodeMessage:
        return await shim.ask(_message(message, kind, payload.SerializeToString()))

    result = _Result()
    for verb, rest in _steps(ChaincodeInput.FromString(message.payload)):
        if result.common(verb, rest):
            continue
        if verb == "get":
            answer = await ask(ChaincodeMessage.GET_STATE, GetState(key=rest[0]))
            result.read.append(answer.payload)
        elif verb == "put":
            put = PutState(key=rest[0], value=rest[1].encode())
            await ask(ChaincodeMessage.PUT_STATE, put)
        elif verb == "delete":
            await ask(ChaincodeMessage.DEL_STATE, DelState(key=rest[0]))
        elif verb == "policy":
            entry = StateMetadata(metakey=_PARAMETER, value=_policy(rest[1]))
            change = PutStateMetadata(key=rest[0], metadata=entry)
            await ask(ChaincodeMessage.PUT_STATE_METADATA, change)
        elif verb == "range":
            scan = GetStateByRange(startKey=rest[0], endKey=rest[1])
            answer = await ask(ChaincodeMessage.GET_STATE_BY_RANGE, scan)
            page = QueryResponse.FromString(answer.payload)
            result.read.append(str(len(page.results)).encode())
            close = QueryStateNext(id=page.id)
            await ask(ChaincodeMessage.QUERY_STATE_CLOSE, close)
        elif verb == "call":
            answer = await ask(ChaincodeMessage.INVOKE_CHAINCODE, _spec(rest))
            result.read.append(_called(answer))
    return _final(message, result)


def _message(
    message: ChaincodeMessage, kind: ChaincodeMessage.Type.ValueType, payload: bytes
) -> ChaincodeMessage:
    return ChaincodeMessage(
        type=kind, payload=payload, txid=message.txid, channel_id=message.channel_id
    )


def _final(message: ChaincodeMessage, result: _Result) -> ChaincodeMessage:
    if result.failure is not None:
        return _message(message, ChaincodeMessage.ERROR, result.failure.encode())
    final = _message(message, ChaincodeMessage.COMPLETED, result.response().SerializeToString())
    if result.event is not None:
        final.chaincode_event.CopyFrom(result.event)
    return final


def _spec(rest: list[str]) -> ChaincodeSpec:
    args = [arg.encode() for arg in rest[1].split(",")]
    return ChaincodeSpec(
        type=ChaincodeSpec.GOLANG,
        chaincode_id=ChaincodeID(name=rest[0]),
        input=ChaincodeInput(args=args),
    )


def _called(answer: ChaincodeMessage) -> bytes:
    if answer.type == ChaincodeMessage.ERROR:
        return answer.payload.split(b": ", 3)[-1]
    return _inner(ChaincodeMessage.FromString(answer.payload))


def _inner(message: ChaincodeMessage) -> bytes:
    if message.type == ChaincodeMessage.ERROR:
        return b"ERROR " + message.payload
    response = Response.FromString(message.payload)
    return f"{response.status} {response.message} ".encode() + response.payload


class InProcess:
    """The chaincode towards our endorser."""

    def __init__(self, executor: ScriptedExecutor) -> None:
        self._executor = executor

    async def __call__(self, call: Call) -> Outcome:
        result = _Result()
        for verb, rest in _steps(call.input):
            if not result.common(verb, rest):
                await self._step(call, result, verb, rest)
        if result.failure is not None:
            raise ExecutionError(f"transaction returned with failure: {result.failure}")
        if result.event is not None:
            result.event.chaincode_id = call.chaincode_name
            result.event.tx_id = call.tx_id
        return Outcome(response=result.response(), event=result.event)

    async def _step(self, call: Call, result: _Result, verb: str, rest: list[str]) -> None:
        simulator, name = call.simulator, call.chaincode_name
        assert simulator is not None
        if verb == "get":
            result.read.append(simulator.get_state(name, rest[0]) or b"")
        elif verb == "put":
            simulator.set_state(name, rest[0], rest[1].encode())
        elif verb == "delete":
            simulator.delete_state(name, rest[0])
        elif verb == "policy":
            simulator.set_state_metadata(name, rest[0], {_PARAMETER: _policy(rest[1])})
        elif verb == "range":
            found = list(simulator.range(name, rest[0], rest[1]))
            result.read.append(str(len(found)).encode())
        elif verb == "call":
            try:
                message = await self._executor.invoker.invoke(call, _spec(rest))
                result.read.append(_inner(message))
            except ExecutionError as error:
                result.read.append(str(error).encode())
