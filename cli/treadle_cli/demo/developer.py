"""The developer's side of the demo: an own copy of the chaincode, built and started by hand."""

from __future__ import annotations

import contextlib
import shutil
import socket
import sys
from pathlib import Path

from treadle_cli.demo.languages import DemoLanguage, example_folder
from treadle_cli.errors import TreadleError
from treadle_cli.local import Child, last_lines
from treadle_cli.local.peer import clean_environment

_BUILD_SECONDS = 900.0
_LEFT_OUT = shutil.ignore_patterns("node_modules", "target", "__pycache__", ".venv", "chaincode")


class Developer:
    """A folder of sources and, at times, a running chaincode process."""

    def __init__(self, folder: Path, *, language: DemoLanguage, ccid: str, log: Path) -> None:
        self.folder = folder
        self.language = language
        self.ccid = ccid
        self.log = log
        self._children: list[Child] = []

    def copy_sources(self, name: str) -> None:
        """Take a copy of the example to edit."""
        shutil.copytree(example_folder(name), self.folder, ignore=_LEFT_OUT)

    async def build(self) -> None:
        """Run the build commands of the language; raises TreadleError with their output."""
        for command in self.language.build:
            child = await Child.start(
                command,
                name=" ".join(command[:3]),
                log=self.log,
                environment=clean_environment(),
                folder=self.folder,
            )
            try:
                code = await child.wait(within=_BUILD_SECONDS)
            finally:
                await child.stop()
            if code != 0:
                text = f"{child.name} failed with exit code {code}"
                raise TreadleError(text, last_lines(self.log))

    async def start(self, address: str) -> list[str]:
        """Start the process, and the bridge where the shim is a server; the lines to type."""
        command = [word.format(address=address) for word in self.language.start]
        if self.language.serves:
            return await self._start_server(command, address)
        settings = {
            "CORE_CHAINCODE_ID_NAME": self.ccid,
            "CORE_PEER_TLS_ENABLED": "false",
            **{name: text.format(address=address) for name, text in self._extra()},
        }
        await self._run(command, settings, name="the chaincode")
        return [_line(command, settings)]

    async def _start_server(self, command: list[str], address: str) -> list[str]:
        server = f"127.0.0.1:{free_port()}"
        settings = {"CHAINCODE_ID": self.ccid, "CHAINCODE_SERVER_ADDRESS": server}
        await self._run(command, settings, name="the chaincode")
        arguments = ["bridge", "--peer", address, "--chaincode", server, "--id", self.ccid]
        await self._run([sys.executable, "-m", "treadle_cli.main", *arguments], {}, name="bridge")
        return [_line(command, settings), _line(["treadle", *arguments], {})]

    def _extra(self) -> list[tuple[str, str]]:
        return list(self.language.environment.items())

    async def _run(self, command: list[str], settings: dict[str, str], *, name: str) -> None:
        child = await Child.start(
            command,
            name=name,
            log=self.log,
            environment=clean_environment() | settings,
            folder=self.folder,
        )
        self._children.append(child)

    def check(self) -> None:
        """Raise TreadleError when one of the processes has ended."""
        for child in self._children:
            child.check()

    async def stop(self) -> None:
        """End what runs; harmless when nothing does."""
        children, self._children = self._children, []
        async with contextlib.AsyncExitStack() as stack:
            for child in children:
                stack.push_async_callback(child.stop, within=5.0)


def free_port() -> int:
    """A loopback port that nobody uses right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _line(command: list[str], settings: dict[str, str]) -> str:
    words = [*(f"{name}={value}" for name, value in settings.items()), *command]
    return "$ " + " ".join(words)
