"""What a developer types to start an own process. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SERVER: Final = "127.0.0.1:9999"
_PROGRAMS: Final = {
    "golang": "<chaincode> -peer.address {address}",
    "node": "node <chaincode>.js --peer.address {address}",
    "java": "CORE_PEER_ADDRESS={address} java -jar <chaincode>.jar",
}
# Two dashes are what the shims of Go, Node and Java all take.
_ANY_PROGRAM: Final = "<chaincode> --peer.address {address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentFiles:
    """The development certificate's files, where the chaincode port has TLS.

    Shims read certificate and key in base64, the bridge reads PEM.
    """

    root: Path
    certificate: Path
    key: Path
    certificate_base64: Path
    key_base64: Path


def start_line(*, ccid: str, language: str, address: str, files: DevelopmentFiles | None) -> str:
    """The command in one line; a language that is not known gets the one that fits most.

    *address* is the peer's chaincode port, *files* None without TLS.
    """
    if language == "python":
        return "  and  ".join(server_lines(ccid=ccid, address=address, files=files))
    program = _PROGRAMS.get(language, _ANY_PROGRAM).format(address=address)
    return " ".join([f"CORE_CHAINCODE_ID_NAME={ccid}", *_settings(files), program])


def server_lines(*, ccid: str, address: str, files: DevelopmentFiles | None) -> tuple[str, str]:
    """For a shim that only listens (Python's): its start, and the bridge that joins it."""
    start = f"CHAINCODE_ID={ccid} CHAINCODE_SERVER_ADDRESS={_SERVER} python <chaincode>.py"
    bridge = f"treadle bridge --peer {address} --chaincode {_SERVER} --id {ccid}"
    if files is not None:
        bridge += f" --cafile {files.root} --certfile {files.certificate} --keyfile {files.key}"
    return start, bridge


def _settings(files: DevelopmentFiles | None) -> list[str]:
    if files is None:
        return ["CORE_PEER_TLS_ENABLED=false"]
    return [
        "CORE_PEER_TLS_ENABLED=true",
        f"CORE_PEER_TLS_ROOTCERT_FILE={files.root}",
        f"CORE_TLS_CLIENT_KEY_PATH={files.key_base64}",
        f"CORE_TLS_CLIENT_CERT_PATH={files.certificate_base64}",
    ]
