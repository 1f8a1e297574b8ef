"""Go: modules, vendored modules, GOPATH (fabric-wire.md §2.6)."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.launch.builders.plans import BuildError, Layout, Start, Step, Tool

_PROGRAM: Final = "chaincode"


class GoBuilder:
    """Builds as Fabric 2.5's build image does, but for the local machine and not statically.

    *gopath* is where packages without a module find a shim that they do not carry; by default
    the one of this process.
    """

    def __init__(self, gopath: str | None = None) -> None:
        self._gopath = gopath

    @property
    def revision(self) -> str:
        """See Builder."""
        return "golang-2"

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        """See Builder."""
        remedy = "install Go 1.22 or newer (https://go.dev/dl, or your distribution's golang)"
        return [Tool(command="go", version=("version",), remedy=remedy)]

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        """See Builder."""
        folder, mode, target = _module(layout.source, path)
        # A data folder inside somebody's repository or workspace must not change the build.
        # Without paths in it, what one folder has compiled another one need not.
        environment = {"GO111MODULE": "on", "GOFLAGS": "-trimpath", "GOWORK": "off"}
        if mode is None:
            # A 1.4 package counts on the shim that lies in the builder's own GOPATH.
            own = self._gopath or os.environ.get("GOPATH") or str(Path.home() / "go")
            environment |= {"GO111MODULE": "off", "GOPATH": f"{layout.package}:{own}"}
        arguments = ["go", "build", "-buildvcs=false"]
        arguments += [f"-mod={mode}"] if mode is not None else []
        arguments += ["-o", str(layout.output / _PROGRAM), target]
        return [Step(arguments=arguments, folder=folder, environment=environment)]

    def start(self, layout: Layout, address: str) -> Start:
        """See Builder."""
        program = layout.output / _PROGRAM
        if not program.is_file():
            raise BuildError("go build made no program: is the package at that path named main?")
        return Start(arguments=[str(program), f"-peer.address={address}"], folder=layout.source)


def _module(source: Path, path: str) -> tuple[Path, str | None, str]:
    """Where to build, with which -mod (None: GOPATH mode), and which package."""
    nested = source / path.strip("/") if path else source
    if (source / "go.mod").is_file():
        # The path of a module's package is an import path; a folder's name means the root.
        target = "." if not path or path.startswith(("/", "~")) else path
        return source, _mode(source), target
    if (nested / "go.mod").is_file():
        return nested, _mode(nested), "."
    if not nested.is_dir() or nested == source:
        raise BuildError(
            f"the package has neither a go.mod nor the folder src/{path}: "
            "package a Go module, or give the import path of a GOPATH project with -p"
        )
    return source, None, path.strip("/")


def _mode(module: Path) -> str:
    return "vendor" if (module / "vendor").is_dir() else "readonly"
