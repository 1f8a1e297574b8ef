"""Chaincodes that call chaincodes, on the official shims (fabric-wire.md §1.10)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fabric_protos.peer.proposal_pb2 import ChaincodeAction
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload
from harness.runtimes import CHANNEL
from harness.workbench import Workbench, refusal
from treadle_cli.local.network import LocalNetwork
from treadle_fabric.client import Channel, EndorsementFailed

SECOND = "second"

pytestmark = [pytest.mark.toolchain("go"), pytest.mark.timeout(300)]

CALLERS = [
    pytest.param("go"),
    pytest.param("node", marks=pytest.mark.toolchain("node")),
    pytest.param("java", marks=pytest.mark.toolchain("java")),
]


async def ready(workbench: Workbench, network: LocalNetwork, language: str) -> tuple[Channel, str]:
    """A caller in *language* and a callee in Go that is on both channels."""
    await workbench.deploy(network, "callee", channel=CHANNEL)
    await workbench.deploy(network, "callee", channel=SECOND, args=("init", "far", "7"))
    caller = f"{language}-caller"
    return await workbench.deploy(network, caller, language), caller


async def asked(channel: Channel, name: str, *args: str) -> Any:
    return json.loads(await channel.evaluate(name, args))


@pytest.mark.parametrize("language", CALLERS)
async def test_on_the_same_channel_the_callees_writes_land_in_its_own_namespace(
    language: str, workbench: Workbench
) -> None:
    async with workbench.admin() as network:
        channel, caller = await ready(workbench, network, language)
        key = f"from-{language}"
        receipt = await channel.invoke(caller, ["call", "callee", "", "set", key, "hello"])
        answer = json.loads(receipt.payload)
        assert answer["status"] == 200
        assert json.loads(answer["payload"]) == {"key": key, "bytes": 5}
        assert (await asked(channel, "callee", "get", key))["value"] == "hello"
        assert (await asked(channel, caller, "get", key))["value"] is None


@pytest.mark.parametrize("language", CALLERS)
async def test_on_another_channel_the_callee_reads_and_its_writes_are_thrown_away(
    language: str, workbench: Workbench
) -> None:
    async with workbench.admin() as network:
        channel, caller = await ready(workbench, network, language)
        there = network.channel(SECOND)
        read = await channel.invoke(caller, ["call", "callee", SECOND, "query", "far"])
        assert json.loads(json.loads(read.payload)["payload"])["balance"] == 7
        info = await channel.invoke(caller, ["call", "callee", SECOND, "info"])
        assert json.loads(json.loads(info.payload)["payload"])["channel"] == SECOND
        height = (await network.administration.chain_info(SECOND)).height

        written = await channel.invoke(caller, ["call", "callee", SECOND, "set", "k", "v"])
        assert json.loads(written.payload)["status"] == 200
        for place in (channel, there):
            assert (await asked(place, "callee", "get", "k"))["value"] is None
        assert (await network.administration.chain_info(SECOND)).height == height


@pytest.mark.parametrize("language", CALLERS)
async def test_the_answer_of_a_failing_callee_reaches_the_caller(
    language: str, workbench: Workbench
) -> None:
    async with workbench.admin() as network:
        channel, caller = await ready(workbench, network, language)
        answer = await asked(channel, caller, "call", "callee", "", "fail", "no", "money")
        assert answer == {"status": 500, "message": "no money", "payload": ""}


@pytest.mark.parametrize(
    ("callee", "elsewhere", "reason"),
    [
        (
            "nobody",
            "",
            "execute failed: invalid invocation: [channel mychannel] failed to get chaincode "
            "container info for nobody: chaincode nobody not found",
        ),
        ("callee", "nowhere", "Failed to get policy manager for channel [nowhere]"),
        ("<itself>", "", "execute failed: error sending: txid: <txid>(mychannel) exists"),
    ],
    ids=["undefined", "unknown-channel", "itself"],
)
@pytest.mark.parametrize("language", CALLERS)
async def test_a_callee_that_cannot_run_is_told_as_each_shim_tells_it(
    language: str, callee: str, elsewhere: str, reason: str, workbench: Workbench
) -> None:
    async with workbench.admin() as network:
        channel, caller = await ready(workbench, network, language)
        callee = caller if callee == "<itself>" else callee
        proposal = channel.propose(caller, ["call", callee, elsewhere, "version"])
        reason = f"INVOKE_CHAINCODE failed: transaction ID: <txid>: {reason}"
        expected = reason.replace("<txid>", proposal.tx_id)
        if language == "go":  # the error is a response with status 500, its text the payload
            answer = json.loads((await channel.endorse(proposal)).payload)
            assert answer == {"status": 500, "message": "", "payload": expected}
            return
        with pytest.raises(EndorsementFailed) as thrown:
            await channel.endorse(proposal)
        if language == "java":  # its shim keeps the reason to itself
            expected = "Unsuccessful response received."
        assert expected in str(thrown.value)


async def test_a_callee_cannot_come_back_to_its_caller(workbench: Workbench) -> None:
    async with workbench.admin() as network:
        channel, caller = await ready(workbench, network, "go")
        proposal = channel.propose(caller, ["call", "callee", "", "call", caller, "", "version"])
        outer = json.loads((await channel.endorse(proposal)).payload)
        inner = json.loads(outer["payload"])
        assert outer["status"] == 200
        assert inner["status"] == 500
        assert inner["payload"].endswith(f"error sending: txid: {proposal.tx_id}(mychannel) exists")


async def test_a_callee_on_another_channel_can_call_its_callers_chaincode_there(
    workbench: Workbench,
) -> None:
    async with workbench.admin() as network:
        channel, caller = await ready(workbench, network, "go")
        await workbench.deploy(network, caller, channel=SECOND)
        args = ("call", "callee", SECOND, "call", caller, SECOND, "info")
        outer = await asked(channel, caller, *args)
        inner = json.loads(outer["payload"])
        assert (outer["status"], inner["status"]) == (200, 200)
        assert json.loads(inner["payload"])["channel"] == SECOND


async def test_the_callees_event_is_not_the_transactions(workbench: Workbench) -> None:
    async with workbench.admin() as network:
        channel, caller = await ready(workbench, network, "go")
        args = ["call", "callee", "", "event", "inner", "x"]
        endorsed = await channel.endorse(channel.propose(caller, args))
        assert json.loads(endorsed.payload)["status"] == 200
        (answer,) = endorsed.responses
        action = ChaincodeAction.FromString(
            ProposalResponsePayload.FromString(answer.payload).extension
        )
        assert action.events == b""


@pytest.mark.toolchain("java")
async def test_a_callee_that_throws_is_a_failed_callee_for_go(workbench: Workbench) -> None:
    """Java answers ERROR; the Go shim hands out the whole inner message as the payload."""
    async with workbench.admin() as network:
        channel, caller = await ready(workbench, network, "go")
        await workbench.deploy(network, "java-caller", "java")
        answer = await asked(channel, caller, "call", "java-caller", "", "throw", "boom")
        assert answer["status"] == 500
        assert "java.lang.IllegalStateException: boom" in answer["payload"]


@pytest.mark.toolchain("python")
async def test_the_python_shim_cannot_call(workbench: Workbench) -> None:
    """Its request is not what peers read (fabric-wire.md §7); the transaction fails, no more."""
    async with workbench.admin() as network:
        await ready(workbench, network, "go")
        channel = await workbench.deploy(network, "python-caller", "python")
        text = await refusal(channel, "python-caller", "call", "callee", "", "version")
        assert "Error parsing message with type 'protos.Response'" in text
        assert (await asked(channel, "python-caller", "version"))["version"] == "1"
