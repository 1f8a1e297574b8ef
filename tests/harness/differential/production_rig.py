"""Conversations with peers in production mode, which build and launch a program of ours.

Here a real peer has no Docker, so that an external builder does what its build images would: the
words that name the builder are replaced by those that Docker's launcher has in their place.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from harness.differential.catalog import Conversation
from harness.differential.events import Recording
from harness.differential.holding import hold
from harness.differential.material import FixedConsortium
from harness.differential.production_processes import Processes
from harness.differential.targets import SETTINGS, OurTarget, RealTarget, write_crypto
from harness.peers import Peers
from harness.real_network import RealNetwork

STARTUP_SECONDS = 6
_SETTINGS = {**SETTINGS, "CORE_CHAINCODE_STARTUPTIMEOUT": f"{STARTUP_SECONDS}s"}
_BUILDER = "stand-in"
_EXIT_OF_RUN = f"failed to wait on container exit: builder '{_BUILDER}' run failed: exit status "
_SCRIPTS = {
    "detect": "exit 0",
    # One program for all packages of equal code, as every build is kept by its code.
    "build": """
kept="$TMPDIR/built-$(cat "$1"/src/* | sha256sum | cut -c1-40)"
if ! [ -x "$kept" ]; then
    (cd "$1/src" && go build -buildvcs=false -o "$3/program" .) || exit 1
    cp "$3/program" "$kept.$$" && mv "$kept.$$" "$kept"
fi
cp "$kept" "$3/program"
""",
    "release": "exit 0",
    "run": 'exec "$1/program" "$2"',
}


@dataclass(slots=True, kw_only=True)
class RealProduction(RealTarget):
    """Fabric's own peer with an external builder, and a solo orderer."""

    temporary: Path
    processes: Processes = field(default_factory=Processes)

    @classmethod
    def make(cls, folder: Path, binaries: Path) -> RealProduction:
        write_crypto(folder / "material")
        builder = _write_builder(folder / "builder")
        temporary = _made(folder / "tmp")
        network = RealNetwork(
            folder=folder / "network",
            binaries=binaries,
            crypto=folder / "material",
            max_message_count=1,
            development=False,
            peer_settings={**_SETTINGS, "TMPDIR": str(temporary), "HOME": os.environ["HOME"]},
            builders=[{"name": _BUILDER, "path": str(builder), "propagateEnvironment": ["HOME"]}],
        )
        return cls(folder, binaries, network, temporary=temporary)

    @property
    def texts(self) -> dict[str, str]:
        return {**RealTarget.texts.__get__(self), _EXIT_OF_RUN: "container exited with "}


@dataclass(slots=True, kw_only=True)
class OurProduction(OurTarget):
    """Our peer with the launcher ``process``."""

    temporary: Path
    processes: Processes = field(default_factory=Processes)

    @classmethod
    def make(cls, folder: Path) -> OurProduction:
        consortium = FixedConsortium()
        consortium.org1.write_msp(folder / "msp", consortium.peer.identity)
        temporary = _made(folder / "tmp")
        process = Peers(folder)(
            "peer",
            mode="net",
            start=False,
            extra={
                "CORE_PEER_LOCALMSPID": "Org1MSP",
                "CORE_PEER_MSPCONFIGPATH": str(folder / "msp"),
                "TMPDIR": str(temporary),
                **_SETTINGS,
            },
        )
        return cls(folder, process, temporary=temporary)


def held_by_real(
    conversations: Iterable[Conversation], *, folder: Path, binaries: Path
) -> dict[str, Recording]:
    """The recordings by key, of a real peer and orderer in *folder*."""
    return _held(conversations, RealProduction.make(folder, binaries))


def held_by_ours(conversations: Iterable[Conversation], *, folder: Path) -> dict[str, Recording]:
    """The recordings by key, of our peer in *folder*."""
    return _held(conversations, OurProduction.make(folder))


def _held(
    conversations: Iterable[Conversation], target: RealProduction | OurProduction
) -> dict[str, Recording]:
    async def held() -> dict[str, Recording]:
        async with target.processes.reporting(target.temporary):
            return await hold(conversations, target)

    try:
        target.start()
        return asyncio.run(held())
    finally:
        target.stop()


def _write_builder(folder: Path) -> Path:
    for name, script in _SCRIPTS.items():
        file = folder / "bin" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\nPATH={shlex.quote(os.environ['PATH'])}\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return folder


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
