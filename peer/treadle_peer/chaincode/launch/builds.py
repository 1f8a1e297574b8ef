"""Builds, each done once: cached by the code's hash and everything else that shapes the result.

A build's folder holds the unpacked package, the output, and ``complete`` once the build has
succeeded (see ``shelf``). Its name covers the versions of the tools, so that an upgrade of the
compiler builds beside what still runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_fabric.packages import PackageFormatError, extract_code, read_archive

from treadle_peer.chaincode.launch.builders import (
    Builder,
    BuildError,
    Layout,
    Start,
    Step,
    Tool,
    builder_of,
)
from treadle_peer.chaincode.launch.logs import CapturedLog
from treadle_peer.chaincode.launch.processes import Program, run_to_end
from treadle_peer.chaincode.launch.records import LaunchRecords
from treadle_peer.chaincode.launch.shelf import Shelf
from treadle_peer.execution import InstalledPackage

_LOG = logging.getLogger(__name__)
_COMPLETE: Final = "complete"
_BUILD_LOG: Final = "build.log"
_LOG_BYTES: Final = 4 * 1024 * 1024
_VERSION_SECONDS: Final = 60.0
_AT_ONCE: Final = 2

# What toolchains read to find their caches, mirrors and certificates. The rest of the peer's
# environment may hold secrets, and a build runs code of strangers (npm scripts, setup.py).
_INHERITED: Final = frozenset(
    {"PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME", "LD_LIBRARY_PATH"}
    | {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "JAVA_HOME", "CC"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}
    | {"REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "M2_HOME", "MAVEN_OPTS", "MAVEN_ARGS"}
)
_INHERITED_PREFIXES: Final = ("GO", "CGO_", "npm_config_", "NPM_CONFIG_", "PIP_", "MAVEN_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A finished build. ``seconds`` is what this one took, 0 when ``cached``."""

    layout: Layout
    builder: Builder
    cached: bool
    seconds: float

    def start(self, address: str) -> Start:
        """The command that starts it towards *address*; raises BuildError."""
        return self.builder.start(self.layout, address)


def build_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The part of the peer's environment that toolchains get."""
    return {
        name: value
        for name, value in inherited.items()
        if name in _INHERITED or name.startswith(_INHERITED_PREFIXES)
    }


class Builds:
    """All builds of one peer. At most two run at once; the same one never runs twice."""

    def __init__(
        self,
        *,
        folder: Path,
        builders: Mapping[str, Builder],
        records: LaunchRecords,
        timeout: float,
        environment: Mapping[str, str],
    ) -> None:
        """*timeout* (seconds) bounds one build; *environment* is the peer's own."""
        self._folder = folder
        self._builders = builders
        self._records = records
        self._timeout = timeout
        self._environment = build_environment(environment)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._locks: dict[Path, asyncio.Lock] = {}
        self.shelf = Shelf(folder, mark=_COMPLETE)

    async def obtain(self, package: InstalledPackage) -> Build:
        """The build of *package*, made now unless it was made before. Raises BuildError."""
        builder = builder_of(package, self._builders)
        names = await asyncio.to_thread(_entry_names, package.code)
        versions = [await self._version(tool) for tool in builder.tools(names)]
        place = self.shelf.place(package, builder.revision, *versions)
        async with self._locks.setdefault(place, asyncio.Lock()):
            return await self._obtain(package, builder, place)

    async def _obtain(self, package: InstalledPackage, builder: Builder, folder: Path) -> Build:
        layout = Layout(package=folder / "package", output=folder / "output")
        if self.shelf.finished(folder):
            return Build(layout=layout, builder=builder, cached=True, seconds=0.0)
        async with self._slots:
            started = time.monotonic()
            await asyncio.to_thread(_unpack_anew, package.code, layout)
            await self._build(package, builder, layout)
        builder.start(layout, "nowhere:0")  # raises when the steps made nothing to start
        await asyncio.to_thread(self._finish, folder)
        seconds = time.monotonic() - started
        _LOG.info("Built chaincode %s in %.1f s", package.ccid, seconds)
        return Build(layout=layout, builder=builder, cached=False, seconds=seconds)

    def _finish(self, folder: Path) -> None:
        try:
            self.shelf.finish(folder)
        except OSError as error:
            raise BuildError(f"what was built cannot be kept: {error}") from error

    async def _build(self, package: InstalledPackage, builder: Builder, layout: Layout) -> None:
        log = CapturedLog(layout.package.parent / _BUILD_LOG, limit=_LOG_BYTES)
        try:
            async with asyncio.timeout(self._timeout):
                for step in builder.steps(layout, package.path):
                    await self._run(step, package.ccid, log)
        except TimeoutError:
            raise BuildError(
                f"the build took longer than {self._timeout:.0f} s "
                f"(treadle.chaincode.buildTimeout){_quoted(log)}"
            ) from None
        finally:
            log.close()

    async def _run(self, step: Step, ccid: str, log: CapturedLog) -> None:
        program = Program(
            arguments=step.arguments,
            folder=step.folder,
            environment={**self._environment, **step.environment},
        )
        code = await self._execute(program, f"build of {ccid}", log)
        if code != 0:
            raise BuildError(f"{step.name} failed with exit code {code}{_quoted(log)}")

    async def _execute(self, program: Program, purpose: str, log: CapturedLog) -> int:
        return await run_to_end(program, purpose=purpose, log=log, records=self._records)

    async def _version(self, tool: Tool) -> str:
        path = shutil.which(tool.command, path=self._environment.get("PATH", os.defpath))
        if path is None:
            raise BuildError(
                f"{tool.command} is not installed on the machine of this peer (not in its PATH); "
                f"{tool.remedy}"
            )
        log = CapturedLog(self._folder / f".version-{Path(path).name}.log", limit=_LOG_BYTES)
        program = Program(
            arguments=[path, *tool.version], folder=self._folder, environment=self._environment
        )
        try:
            async with asyncio.timeout(_VERSION_SECONDS):
                code = await self._execute(program, f"version of {tool.command}", log)
        except TimeoutError:
            raise BuildError(f"{tool.command} does not tell its version; {tool.remedy}") from None
        finally:
            log.close()
        if code != 0:
            raise BuildError(f"{tool.command} does not run; {tool.remedy}{_quoted(log)}")
        return log.tail()


def _entry_names(code: bytes) -> frozenset[str]:
    try:
        return frozenset(entry.name for entry in read_archive(code, what="code package"))
    except PackageFormatError as error:
        raise BuildError(str(error)) from error


def _unpack_anew(code: bytes, layout: Layout) -> None:
    if layout.package.parent.exists():
        shutil.rmtree(layout.package.parent)
    try:
        extract_code(code, layout.package)
    except PackageFormatError as error:
        raise BuildError(str(error)) from error
    layout.output.mkdir()


def _quoted(log: CapturedLog) -> str:
    tail = log.tail()
    return f":\n{tail}" if tail else ""
