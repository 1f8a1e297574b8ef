"""The example chaincodes, built as their developers would, and started by hand."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
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


def start_line(language: str, folder: Path, address: str, *, flag: str = "") -> list[str]:
    """What Fabric's documentation says to type (no tool of ours).

    *flag* names the address where the documentation has none: Java then reads its environment.
    """
    if language == "go":
        return [str(folder / "chaincode"), "-peer.address", address]
    if language == "node":
        return ["node", "index.js", "--peer.address", address]
    assert language == "java"
    jar = next(
        file for file in sorted((folder / "target").glob("*.jar")) if "original" not in str(file)
    )
    return ["java", "-jar", str(jar), *([flag, address] if flag else [])]


def start_by_hand(
    language: str,
    folder: Path,
    *,
    ccid: str,
    address: str,
    output: Path,
    settings: Mapping[str, str] | None = None,
    address_flag: str = "",
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
    if language == "java" and not address_flag:
        environment["CORE_PEER_ADDRESS"] = address
    line = start_line(language, folder, address, flag=address_flag)
    return Started(line, output=output, environment=environment, cwd=folder)


def start_bridged(folder: Path, *, ccid: str, address: str, output: Path) -> list[Started]:
    """Run the two documented lines for Python: its shim only listens, the bridge joins both."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listening = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = {"CHAINCODE_ID": ccid, "CHAINCODE_SERVER_ADDRESS": listening}
    chaincode = Started(
        [str(folder / ".venv/bin/python"), "chaincode.py"],
        output=output,
        environment=os.environ | settings,
        cwd=folder,
    )
    flags = ["--peer", address, "--chaincode", listening, "--id", ccid]
    bridge = Started(
        [sys.executable, "-m", "treadle_cli.main", "bridge", *flags],
        output=output.with_suffix(".bridge.log"),
    )
    return [bridge, chaincode]


def newer(language: str, target: Path, version: str = "2") -> Path:
    """A built copy of the example whose function ``version`` answers *version*."""
    shutil.copytree(built(language), target, symlinks=True)
    edit_version(target, language, version)
    if language in ("go", "java"):
        build(language, target)
    return target
