"""From a finished build to a running process: certificate, files, environment, start."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from treadle_peer.chaincode.authority import CertificateFiles, ChaincodeAuthority
from treadle_peer.chaincode.launch.bridging import BridgeStarter
from treadle_peer.chaincode.launch.builders import Start
from treadle_peer.chaincode.launch.environment import Surroundings, chaincode_environment
from treadle_peer.chaincode.launch.launches import Launch
from treadle_peer.chaincode.launch.logs import CapturedLog
from treadle_peer.chaincode.launch.processes import Program, RunningProgram, start_program
from treadle_peer.chaincode.launch.records import LaunchRecords
from treadle_peer.chaincode.launch.servers import free_loopback_port, wait_until_listening
from treadle_peer.chaincode.launch.settings import LaunchSettings
from treadle_peer.execution import ExecutionError


def exit_sentence(code: int, log: CapturedLog) -> str:
    """Fabric's words for an exit, and the last lines that the program printed."""
    tail = log.tail()
    sentence = f"container exited with {code}"
    return f"{sentence}; the last lines of its log:\n{tail}" if tail else sentence


def log_path(folder: Path, ccid: str) -> Path:
    """Where the log of *ccid* lies below the launcher's *folder*."""
    readable = re.sub(r"[^A-Za-z0-9_.+-]", "_", ccid)[:100]
    return folder / "logs" / f"{readable}-{hashlib.sha256(ccid.encode()).hexdigest()[:8]}.log"


def prepare_launch(settings: LaunchSettings, authority: ChaincodeAuthority, ccid: str) -> Launch:
    """Register a new certificate for *ccid*; nothing runs yet."""
    issued = authority.issue(ccid)
    folder = settings.folder / "launches" / issued.fingerprint[:32]
    folder.mkdir(parents=True, mode=0o700)
    files = authority.write_files(folder, issued) if settings.tls else None
    log = CapturedLog(log_path(settings.folder, ccid), limit=settings.log_bytes)
    return Launch(ccid=ccid, fingerprint=issued.fingerprint, folder=folder, files=files, log=log)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """Starts built chaincode. ``environment`` is the peer's own."""

    settings: LaunchSettings
    authority: ChaincodeAuthority
    records: LaunchRecords
    bridges: BridgeStarter
    environment: Mapping[str, str]

    async def run(self, launch: Launch, start: Start) -> None:
        """Start the process of *launch*; a server is also joined to the peer.

        Raises ExecutionError with Fabric's text.
        """
        port = free_loopback_port() if start.listens else None
        address = None if port is None else f"127.0.0.1:{port}"
        program = Program(
            arguments=start.arguments,
            folder=start.folder,
            environment=self._environment(launch.ccid, launch.folder, launch.files, address),
            memory_bytes=self.settings.memory_bytes,
        )
        try:
            running = launch.program = start_program(
                program, purpose=f"chaincode {launch.ccid}", log=launch.log, records=self.records
            )
        except OSError as error:
            raise ExecutionError(f"error starting container: {error}") from error
        if port is not None:
            await self._join_server(launch, running, port)

    def _environment(
        self, ccid: str, home: Path, files: CertificateFiles | None, server: str | None
    ) -> dict[str, str]:
        told = Surroundings(
            ccid=ccid,
            msp_id=self.settings.msp_id,
            home=home,
            files=files,
            logging_level=self.settings.logging_level,
            shim_logging_level=self.settings.shim_logging_level,
            server_address=server,
        )
        return chaincode_environment(told, self.environment)

    async def _join_server(self, launch: Launch, running: RunningProgram, port: int) -> None:
        try:
            async with asyncio.timeout(self.settings.startup_timeout):
                if not await wait_until_listening(running, port):
                    code = await running.exited()
                    await launch.end(self.authority, grace=0.0)
                    sentence = exit_sentence(code, launch.log)
                    raise ExecutionError(f"chaincode registration failed: {sentence}")
                launch.bridge = await self.bridges.start(
                    ccid=launch.ccid, address=f"127.0.0.1:{port}", fingerprint=launch.fingerprint
                )
        except TimeoutError:
            text = f"timeout expired while starting chaincode {launch.ccid} for transaction"
            raise ExecutionError(text) from None
        except OSError as error:
            raise ExecutionError(f"connection to {launch.ccid} failed: {error}") from error
