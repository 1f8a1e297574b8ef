"""From the output of a build to a container that runs it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from treadle_peer.chaincode.authority import CertificateFiles
from treadle_peer.chaincode.launch.bridging import BridgeStarter
from treadle_peer.chaincode.launch.containers.archives import small_files
from treadle_peer.chaincode.launch.containers.building import ContainerBuild
from treadle_peer.chaincode.launch.containers.calling import call
from treadle_peer.chaincode.launch.containers.engine import (
    ContainerPlan,
    Engine,
    EngineError,
    MissingImageError,
)
from treadle_peer.chaincode.launch.containers.running import RunningContainer, create
from treadle_peer.chaincode.launch.environment import Surroundings, chaincode_environment
from treadle_peer.chaincode.launch.launches import Launch
from treadle_peer.chaincode.launch.servers import free_loopback_port
from treadle_peer.chaincode.launch.settings import LaunchSettings
from treadle_peer.chaincode.launch.starting import exit_sentence
from treadle_peer.chaincode.recipes import RUN_SCRIPT
from treadle_peer.config import ContainersConfig
from treadle_peer.execution import ExecutionError

CCID_LABEL: Final = "dev.treadle.ccid"
"""On every container that runs a chaincode."""

FIRST_PROCESS: Final = """
/bin/sh "$0" & chaincode=$!
trap 'kill -TERM $chaincode' TERM
wait $chaincode; code=$?
while kill -0 $chaincode 2>/dev/null; do wait $chaincode; code=$?; done
exit $code
"""
"""What runs as a container's process 1: to that one the kernel gives no SIGTERM that it has not
asked for, and all children that lost their parent. A shell, for not every engine has an init."""

_OUTPUT: Final = "/treadle/chaincode/output"
_CERTIFICATE: Final = PurePosixPath("/treadle/certificate")
_HOME: Final = Path("/tmp")  # noqa: S108 - the container's own
_HOST: Final = "host"
_LOOPBACK: Final = "127.0.0.1"
_PORT: Final = 9999
_PAUSE: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerStarter:
    """Starts builds."""

    settings: LaunchSettings
    containers: ContainersConfig
    engine: Engine
    bridges: BridgeStarter
    labels: Mapping[str, str]

    async def image(self, language: str) -> str:
        """The id of what runs *language*; raises ExecutionError when the engine has none."""
        try:
            return await call(self.engine.image, self.containers.runtimes[language])
        except MissingImageError as error:
            remedy = f"treadle.chaincode.docker.runtimes.{language}"
            text = f"error starting container: {error}; load it, or name another one in {remedy}"
            raise ExecutionError(text) from error
        except EngineError as error:
            raise ExecutionError(f"error starting container: {error}") from error

    async def start(self, build: ContainerBuild, launch: Launch, address: str) -> None:
        """See Made."""
        image = await self.image(build.language)
        try:
            await self._start(build, launch, address, image)
        except EngineError as error:
            raise ExecutionError(f"error starting container: {error}") from error

    async def _start(self, build: ContainerBuild, launch: Launch, address: str, image: str) -> None:
        port = self._server_port() if build.listens else None
        files, given = _certificate(launch.files)
        plan = ContainerPlan(
            image=image,
            arguments=["/bin/sh", "-c", FIRST_PROCESS, f"{_OUTPUT}/{RUN_SCRIPT}"],
            environment=self._environment(launch.ccid, address, files, port),
            labels={**self.labels, CCID_LABEL: launch.ccid},
        )
        container = await create(self.engine, plan)
        running = RunningContainer(engine=self.engine, container=container, log=launch.log)
        launch.program = running
        await call(self._fill, container, build.output, {} if port else given)
        await running.start()
        if port is not None:
            await self._join_server(launch, running, container, port)

    def _fill(self, container: str, output: Path, files: Mapping[str, bytes]) -> None:
        folders = ("/treadle", "/treadle/chaincode", _OUTPUT, str(_CERTIFICATE))
        self.engine.put(container, folder="/", archive=small_files(files, folders=folders))
        with output.open("rb") as archive:
            self.engine.put(container, folder=_OUTPUT, archive=archive)

    def _environment(
        self, ccid: str, address: str, files: CertificateFiles, port: int | None
    ) -> dict[str, str]:
        host = _LOOPBACK if self._shares_host else "0.0.0.0"
        told = Surroundings(
            ccid=ccid,
            msp_id=self.settings.msp_id,
            home=_HOME,
            files=files,
            logging_level=self.settings.logging_level,
            shim_logging_level=self.settings.shim_logging_level,
            server_address=None if port is None else f"{host}:{port}",
        )
        return chaincode_environment(told, {}) | {"CORE_PEER_ADDRESS": address}

    @property
    def _shares_host(self) -> bool:
        return self.containers.network == _HOST

    def _server_port(self) -> int:
        return free_loopback_port() if self._shares_host else _PORT

    async def _join_server(
        self, launch: Launch, running: RunningContainer, container: str, port: int
    ) -> None:
        """Dial the chaincode server until it answers; raises ExecutionError."""
        found = await call(self.engine.address, container)
        address = f"{server_host(self.containers.network, found)}:{port}"
        try:
            async with asyncio.timeout(self.settings.startup_timeout):
                while launch.bridge is None:
                    if not running.running:
                        sentence = exit_sentence(await running.exited(), launch.log)
                        raise ExecutionError(f"chaincode registration failed: {sentence}")
                    await self._dial(launch, address)
        except TimeoutError:
            text = f"timeout expired while starting chaincode {launch.ccid} for transaction"
            raise ExecutionError(text) from None

    async def _dial(self, launch: Launch, address: str) -> None:
        try:
            launch.bridge = await self.bridges.start(
                ccid=launch.ccid, address=address, fingerprint=launch.fingerprint
            )
        except OSError:
            await asyncio.sleep(_PAUSE)


def server_host(network: str, found: str) -> str:
    """Where a server in a container of *network* is dialled; the engine has *found* its address.

    Raises ExecutionError without one: on this machine's loopback anybody may listen.
    """
    if network == _HOST:
        return _LOOPBACK
    if not found:
        raise ExecutionError(
            f"chaincode registration failed: its container has no address in the network {network}"
            ": it has ended, or nobody can reach it there"
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class StartableBuild:
    """Implements Made."""

    build: ContainerBuild
    starter: ContainerStarter

    async def start(self, launch: Launch, address: str) -> None:
        """See Made."""
        await self.starter.start(self.build, launch, address)


def _certificate(files: CertificateFiles | None) -> tuple[CertificateFiles, dict[str, bytes]]:
    """Where the files of a launch are in its container, and their content by that path."""
    assert files is not None  # noqa: S101 - this launcher is refused without TLS
    there = CertificateFiles(
        key_base64=Path(_CERTIFICATE / "client.key.b64"),
        certificate_base64=Path(_CERTIFICATE / "client.crt.b64"),
        key_pem=Path(_CERTIFICATE / "client.key"),
        certificate_pem=Path(_CERTIFICATE / "client.crt"),
        root=Path(_CERTIFICATE / "ca.crt"),
    )
    pairs = [
        (there.key_base64, files.key_base64),
        (there.certificate_base64, files.certificate_base64),
        (there.key_pem, files.key_pem),
        (there.certificate_pem, files.certificate_pem),
        (there.root, files.root),
    ]
    return there, {str(path): source.read_bytes() for path, source in pairs}
