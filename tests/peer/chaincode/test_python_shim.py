"""The real Python shim (fabric-chaincode-python 2.5.4) runs the example contract through us.

The shim and what it needs are installed once into a virtual environment in the user's cache.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fabric_protos.peer.proposal_pb2 import SignedProposal
from treadle_fabric.identity import GeneratedOrganization
from treadle_fabric.wire import build_proposal
from treadle_peer.chaincode import (
    AdmissionRules,
    ChaincodeSupport,
    Mode,
    Modes,
    RuntimeState,
    SupportConfig,
)
from treadle_peer.chaincode.bridge import Backoff, Bridge
from treadle_peer.config import KeepaliveConfig
from treadle_peer.execution import CallKind, ExecutionError
from treadle_peer.server.chaincode_grpc import (
    Target,
    dial_chaincode_server,
    dial_peer,
    register_handlers,
    serve_chaincode_server,
)
from treadle_peer.server.guard import Guard
from treadle_peer.server.listener import GrpcListener, ListenerOptions
from treadle_peer.services.metrics import Metrics

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "chaincode" / "python"

pytestmark = pytest.mark.toolchain("python")


@pytest.fixture(scope="session")
def shim_python() -> Path:
    """A Python with the shim; installed when it is not in the cache yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "treadle"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / "shim-python-2.5.4"
    python = folder / "bin" / "python"
    with (cache / "shim-python-2.5.4.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = folder / ".complete"
        if not ready.exists():
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            requirements = EXAMPLE / "requirements.txt"
            install = [python, "-m", "pip", "install", "-q", "-r", requirements]
            subprocess.run(install, check=True)
            ready.touch()
    return python


@pytest.fixture(scope="session")
def signer():
    organization = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.example.com")
    return organization.issue_identity("client", "user")


@pytest.fixture
def make_call(world, signer):
    """Calls with real proposals: the shim reads creator, time and id from them."""

    def make(*args, kind=CallKind.INVOKE):
        raw = [arg.encode() for arg in args]
        built = build_proposal(signer=signer, channel_id="ch", chaincode_name="probe", args=raw)
        signed = SignedProposal()
        signed.CopyFrom(built.signed)
        return world.call(built.tx_id, kind=kind, args=raw, signed_proposal=signed)

    return make


class Program:
    """The example chaincode as a server process."""

    def __init__(self, python):
        self._python = python
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.process = None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            self._python,
            EXAMPLE / "chaincode.py",
            env={"CHAINCODE_ID": "probe:1", "CHAINCODE_SERVER_ADDRESS": self.address},
            stdin=asyncio.subprocess.DEVNULL,
        )

    async def kill(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


@pytest.fixture
async def program(shim_python):
    made = Program(shim_python)
    await made.start()
    yield made
    await made.kill()


def make_support(**config):
    return ChaincodeSupport(
        config=SupportConfig(**config),
        modes=Modes(Mode.DEVELOPMENT),
        rules=AdmissionRules(is_known=lambda ccid: ccid == "probe:1"),
        invoker=lambda: None,
    )


@asynccontextmanager
async def listening(support, address="127.0.0.1:0"):
    """The chaincode port of a peer; gives its address."""
    listener = GrpcListener(
        ListenerOptions(address=address, setting="chaincode", tls=None, keepalive=KeepaliveConfig())
    )
    metrics = Metrics(version="0", heights=dict)
    guard = Guard("protos.ChaincodeSupport", metrics=metrics.grpc, streams=listener.streams)
    listener.add([register_handlers(support.serve, guard=guard)])
    bound = listener.bind()
    await listener.start()
    try:
        yield bound
    finally:
        await support.stop_all()
        await listener.stop(0)


@asynccontextmanager
async def bridged(program, address, records=None):
    """The bridge between the program and the peer at *address*."""
    bridge = Bridge(
        peers={"peer": lambda: dial_peer(Target(address=address))},
        on_transaction=None if records is None else records.append,
        backoff=lambda: Backoff(first=0.05, longest=0.2),
    )
    target = Target(address=program.address, dial_timeout=20)
    task = asyncio.create_task(bridge.serve_dialled(lambda: dial_chaincode_server(target)))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ready(support):
    async with asyncio.timeout(30):
        while not any(r.state is RuntimeState.REGISTERED for r in support.status()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def answer(support, call):
    """The JSON of a successful call."""
    async with asyncio.timeout(30):
        outcome = await support.execute(call)
    assert outcome.response.status == 200, outcome.response.message
    return json.loads(outcome.response.payload)


async def test_the_contract_runs_through_the_bridge(program, make_call, world):
    world.put({f"k{n:03}": b"v" for n in range(250)})
    support, records = make_support(), []
    async with listening(support) as address, bridged(program, address, records):
        await ready(support)
        created = await answer(support, make_call("init", "a", "100", kind=CallKind.INIT))
        assert created == {"accounts": 1}
        assert (await answer(support, make_call("get", "k007")))["value"] == "v"
        scanned = await answer(support, make_call("scan", "k", "l"))
        assert scanned["count"] == 250
        failed = await support.execute(make_call("fail", "as", "asked"))
        assert (failed.response.status, failed.response.message) == (500, "as asked")
    assert [record.function for record in records] == ["init", "get", "scan", "fail"]
    assert records[0].init
    assert records[2].requests["QUERY_STATE_NEXT"] >= 2
    assert records[3].status == 500


async def test_the_peer_dials_the_server_itself(program, make_call):
    support = make_support()
    target = Target(address=program.address, dial_timeout=20)
    serving = asyncio.create_task(serve_chaincode_server(support.serve, target))
    await ready(support)
    assert (await answer(support, make_call("version")))["contract"] == "accounts"
    await program.kill()
    await asyncio.gather(serving, return_exceptions=True)
    assert support.status()[0].state is RuntimeState.STOPPED


async def test_an_exception_gives_no_reply_and_only_the_timeout_helps(program, make_call):
    support = make_support(development_execute_timeout=1.0)
    async with listening(support) as address, bridged(program, address):
        await ready(support)
        with pytest.raises(ExecutionError, match="timeout expired while executing transaction"):
            await support.execute(make_call("throw", "something"))
        assert (await answer(support, make_call("version")))["version"] == "1"


async def test_the_process_outlives_the_peer(program, make_call):
    first = make_support()
    async with listening(first) as address, bridged(program, address):
        await ready(first)
        slow = asyncio.create_task(first.execute(make_call("sleep", "1000")))
        await asyncio.sleep(0)
        await first.stop_all()
        with pytest.raises(ExecutionError, match="chaincode stream terminated"):
            await slow
    second = make_support()
    async with listening(second) as address, bridged(program, address):
        await ready(second)
        assert (await answer(second, make_call("version")))["version"] == "1"
    assert program.process.returncode is None


async def test_a_restarted_process_is_found_again(program, make_call):
    support = make_support()
    async with listening(support) as address, bridged(program, address):
        await ready(support)
        with pytest.raises(ExecutionError, match="chaincode stream terminated"):
            await support.execute(make_call("crash", "3"))
        assert await program.process.wait() == 3
        await program.start()
        await ready(support)
        assert (await answer(support, make_call("version")))["version"] == "1"
        assert support.status()[0].restarts == 1


async def test_many_transactions_share_the_stream(program, make_call):
    support = make_support()
    async with listening(support) as address, bridged(program, address):
        await ready(support)
        calls = [support.execute(make_call("set", f"k{n}", "v")) for n in range(50)]
        outcomes = await asyncio.gather(*calls)
        assert {outcome.response.status for outcome in outcomes} == {200}
        assert support.status()[0].transactions == 50
