"""Chaincodes that call chaincodes (fabric-wire.md §1.10)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage
from fabric_protos.peer.proposal_response_pb2 import Response
from harness.onepeer import Consortium, OnePeer, arguments, puts
from harness.scripted_executor import Script, outcome
from treadle_peer.execution import Call, ExecutionError, Outcome


@pytest.fixture
def peer(tmp_path: Path, consortium: Consortium) -> Iterator[OnePeer]:
    one = OnePeer(tmp_path, consortium)
    for name in ("ch", "second"):
        one.channels.join(consortium.genesis(name))
    yield one
    one.close()


def calls(peer: OnePeer, target: str, *args: str) -> Script:
    """A chaincode that calls *target* and answers with what came of it."""

    async def script(call: Call) -> Outcome:
        spec = ChaincodeSpec(chaincode_id=ChaincodeID(name=target), input=arguments(*args))
        try:
            message = await peer.executor.invoker.invoke(call, spec)
        except ExecutionError as error:
            return outcome(message=str(error))
        if message.type == ChaincodeMessage.ERROR:
            return outcome(message=f"ERROR {message.payload.decode()}")
        inner = Response.FromString(message.payload)
        return outcome(message=f"{inner.status} {inner.message}", payload=inner.payload)

    return script


async def answer_of(peer: OnePeer, target: str, *args: str) -> str:
    peer.executor.scripts["caller"] = calls(peer, target, *args)
    proposal, answer = await peer.propose("caller", "go")
    if answer.HasField("endorsement"):
        await peer.commit(peer.transaction(proposal, answer))
    return answer.response.message.replace(proposal.tx_id, "<txid>")


async def test_the_callee_writes_into_the_callers_transaction(peer: OnePeer) -> None:
    await peer.instantiate("caller")
    await peer.instantiate("callee")
    peer.executor.scripts["callee"] = puts(a="1")
    assert await answer_of(peer, "callee", "go") == "200 "
    with peer.channel().ledger.reader() as reader:
        assert reader.get_state("callee", "a") == b"1"


async def test_writes_on_another_channel_are_thrown_away(peer: OnePeer) -> None:
    await peer.instantiate("caller")
    await peer.instantiate("callee", channel_id="second")
    peer.executor.scripts["callee"] = puts(a="1")
    assert await answer_of(peer, "callee:7/second", "go") == "200 "
    assert peer.executor.calls[-1].channel_id == "second"
    for channel_id in ("ch", "second"):
        with peer.channel(channel_id).ledger.reader() as reader:
            assert reader.get_state("callee", "a") is None


async def test_a_chaincode_cannot_come_back_to_itself(peer: OnePeer) -> None:
    await peer.instantiate("caller")
    await peer.instantiate("callee")
    exists = "execute failed: error sending: txid: <txid>(ch) exists"
    assert await answer_of(peer, "caller", "go") == exists
    peer.executor.scripts["callee"] = calls(peer, "caller", "go")
    assert await answer_of(peer, "callee", "go") == f"200 {exists}"


async def test_the_callees_failure_reaches_the_caller(peer: OnePeer) -> None:
    await peer.instantiate("caller")
    await peer.instantiate("callee")

    async def failing(call: Call) -> Outcome:
        raise ExecutionError("transaction returned with failure: boom")

    async def lost(call: Call) -> Outcome:
        raise ExecutionError(
            f"failed to execute transaction {call.tx_id}: error sending: "
            "chaincode stream terminated"
        )

    peer.executor.scripts["callee"] = failing
    assert await answer_of(peer, "callee", "go") == "ERROR boom"
    peer.executor.scripts["callee"] = lost
    assert await answer_of(peer, "callee", "go") == (
        "execute failed: error sending: chaincode stream terminated"
    )


async def test_unknown_callees_and_channels_are_named(peer: OnePeer) -> None:
    await peer.instantiate("caller")
    assert await answer_of(peer, "nobody", "go") == (
        "execute failed: invalid invocation: [channel ch] failed to get chaincode container "
        "info for nobody: chaincode nobody not found"
    )
    assert await answer_of(peer, "nobody/nowhere", "go") == (
        "Failed to get policy manager for channel [nowhere]"
    )


async def test_system_chaincodes_know_who_asks(peer: OnePeer) -> None:
    await peer.instantiate("caller")
    assert await answer_of(peer, "lscc", "getid", "ch", "caller") == "200 "
    assert (await answer_of(peer, "cscc", "GetChannels")).startswith(
        "500 Rejecting invoke of CSCC from another chaincode"
    )
    assert (await answer_of(peer, "qscc", "GetChainInfo", "ch")).startswith(
        "500 Rejecting invoke of QSCC from another chaincode"
    )
