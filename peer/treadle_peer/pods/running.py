"""Before a chaincode runs: its output is fetched, checked, unpacked; its start is written."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.launch.builders import BuildError
from treadle_peer.chaincode.recipes import (
    CarryingError,
    Place,
    recipe_for,
    start_script,
    unpack,
)
from treadle_peer.pods.persisting import persist
from treadle_peer.pods.told import PodError, Told
from treadle_peer.server.artifacts_client import fetch_output

_LOG = logging.getLogger(__name__)
_HOME: Final = Path("/tmp")  # noqa: S108 - the pod's own
_ARCHIVE: Final = ".output.tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs in ``folder``: which chaincode, in which language, for a peer of which MSP.

    ``sha256`` is the output that the manifest was made for; empty for whichever there is.
    """

    folder: Path
    ccid: str
    language: str
    msp_id: str
    sha256: str


async def fetch(told: Told, running: Running) -> None:
    """Leave the output and the start script in the folder; raises PodError."""
    target = told.target()
    archive = running.folder / _ARCHIVE

    async def get() -> str:
        with archive.open("wb") as sink:
            return await fetch_output(target, sink)

    digest = await persist(get, patience=told.patience)
    if running.sha256 and digest != running.sha256.lower():
        archive.unlink()
        raise PodError(
            f"the peer's output of {running.ccid} has SHA-256 {digest}, "
            f"but this pod was made for {running.sha256}"
        )
    await asyncio.to_thread(install, archive, running)
    write_start(told, running)
    _LOG.info("unpacked the output of %s, SHA-256 %s", running.ccid, digest)


def install(archive: Path, running: Running) -> None:
    """Unpack *archive* and remove it; raises PodError."""
    try:
        with archive.open("rb") as file:
            unpack(file, running.folder / "output")
    except CarryingError as error:
        raise PodError(str(error)) from error
    finally:
        archive.unlink()


def write_start(told: Told, running: Running) -> None:
    """Write the start script; raises PodError for a language that nothing starts."""
    try:
        recipe = recipe_for(running.language, work=running.folder, path="")
    except BuildError as error:
        raise PodError(str(error)) from error
    serves = not recipe.probe
    place = Place(
        ccid=running.ccid,
        msp_id=running.msp_id,
        peer_address=told.peer,
        home=_HOME,
        files=None if serves else told.files(),
    )
    script = start_script(recipe, output=running.folder / "output", place=place)
    (running.folder / "start.sh").write_text(script, encoding="utf-8")
