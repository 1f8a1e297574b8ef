"""Python: a virtual environment of its own. Fabric has no Python platform; this one is ours."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.launch.builders.plans import BuildError, Layout, Start, Step, Tool

_ENTRIES: Final = ("chaincode.py", "main.py", "__main__.py")


class PythonBuilder:
    """Installs requirements.txt into a venv of the peer's own Python version."""

    @property
    def revision(self) -> str:
        """See Builder."""
        return "python-1"

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
        requirements = layout.source / "requirements.txt"
        if not requirements.is_file():
            raise BuildError(
                "no requirements.txt found at the root of the chaincode package; it names the "
                "shim: fabric-chaincode-python==2.5.4"
            )
        _entry(layout.source)
        python = str(_python(layout))
        install = [python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        install += ["--quiet", "-r", str(requirements)]
        venv = [sys.executable, "-m", "venv", str(layout.output / "venv")]
        compile_all = [python, "-m", "compileall", "-q", "."]
        return [
            Step(arguments=arguments, folder=layout.source)
            for arguments in (venv, install, compile_all)
        ]

    def start(self, layout: Layout, address: str) -> Start:
        """See Builder. *address* is not told: the Python shim is a server."""
        arguments = [str(_python(layout)), _entry(layout.source)]
        return Start(arguments=arguments, folder=layout.source, listens=True)


def _python(layout: Layout) -> Path:
    return layout.output / "venv" / "bin" / "python"


def _entry(source: Path) -> str:
    for name in _ENTRIES:
        if (source / name).is_file():
            return name
    raise BuildError(f"none of {', '.join(_ENTRIES)} is at the root of the chaincode package")
