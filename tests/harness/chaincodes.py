"""The example chaincodes, built as their developers would, and started by hand."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.processes import Started

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples" / "chaincode"
LANGUAGES = ("go", "node", "java", "python")
PEER_LANGUAGE = {"go": "golang", "node": "node", "java": "java", "python": "python"}
BUILT_BY_TOOLS = {"node_modules", "target", "__pycache__", ".venv"}


def sources(language: str) -> Path:
    """The folder a developer would have."""
    return EXAMPLES / language


def copy_sources(language: str, target: Path) -> Path:
    """A copy that a test may edit."""
    ignore = shutil.ignore_patterns(*BUILT_BY_TOOLS)
    shutil.copytree(sources(language), target, ignore=ignore)
    return target


def edit_version(folder: Path, language: str, version: str) -> None:
    """Change what the function ``version`` answers."""
    file = {
        "go": "contract.go",
        "node": "lib/contract.js",
        "python": "chaincode.py",
    }.get(language)
    path = folder / file if file else next(folder.rglob("Contract.java"))
    before = path.read_text()
    after = before
    for quote in ('"', "'"):
        for form in ("const version = {q}1{q}", "VERSION = {q}1{q}"):
            old = form.format(q=quote)
            after = after.replace(old, old.replace(f"{quote}1{quote}", f"{quote}{version}{quote}"))
    assert after != before, f"{path} does not declare its version as expected"
    path.write_text(after)


def build(language: str, folder: Path) -> None:
    """Build in place, by the commands of the language's own users."""
    commands: dict[str, list[list[str]]] = {
        "go": [["go", "build", "-o", "chaincode", "."]],
        "node": [["npm", "ci", "--omit=dev", "--no-audit", "--no-fund"]],
        "java": [["mvn", "-q", "-B", "package"]],
        "python": [
            [sys.executable, "-m", "venv", ".venv"],
            [".venv/bin/pip", "install", "-q", "-r", "requirements.txt"],
        ],
    }
    for command in commands[language]:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"


def fingerprint(language: str) -> str:
    """Changes whenever the example's sources do."""
    digest = hashlib.sha256(sys.version.encode())
    for file in sorted(sources(language).rglob("*")):
        if file.is_file() and not BUILT_BY_TOOLS & set(file.parts):
            digest.update(str(file.relative_to(EXAMPLES)).encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def built(language: str) -> Path:
    """The example, built once per state of its sources and kept in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "treadle"
    folder = cache / "examples" / f"{language}-{fingerprint(language)}"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        copy_sources(language, folder)
        build(language, folder)
        (folder / ".complete").touch()
    return folder


def start_line(language: str, folder: Path, address: str) -> list[str]:
    """What Fabric's documentation says to type (no tool of ours)."""
    if language == "go":
        return [str(folder / "chaincode"), "-peer.address", address]
    if language == "node":
        return ["node", "index.js", "--peer.address", address]
    assert language == "java"
    jar = next(
        file for file in sorted((folder / "target").glob("*.jar")) if "original" not in str(file)
    )
    return ["java", "-jar", str(jar)]


def start_by_hand(
    language: str,
    folder: Path,
    *,
    ccid: str,
    address: str,
    output: Path,
    settings: Mapping[str, str] | None = None,
) -> Started:
    """Run the documented development start line; Go, Node and Java dial the peer themselves."""
    environment = (
        os.environ
        | {
            "CORE_CHAINCODE_ID_NAME": ccid,
            "CORE_PEER_TLS_ENABLED": "false",
        }
        | dict(settings or {})
    )
    if language == "java":
        environment["CORE_PEER_ADDRESS"] = address
    return Started(
        start_line(language, folder, address), output=output, environment=environment, cwd=folder
    )
