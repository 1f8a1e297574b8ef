"""Five chaincodes on many channels of one peer: few processes, no idle writes, and what it costs.

``TREADLE_SCALE_CHANNELS`` says how many channels (default 20; 100 make 500 instantiations), and
``TREADLE_SCALE_TRANSACTIONS`` how many transactions are spread over them (default 1000).
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest
from harness.memory import MIB, anonymous_memory
from harness.nodes.machine import Machine
from harness.operating.fixtures import is_quiet, metric
from harness.operating.operated import Client, Operated, go_files, new_operated, package_of
from harness.operating.process import OperatorProcess
from harness.operating.proxy import Proxy
from harness.operating.world import KINDS
from harness.processes import wait_until
from treadle_operator.names import runtime_name

pytestmark = [
    pytest.mark.kubernetes,
    pytest.mark.process_node,
    pytest.mark.toolchain("go"),
    pytest.mark.long,
    pytest.mark.timeout(1800),
]

Say = Callable[[str], None]
KIND = "ChaincodeInstantiation"
CHANNELS = [f"c{i}" for i in range(int(os.environ.get("TREADLE_SCALE_CHANNELS", "20")))]
TRANSACTIONS = int(os.environ.get("TREADLE_SCALE_TRANSACTIONS", "1000"))
PACKAGES = [f"small{i}" for i in range(5)]
OBJECTS = len(PACKAGES) * len(CHANNELS)
AT_ONCE = 16  # transactions
QUIET = 300.0  # seconds until nothing waits, on a busy machine


def test_many_instantiations_need_few_processes_and_no_writes_once_they_are_ready(
    machine: Machine, tmp_path: Path, say: Say
) -> None:
    trade = new_operated(machine)
    with trade.start(tmp_path, name="first") as first:
        make(trade, say)
        is_quiet(first, reconciles=OBJECTS, within=QUIET)
        tell_cost(first, say)
    wanted = sorted(runtime_name("peer0", f"{name}:1.0") for name in PACKAGES)
    assert sorted(trade.deployments()) == wanted
    before = versions(trade)
    server = f"https://127.0.0.1:{machine.plane.port}"
    with Proxy(server) as proxy, trade.start(tmp_path, name="again", server=proxy.url) as again:
        begun = time.monotonic()
        is_quiet(again, reconciles=OBJECTS + len(PACKAGES) + 1, within=QUIET)
        say(f"quiet {time.monotonic() - begun:.1f} s after a restart")
        tell_cost(again, say)
        assert (proxy.writes, versions(trade)) == ([], before)
        begun = time.monotonic()
        assert trade.ask(transact) == TRANSACTIONS
        say(f"{TRANSACTIONS} transactions in {time.monotonic() - begun:.1f} s")
        tell_cost(again, say)
        assert (proxy.writes, versions(trade)) == ([], before)


def make(trade: Operated, say: Say) -> None:
    """Everything, one after the other, and tell how long it took."""
    begun = time.monotonic()
    trade.space.create_peer(channels=[{"name": name} for name in CHANNELS])
    trade.ready("Peer", "peer0", within=600)
    say(f"{len(CHANNELS)} channels joined within {time.monotonic() - begun:.1f} s")
    begun = time.monotonic()
    for name in PACKAGES:
        spec = package_of(go_files(), name=name, version="1.0")
        trade.space.create_package(f"{name}-1.0", **spec)
    for name, channel in product(PACKAGES, CHANNELS):
        init = {"args": ["init", "a", "1"]}
        trade.instantiate(f"{name}-{channel}", f"{name}-1.0", channel=channel, init=init)
    say(f"{OBJECTS} instantiations created within {time.monotonic() - begun:.1f} s")
    wait_until(lambda: unready(trade) == 0, within=1200, what="all instantiations being ready")
    say(f"all of them ready after {time.monotonic() - begun:.1f} s")


def unready(trade: Operated) -> int:
    """How many instantiations are not; one look takes longer than the time between two."""
    conditions = [each.get("status", {}).get("conditions", []) for each in trade.space.all(KIND)]
    assert len(conditions) == OBJECTS
    ready = [
        any((each["type"], each["status"]) == ("Ready", "True") for each in one)
        for one in conditions
    ]
    return ready.count(False)


def tell_cost(operator: OperatorProcess, say: Say) -> None:
    """What the operator has asked for so far, its lease left out, and what it holds."""
    sample = r'treadle_operator_api_calls_total\{resource="(?!leases)\S*verb='
    verbs = {
        verb: metric(operator, f'{sample}"{verb}"') for verb in ("GET", "POST", "PATCH", "DELETE")
    }
    calls = sum(verbs.values())
    reconciles = metric(operator, "treadle_operator_reconciles_total")
    each = ", ".join(f"{verb} {count:.0f}" for verb, count in verbs.items())
    say(
        f"{calls / OBJECTS:.1f} API calls and {reconciles / OBJECTS:.1f} reconciles per object "
        f"({each}); {anonymous_memory(operator.pid) / MIB:.0f} MiB"
    )


def versions(trade: Operated) -> dict[str, str]:
    """What every write of any object changes; pods and Deployments are also others' to write."""
    return {
        f"{kind}/{each['metadata']['name']}": each["metadata"]["resourceVersion"]
        for kind in KINDS
        if kind not in {"Pod", "Deployment", "StatefulSet", "Job"}
        for each in trade.space.all(kind)
    }


async def transact(client: Client) -> int:
    """How many transactions were committed as valid, of those that were sent to all channels."""
    heights = {name: (await client.administration.chain_info(name)).height for name in CHANNELS}
    places = iter(range(TRANSACTIONS))

    async def work() -> None:
        for number in places:
            channel = client.channel(CHANNELS[number % len(CHANNELS)])
            chaincode = PACKAGES[number // len(CHANNELS) % len(PACKAGES)]
            proposal = channel.propose(chaincode, ["set", f"k{number}", "v"])
            await channel.broadcast(await channel.endorse(proposal))

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    sent = {name: len(range(at, TRANSACTIONS, len(CHANNELS))) for at, name in enumerate(CHANNELS)}
    return sum([await committed(client, name, heights[name], sent[name]) for name in CHANNELS])


async def committed(client: Client, name: str, start: int, wanted: int) -> int:
    """Valid transactions from block *start* on, once *wanted* were committed."""
    codes: list[int] = []
    if wanted:
        async for block in client.channel(name).filtered_blocks(start=start, within=60):
            codes += [each.tx_validation_code for each in block.filtered_transactions]
            if len(codes) >= wanted:
                break
    return codes.count(0)
