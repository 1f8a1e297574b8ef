"""What a developer types to start an own process. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_SERVER = "127.0.0.1:9999"


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


def start_hint(*, ccid: str, language: str, address: str, files: DevelopmentFiles | None) -> str:
    """The command of one line; *address* is the peer's chaincode port, *files* None without TLS."""
    if language == "python":
        return _server_hint(ccid, address, files)
    settings = [f"CORE_CHAINCODE_ID_NAME={ccid}"]
    if files is None:
        settings.append("CORE_PEER_TLS_ENABLED=false")
    else:
        settings += [
            "CORE_PEER_TLS_ENABLED=true",
            f"CORE_PEER_TLS_ROOTCERT_FILE={files.root}",
            f"CORE_TLS_CLIENT_CERT_PATH={files.certificate_base64}",
            f"CORE_TLS_CLIENT_KEY_PATH={files.key_base64}",
        ]
    flag = "--peer.address" if language == "node" else "-peer.address"
    if language == "java":
        return " ".join([*settings, f"CORE_PEER_ADDRESS={address}", "java -jar <chaincode>.jar"])
    return " ".join([*settings, "<chaincode>", flag, address])


def _server_hint(ccid: str, address: str, files: DevelopmentFiles | None) -> str:
    start = f"CHAINCODE_ID={ccid} CHAINCODE_SERVER_ADDRESS={_SERVER} python <chaincode>.py"
    bridge = f"treadle bridge --peer {address} --chaincode {_SERVER} --id {ccid}"
    if files is not None:
        bridge += f" --cafile {files.root} --certfile {files.certificate} --keyfile {files.key}"
    return f"{start}  and  {bridge}"
