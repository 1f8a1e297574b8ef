"""One development peer whose chaincodes are made as tests ask for them, in any language."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from harness.chaincodes import built, sources, start_by_hand
from harness.peers import PeerProcess
from harness.processes import Started
from harness.real_peer import free_port
from harness.runtimes import CHANNEL, wait_for_runtime
from treadle_cli.local.network import LocalNetwork
from treadle_fabric.client import Channel, Deployment, EndorsementFailed
from treadle_fabric.packages import build_legacy_package


class Workbench:
    """Chaincodes are named by the test and started once; all of them have version 1."""

    def __init__(self, peer: PeerProcess, folder: Path) -> None:
        self.peer = peer
        self._folder = folder
        self._processes: list[Started] = []
        self._running: set[str] = set()
        self._deployed: set[tuple[str, str]] = set()

    @property
    def operations(self) -> str:
        """Where /metrics and /runtimes are."""
        address: str = self.peer.addresses["operations"]
        return address

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[LocalNetwork]:
        """The network as its administrator has it."""
        network = LocalNetwork.of_folder(
            self.peer.data / "client",
            msp_id="Org1MSP",
            peer=self.peer.addresses["peer"],
            orderer=self.peer.addresses["ordering"],
        )
        async with network:
            yield network

    async def deploy(
        self,
        network: LocalNetwork,
        name: str,
        language: str = "go",
        *,
        channel: str = CHANNEL,
        policy: SignaturePolicyEnvelope | None = None,
        args: tuple[str, ...] = ("init",),
    ) -> Channel:
        """Start, install and instantiate the example as *name* unless that was done."""
        await network.ensure_channel(channel)
        if name not in self._running:
            self._start(name, language)
            await self.install(network, name)
        if (name, channel) not in self._deployed:
            await self.instantiate(network, name, channel=channel, policy=policy, args=args)
        return network.channel(channel)

    async def install(self, network: LocalNetwork, name: str) -> None:
        """Install it; in development mode any package does."""
        package = build_legacy_package(
            name=name, version="1", language="golang", path=name, source=sources("go")
        )
        await network.administration.install(package)
        self._running.add(name)

    async def instantiate(
        self,
        network: LocalNetwork,
        name: str,
        *,
        channel: str = CHANNEL,
        policy: SignaturePolicyEnvelope | None = None,
        args: tuple[str, ...] = ("init",),
    ) -> None:
        """Instantiate what is connected or about to be."""
        deployment = Deployment(
            name=name,
            version="1",
            path=name,
            args=tuple(arg.encode() for arg in args),
            policy=policy,
        )
        wait_for_runtime(self.operations, f"{name}:1")
        await network.channel(channel).instantiate(deployment)
        self._deployed.add((name, channel))

    def end(self) -> None:
        """End all chaincodes; the peer belongs to somebody else."""
        for process in reversed(self._processes):
            process.stop()

    def _start(self, name: str, language: str) -> None:
        ccid, address = f"{name}:1", self.peer.addresses["chaincode"]
        output, folder = self._folder / f"{name}.log", built(language)
        if language != "python":
            started = start_by_hand(language, folder, ccid=ccid, address=address, output=output)
            self._processes.append(started)
        else:
            self._start_python(ccid, folder, address, output)

    def _start_python(self, ccid: str, folder: Path, address: str, output: Path) -> None:
        """The Python shim only listens, so the bridge joins it to the peer."""
        listening = f"127.0.0.1:{free_port()}"
        settings = {"CHAINCODE_ID": ccid, "CHAINCODE_SERVER_ADDRESS": listening}
        command = [str(folder / ".venv/bin/python"), "chaincode.py"]
        environment = os.environ | settings
        self._processes.append(Started(command, output=output, environment=environment, cwd=folder))
        flags = ["--peer", address, "--chaincode", listening, "--id", ccid]
        bridge = [sys.executable, "-m", "treadle_cli.main", "bridge", *flags]
        self._processes.append(Started(bridge, output=output.with_suffix(".bridge.log")))


async def refusal(channel: Channel, name: str, *args: str) -> str:
    """Why an invocation was not endorsed."""
    try:
        await channel.endorse(channel.propose(name, args))
    except EndorsementFailed as failed:
        return str(failed)
    raise AssertionError(f"{name} {args} was endorsed")
