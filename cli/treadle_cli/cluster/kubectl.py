"""The user's kubectl as a child process: objects as JSON, and forwarded ports."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from treadle_cli.errors import TreadleError

_SECONDS: Final = 30.0
_FORWARDING: Final = re.compile(rb"Forwarding from 127\.0\.0\.1:(\d+) -> ")
_PROGRAM: Final = "kubectl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubectl:
    """kubectl with a context and a namespace; empty: what its own configuration says."""

    context: str = ""
    namespace: str = ""

    async def object(self, kind: str, name: str) -> Mapping[str, object]:
        """One object; raises TreadleError with kubectl's words."""
        process = await self.start("get", kind, name, "-o", "json")
        try:
            async with asyncio.timeout(_SECONDS):
                output, errors = await process.communicate()
        except TimeoutError:
            await end(process)
            raise TreadleError(f"kubectl has no {kind} {name} after {_SECONDS:g} s") from None
        if process.returncode != 0:
            said = errors.decode(errors="replace").strip()
            raise TreadleError(f"kubectl cannot read {kind} {name}", said)
        try:
            found = json.loads(output)
        except (ValueError, RecursionError) as error:
            raise TreadleError(
                f"kubectl answered for {kind} {name} with what is no JSON: {error}"
            ) from None
        if not isinstance(found, dict):
            raise TreadleError(f"kubectl answered for {kind} {name} with something else")
        return found

    async def secret(self, name: str) -> dict[str, bytes]:
        """The contents of a Secret; raises TreadleError."""
        data = (await self.object("secret", name)).get("data")
        try:
            return {
                key: base64.b64decode(str(value), validate=True)
                for key, value in (data if isinstance(data, dict) else {}).items()
            }
        except ValueError as error:
            raise TreadleError(f"Secret {name} is damaged: {error}") from None

    @asynccontextmanager
    async def forwarded(self, pod: str, port: int) -> AsyncIterator[str]:
        """``127.0.0.1:<free port>``, which leads to *port* of *pod*; raises TreadleError."""
        process = await self.start(
            "port-forward", "--address", "127.0.0.1", f"pod/{pod}", f":{port}"
        )
        try:
            local = await _forwarding(process, f"port {port} of pod {pod}")
            yield f"127.0.0.1:{local}"
        finally:
            await end(process)

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        """kubectl with *arguments*, in a session of its own; raises TreadleError without it."""
        program = shutil.which(_PROGRAM)
        if program is None:
            raise TreadleError("kubectl is not installed, or not in PATH; it leads to the cluster")
        options = [f"--context={self.context}"] if self.context else []
        options += [f"--namespace={self.namespace}"] if self.namespace else []
        try:
            return await asyncio.create_subprocess_exec(
                program,
                *options,
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                # Ctrl-C at the terminal is for us; we end it.
                start_new_session=True,
            )
        except OSError as error:
            raise TreadleError(f"kubectl cannot be started: {error.strerror}") from None


async def _forwarding(process: asyncio.subprocess.Process, what: str) -> int:
    """The local port that kubectl has chosen, as its first line says."""
    output, errors = process.stdout, process.stderr
    if output is None or errors is None:
        raise AssertionError("both were asked for")
    try:
        async with asyncio.timeout(_SECONDS):
            line = await output.readline()
            found = _FORWARDING.search(line)
            words = b"" if found else await errors.read()
    except TimeoutError:
        raise TreadleError(f"kubectl does not forward {what} within {_SECONDS:g} s") from None
    if found is None:
        raise TreadleError(f"kubectl cannot forward {what}", words.decode(errors="replace").strip())
    return int(found.group(1))


async def end(process: asyncio.subprocess.Process) -> None:
    """Let it end, and wait for that."""
    if process.returncode is None:
        process.terminate()
    await process.communicate()
