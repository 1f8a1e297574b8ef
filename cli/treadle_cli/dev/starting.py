"""What the developer's command is started with: arguments and environment. Pure.

The shims read the peer's address from different places: Go and Node from a flag, Java from its
environment, too; Python's only listens and is dialled (fabric-wire.md §2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

ADDRESS: Final = "{address}"
LANGUAGES: Final = ("golang", "node", "java", "python")

_FLAGS: Final = {"golang": "-peer.address", "node": "--peer.address"}
_PROGRAMS: Final = {
    **dict.fromkeys(("node", "npm", "npx", "nodemon", "tsx", "ts-node", "yarn", "pnpm"), "node"),
    **dict.fromkeys(("java", "mvn", "mvnw", "gradle", "gradlew"), "java"),
    **dict.fromkeys(("python", "uv", "debugpy", "poetry", "hatch"), "python"),
}
# Their arguments are not the chaincode's: the address is in the environment, or {address} says
# where it goes.
_NO_FLAG: Final = frozenset({"sh", "bash", "zsh", "make", "env", "dlv", "docker", "podman", "npx"})
_PASSING_ON: Final = frozenset({"npm", "pnpm"})
_DROPPED: Final = ("CORE_TLS_CLIENT_", "CORE_PEER_TLS_", "CHAINCODE_TLS_")


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectFiles:
    """The shim's own TLS: PEM files, and the two that Node and Java read in base64."""

    root: Path
    certificate: Path
    key: Path
    certificate_base64: Path
    key_base64: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the chaincode has to know.

    ``address`` is what it dials, or where it listens when it ``serves``. ``language`` is one of
    LANGUAGES, or empty: the command tells. ``files`` only where the shim speaks TLS itself.
    """

    ccid: str
    address: str
    msp_id: str
    language: str
    serves: bool = False
    files: DirectFiles | None = None


def language_of(command: Sequence[str]) -> str:
    """The language that *command* is about; what is not recognised is a compiled program: Go."""
    program = PurePath(command[0]).name if command else ""
    known = _PROGRAMS.get(program)
    if known is None and program.startswith("python"):
        return "python"
    return known or "golang"


def arguments(command: Sequence[str], told: Told) -> list[str]:
    """*command* with the address in its place, or appended as the language's flag."""
    if any(ADDRESS in word for word in command):
        return [word.replace(ADDRESS, told.address) for word in command]
    flag = _FLAGS.get(told.language)
    program = PurePath(command[0]).name
    if told.serves or flag is None or program in _NO_FLAG or _has_flag(command):
        return list(command)
    # npm keeps what stands before the two dashes.
    dashes = ["--"] if program in _PASSING_ON and "--" not in command else []
    return [*command, *dashes, flag, told.address]


def _has_flag(command: Sequence[str]) -> bool:
    return any(word.lstrip("-").startswith("peer.address") for word in command)


def environment(told: Told, inherited: Mapping[str, str]) -> dict[str, str]:
    """The developer's own environment, and what the shim reads; no TLS setting of theirs."""
    kept = {name: text for name, text in inherited.items() if not name.startswith(_DROPPED)}
    return kept | settings(told)


def settings(told: Told) -> dict[str, str]:
    """The variables that we set, in an order for reading."""
    # The older spelling is read by no shim, but by scripts of its time.
    named = {"CORE_CHAINCODE_ID_NAME": told.ccid, "CORE_ID_CHAINCODE_NAME": told.ccid}
    shared = {"CORE_PEER_LOCALMSPID": told.msp_id} if told.msp_id else {}
    if told.serves:
        return {
            **named,
            **shared,
            "CORE_PEER_TLS_ENABLED": "false",
            "CHAINCODE_ID": told.ccid,
            "CHAINCODE_SERVER_ADDRESS": told.address,
            "PYTHONUNBUFFERED": "1",
        }
    return {**named, **shared, "CORE_PEER_ADDRESS": told.address, **_tls(told.files)}


def _tls(files: DirectFiles | None) -> dict[str, str]:
    if files is None:
        return {"CORE_PEER_TLS_ENABLED": "false"}
    return {
        "CORE_PEER_TLS_ENABLED": "true",
        "CORE_PEER_TLS_ROOTCERT_FILE": str(files.root),
        "CORE_TLS_CLIENT_KEY_PATH": str(files.key_base64),
        "CORE_TLS_CLIENT_CERT_PATH": str(files.certificate_base64),
        "CORE_TLS_CLIENT_KEY_FILE": str(files.key),
        "CORE_TLS_CLIENT_CERT_FILE": str(files.certificate),
    }
