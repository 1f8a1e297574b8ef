"""Before and after a build: the package is fetched and unpacked, what came of it is stored."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_fabric.packages import (
    PackageFormatError,
    extract_code,
    parse_legacy_package,
    read_archive,
)

from treadle_peer.chaincode.launch.builders import BuildError
from treadle_peer.chaincode.recipes import (
    RUN_SCRIPT,
    CarryingError,
    Recipe,
    build_script,
    pack,
    recipe_for,
    run_script,
    write_probe,
)
from treadle_peer.pods.persisting import persist
from treadle_peer.pods.told import PodError, Told
from treadle_peer.server.artifacts_client import (
    ArtifactsError,
    Package,
    PeerAway,
    fetch_package,
    store_output,
)

_LOG = logging.getLogger(__name__)
_SCRIPT: Final = "build.sh"
_NOTE: Final = "package.json"
_ARCHIVE: Final = "output.tar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """The folder that the containers of a build share, and the files that it talks of."""

    work: Path
    authority: Path
    termination: Path


async def fetch(told: Told, building: Building) -> None:
    """Leave the unpacked package and its build script in the work folder; raises PodError."""
    target = told.target()
    package = await persist(lambda: fetch_package(target), patience=told.patience)
    await asyncio.to_thread(prepare, package, building)
    _LOG.info("unpacked the package of %s", package.ccid)


def prepare(package: Package, building: Building) -> None:
    """Unpack *package* and write the script that builds it; raises PodError."""
    source = building.work / "source"
    shutil.rmtree(source, ignore_errors=True)
    recipe = _recipe(package.language, package.path, building.work)
    try:
        code = parse_legacy_package(package.raw).code
        names = [entry.name for entry in read_archive(code, what="code package")]
        extract_code(code, source)
    except PackageFormatError as error:
        raise PodError(f"the package of {package.ccid} is not readable: {error}") from error
    try:
        script = build_script(
            recipe,
            names=names,
            work=building.work,
            authority=building.authority,
            termination=building.termination,
            setting="the Peer's spec.chaincode.builders",
        )
    except BuildError as error:
        raise PodError(str(error)) from error
    write_probe(recipe)
    note = {"language": package.language, "path": package.path, "ccid": package.ccid}
    (building.work / _NOTE).write_text(json.dumps(note), encoding="utf-8")
    (building.work / _SCRIPT).write_text(script, encoding="utf-8")


async def store(told: Told, building: Building) -> None:
    """Hand what was built to the peer; raises PodError."""
    target = told.target()
    path = building.work / _ARCHIVE
    await asyncio.to_thread(collect, building.work, path)
    ambiguous = False

    async def put() -> str:
        nonlocal ambiguous
        with path.open("rb") as file:
            try:
                return await store_output(target, file)
            except PeerAway:
                ambiguous = True
                raise
            except ArtifactsError as error:
                # The peer may have stored it and gone away before it could say so.
                if ambiguous and "is stored; its builder's certificates ended" in str(error):
                    return "stored before"
                raise

    digest = await persist(put, patience=told.patience)
    _LOG.info("stored an output of %d bytes, SHA-256 %s", path.stat().st_size, digest)


def collect(work: Path, archive: Path) -> None:
    """Pack what the build made, with the script that starts it; raises PodError."""
    try:
        note = json.loads((work / _NOTE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PodError(f"no package was unpacked in {work}") from None
    recipe = _recipe(note["language"], note["path"], work)
    try:
        pack(recipe.files(), {RUN_SCRIPT: run_script(recipe)}, archive)
    except (BuildError, CarryingError) as error:
        raise PodError(str(error)) from error


def _recipe(language: str, path: str, work: Path) -> Recipe:
    try:
        return recipe_for(language, work=work, path=path)
    except BuildError as error:
        raise PodError(str(error)) from error
