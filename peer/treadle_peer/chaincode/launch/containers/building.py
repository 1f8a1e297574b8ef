"""Builds in containers of the builder images: each done once, its output kept as one archive.

A build's folder holds ``output.tar`` and, once the build has succeeded, ``complete.json`` (see
``shelf``). Its name covers the image, so that a newer one builds anew. Scripts and archive are
those of pods (``chaincode.recipes``).
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_fabric.packages import PackageFormatError, extract_code, read_archive

from treadle_peer.chaincode.launch.builders import BuildError, builder_of
from treadle_peer.chaincode.launch.containers.archives import take_folder, write_folder
from treadle_peer.chaincode.launch.containers.calling import call
from treadle_peer.chaincode.launch.containers.engine import (
    ContainerPlan,
    Engine,
    EngineError,
    MissingImageError,
)
from treadle_peer.chaincode.launch.containers.running import RunningContainer, create
from treadle_peer.chaincode.launch.logs import CapturedLog
from treadle_peer.chaincode.launch.shelf import Shelf
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
from treadle_peer.config import ContainersConfig
from treadle_peer.execution import InstalledPackage

_LOG = logging.getLogger(__name__)
_COMPLETE: Final = "complete.json"
_OUTPUT: Final = "output.tar"
_LOG_BYTES: Final = 4 * 1024 * 1024
_AT_ONCE: Final = 2
_REVISION: Final = "1"
_WORK: Final = "/treadle/work"
"""The work folder, as the container sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerBuild:
    """A finished build: ``output`` is the archive, ``listens`` whether it is a server."""

    language: str
    output: Path
    listens: bool


class ContainerBuilds:
    """All builds of one peer. At most two run at once; the same one never runs twice."""

    def __init__(
        self,
        *,
        folder: Path,
        engine: Engine,
        settings: ContainersConfig,
        labels: Mapping[str, str],
        timeout: float,
        environment: Mapping[str, str],
    ) -> None:
        """*timeout* (seconds) bounds one build; *environment* is told to all of them."""
        self.shelf = Shelf(folder, mark=_COMPLETE)
        self._engine = engine
        self._settings = settings
        self._labels = labels
        self._timeout = timeout
        self._environment = environment
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._locks: dict[Path, asyncio.Lock] = {}

    async def obtain(
        self, package: InstalledPackage, *, before: Callable[[str], Awaitable[object]]
    ) -> ContainerBuild:
        """The build of *package*, made now unless it was made before. Raises BuildError.

        *before* is called with the language before the work begins; what it raises prevents it.
        """
        name = builder_of(package, self._settings.builders)
        await before(package.language)
        image = await self._image(name, package.language)
        folder = self.shelf.place(package, _REVISION, image)
        async with self._locks.setdefault(folder, asyncio.Lock()):
            if not self.shelf.finished(folder):
                async with self._slots:
                    await self._make(package, image, folder)
            told = json.loads((folder / _COMPLETE).read_text(encoding="utf-8"))
            return ContainerBuild(
                language=package.language, output=folder / _OUTPUT, listens=told["listens"]
            )

    async def _image(self, name: str, language: str) -> str:
        try:
            return await call(self._engine.image, name)
        except MissingImageError as error:
            raise BuildError(
                f"{error}; load it, or name another one in "
                f"treadle.chaincode.docker.builders.{language}"
            ) from error
        except EngineError as error:
            raise BuildError(str(error)) from error

    async def _make(self, package: InstalledPackage, image: str, folder: Path) -> None:
        started = time.monotonic()
        work = folder / "work"
        recipe = await asyncio.to_thread(self._prepare, package, work)
        log = CapturedLog(folder / "build.log", limit=_LOG_BYTES)
        try:
            async with asyncio.timeout(self._timeout):
                await self._build(package.ccid, image, work, log)
            listens = await asyncio.to_thread(_carry, recipe, folder / _OUTPUT)
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
            told = json.dumps({"listens": listens}).encode()
            await asyncio.to_thread(self.shelf.finish, folder, told)
        except TimeoutError:
            raise BuildError(
                f"the build took longer than {self._timeout:.0f} s "
                f"(treadle.chaincode.buildTimeout){_quoted(log)}"
            ) from None
        except (EngineError, CarryingError, OSError) as error:
            raise BuildError(str(error)) from error
        finally:
            log.close()
            await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)
        seconds = time.monotonic() - started
        _LOG.info("Built chaincode %s in a container in %.1f s", package.ccid, seconds)

    def _prepare(self, package: InstalledPackage, work: Path) -> Recipe:
        """Everything that the container is given, in *work*."""
        shutil.rmtree(work.parent, ignore_errors=True)
        recipe = recipe_for(package.language, work=work, path=package.path)
        try:
            names = [entry.name for entry in read_archive(package.code, what="code package")]
            extract_code(package.code, work / "source")
        except PackageFormatError as error:
            raise BuildError(str(error)) from error
        authority = work / "authority.crt"
        own = self._environment.get("SSL_CERT_FILE", "")
        if own and Path(own).is_file():
            shutil.copyfile(own, authority)
        script = build_script(
            recipe,
            names=names,
            work=Path(_WORK),
            authority=Path(_WORK, authority.name),
            termination=Path("/dev/null"),  # the whole log is here
            setting=f"treadle.chaincode.docker.builders.{package.language}",
        )
        write_probe(recipe)
        (work / "build.sh").write_text(script, encoding="utf-8")
        return recipe

    async def _build(self, ccid: str, image: str, work: Path, log: CapturedLog) -> None:
        told = {name: self._environment[name] for name in _TOLD if name in self._environment}
        plan = ContainerPlan(
            image=image,
            arguments=["/bin/sh", f"{_WORK}/build.sh"],
            environment=told,
            labels=self._labels,
        )
        container = await create(self._engine, plan)
        running = RunningContainer(engine=self._engine, container=container, log=log)
        try:
            await call(self._put, container, work)
            await running.start()
            code = await running.exited()
            if code != 0:
                raise BuildError(f"the build of {ccid} failed with exit code {code}{_quoted(log)}")
            for name in ("source", "output"):
                await call(self._get, container, work / name)
        finally:
            await asyncio.shield(running.end(grace=0.0))

    def _put(self, container: str, work: Path) -> None:
        archive = work.parent / "work.tar"
        with archive.open("w+b") as file:
            write_folder(work, file, name=_WORK)
            file.seek(0)
            self._engine.put(container, folder="/", archive=file)
        archive.unlink()

    def _get(self, container: str, folder: Path) -> None:
        archive = folder.parent / f"{folder.name}.tar"
        with archive.open("w+b") as file:
            most = self._settings.most_output_bytes
            path = f"{_WORK}/{folder.name}"
            self._engine.get(container, path=path, into=file, most=most)
            file.seek(0)
            shutil.rmtree(folder, ignore_errors=True)
            take_folder(file, folder, most=most)
        archive.unlink()


# What a toolchain is told of this peer's surroundings: mirrors and proxies, no paths.
_TOLD: Final = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "GOPROXY",
    "GONOPROXY",
    "GOPRIVATE",
    "GOSUMDB",
    "GONOSUMDB",
    "GOINSECURE",
    "npm_config_registry",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "MAVEN_ARGS",
)


def _carry(recipe: Recipe, target: Path) -> bool:
    """Pack what was built; whether it is a server. Raises BuildError and CarryingError."""
    pack(recipe.files(), {RUN_SCRIPT: run_script(recipe)}, target)
    return recipe.start().listens


def _quoted(log: CapturedLog) -> str:
    tail = log.tail()
    return f":\n{tail}" if tail else ""
