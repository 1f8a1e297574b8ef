"""Python: a virtual environment of its own, or a folder of packages that can be carried away.

Fabric has no Python platform; this one is ours. A package may bring its wheels in ``wheels``.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.launch.builders.plans import BuildError, Layout, Start, Step, Tool

_ENTRIES: Final = ("chaincode.py", "main.py", "__main__.py")
_WHEELS: Final = "wheels"

PACKAGES: Final = "packages"
"""Folder of the output, see PortablePythonBuilder."""


class PythonBuilder:
    """Installs requirements.txt into a venv of the peer's own Python version."""

    @property
    def revision(self) -> str:
        """See Builder."""
        return "python-2"

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        """See Builder."""
        return [
            Tool(
                command=sys.executable,
                version=("-VV",),
                remedy="install Python 3.11 or newer with its venv module (python3-venv)",
            )
        ]

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        """See Builder."""
        python = str(_python(layout))
        venv = [sys.executable, "-m", "venv", str(layout.output / "venv")]
        compile_all = [python, "-m", "compileall", "-q", "."]
        return [
            Step(arguments=arguments, folder=layout.source)
            for arguments in (venv, _install(python, layout.source), compile_all)
        ]

    def start(self, layout: Layout, address: str) -> Start:
        """See Builder. *address* is not told: the Python shim is a server."""
        arguments = [str(_python(layout)), _entry(layout.source)]
        return Start(arguments=arguments, folder=layout.source, listens=True)


class PortablePythonBuilder:
    """Installs requirements.txt into a folder that also another machine's Python can use.

    The packages are in ``PACKAGES`` of the output; ``PYTHONPATH`` has to name it at the start.
    """

    @property
    def revision(self) -> str:
        """See Builder."""
        return "portable-python-1"

    def tools(self, names: Collection[str]) -> Sequence[Tool]:
        """See Builder."""
        remedy = "name a builder image with Python 3.11 or newer and pip"
        return [Tool(command="python3", version=("-VV",), remedy=remedy)]

    def steps(self, layout: Layout, path: str) -> Sequence[Step]:
        """See Builder."""
        packages = str(layout.output / PACKAGES)
        target = ["--no-compile", "--target", packages]
        # By content: the times of files are not kept. What of others' packages does not compile
        # is not imported either; what of the chaincode does not, is an error of its author.
        compile_all = ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
        tolerant = ["sh", "-c", '"$@" || true', "compileall", *compile_all, packages]
        return [
            Step(arguments=arguments, folder=layout.source)
            for arguments in (
                _install("python3", layout.source, *target),
                tolerant,
                [*compile_all, "."],
            )
        ]

    def start(self, layout: Layout, address: str) -> Start:
        """See Builder. *address* is not told: the Python shim is a server."""
        arguments = ["python3", _entry(layout.source)]
        return Start(arguments=arguments, folder=layout.source, listens=True)


def _install(python: str, source: Path, *target: str) -> Sequence[str]:
    """The line that installs the requirements; raises BuildError for what is no project."""
    requirements = source / "requirements.txt"
    if not requirements.is_file():
        raise BuildError(
            "no requirements.txt found at the root of the chaincode package; it names the "
            "shim: fabric-chaincode-python==2.5.4"
        )
    _entry(source)
    line = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet"]
    if (source / _WHEELS).is_dir():
        line += ["--no-index", "--find-links", str(source / _WHEELS)]
    return [*line, *target, "-r", str(requirements)]


def _python(layout: Layout) -> Path:
    return layout.output / "venv" / "bin" / "python"


def _entry(source: Path) -> str:
    for name in _ENTRIES:
        if (source / name).is_file():
            return name
    raise BuildError(f"none of {', '.join(_ENTRIES)} is at the root of the chaincode package")
