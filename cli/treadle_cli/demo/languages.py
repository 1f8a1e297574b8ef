"""How a developer builds and starts the example chaincode in each language. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import treadle_cli
from treadle_cli.errors import TreadleError


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLanguage:
    """One language. Commands run in the chaincode's folder; ``{address}`` is the peer's 7052.

    ``serves`` is true where the shim is a server: ``treadle bridge`` then joins it to the peer.
    ``version_file`` holds the one line that the demo edits. ``needs`` are commands on PATH.
    """

    title: str
    package_type: str
    build: tuple[tuple[str, ...], ...]
    start: tuple[str, ...]
    version_file: str
    environment: Mapping[str, str] = field(default_factory=dict)
    serves: bool = False
    needs: tuple[str, ...] = ()


LANGUAGES: Mapping[str, DemoLanguage] = {
    "python": DemoLanguage(
        title="Python",
        package_type="python",
        build=(
            (sys.executable, "-m", "venv", ".venv"),
            (".venv/bin/pip", "install", "--quiet", "-r", "requirements.txt"),
        ),
        start=(".venv/bin/python", "chaincode.py"),
        version_file="chaincode.py",
        serves=True,
    ),
    "go": DemoLanguage(
        title="Go",
        package_type="golang",
        build=(("go", "build", "-o", "chaincode", "."),),
        start=("./chaincode", "-peer.address", "{address}"),
        version_file="contract.go",
        needs=("go",),
    ),
    "node": DemoLanguage(
        title="Node.js",
        package_type="node",
        build=(("npm", "ci", "--omit=dev", "--no-audit", "--no-fund"),),
        start=("node", "index.js", "--peer.address", "{address}"),
        version_file="lib/contract.js",
        needs=("node", "npm"),
    ),
    "java": DemoLanguage(
        title="Java",
        package_type="java",
        build=(("mvn", "-q", "-B", "package"),),
        start=("java", "-jar", "target/chaincode.jar"),
        version_file="**/Contract.java",
        environment={"CORE_PEER_ADDRESS": "{address}"},
        needs=("java", "mvn"),
    ),
}


def example_folder(name: str) -> Path:
    """The example chaincode's sources; raises TreadleError when they were not shipped."""
    package = Path(treadle_cli.__file__).parent
    for root in (package / "examples", package.parent.parent / "examples"):
        folder = root / "chaincode" / name
        if folder.is_dir():
            return folder
    raise TreadleError("the example chaincodes are not installed; run the demo from a checkout")


def edit_version(folder: Path, language: DemoLanguage, version: str) -> str:
    """Change what the chaincode's function ``version`` answers; returns the new line.

    Raises TreadleError when the source has no such line.
    """
    for file in sorted(folder.glob(language.version_file)):
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        for index, line in enumerate(lines):
            if _declares_version(line):
                lines[index] = line.replace('"1"', f'"{version}"').replace("'1'", f"'{version}'")
                file.write_text("".join(lines), encoding="utf-8")
                return lines[index].strip()
    raise TreadleError(f"no version line in {folder / language.version_file}")


def _declares_version(line: str) -> bool:
    return "version" in line.lower() and "=" in line and ('"1"' in line or "'1'" in line)
