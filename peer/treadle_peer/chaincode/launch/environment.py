"""The environment that Fabric gives a chaincode, for processes (fabric-wire.md §2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from treadle_peer.chaincode.authority import CertificateFiles

# What a program needs to run at all. Everything else of the peer's environment stays with the
# peer: it may hold what no chaincode should read.
_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME", "LD_LIBRARY_PATH")
_FORMAT: Final = (
    "%{color}%{time:2006-01-02 15:04:05.000 MST} [%{module}] %{shortfunc} -> "
    "%{level:.4s} %{id:03x}%{color:reset} %{message}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What one launch is told. ``files`` is None when 7052 has no TLS.

    ``server_address`` (host:port) is set for chaincode that listens instead of dialling.
    """

    ccid: str
    msp_id: str
    home: Path
    files: CertificateFiles | None
    logging_level: str = "info"
    shim_logging_level: str = "warning"
    server_address: str | None = None


def chaincode_environment(told: Surroundings, inherited: Mapping[str, str]) -> dict[str, str]:
    """The complete environment of one launch. Keys are passed as paths, never as values."""
    environment = {name: inherited[name] for name in _INHERITED if name in inherited}
    environment |= {
        "HOME": str(told.home),
        "CORE_CHAINCODE_ID_NAME": told.ccid,
        "CORE_CHAINCODE_LOGGING_LEVEL": told.logging_level,
        "CORE_CHAINCODE_LOGGING_SHIM": told.shim_logging_level,
        "CORE_CHAINCODE_LOGGING_FORMAT": _FORMAT,
        "CORE_PEER_LOCALMSPID": told.msp_id,
    }
    if told.server_address is not None:
        return environment | _server(told.ccid, told.server_address)
    return environment | _tls(told.files)


def _tls(files: CertificateFiles | None) -> dict[str, str]:
    if files is None:
        return {"CORE_PEER_TLS_ENABLED": "false"}
    return {
        "CORE_PEER_TLS_ENABLED": "true",
        "CORE_TLS_CLIENT_KEY_PATH": str(files.key_base64),
        "CORE_TLS_CLIENT_CERT_PATH": str(files.certificate_base64),
        "CORE_TLS_CLIENT_KEY_FILE": str(files.key_pem),
        "CORE_TLS_CLIENT_CERT_FILE": str(files.certificate_pem),
        "CORE_PEER_TLS_ROOTCERT_FILE": str(files.root),
    }


def _server(ccid: str, address: str) -> dict[str, str]:
    # The Python shim would take the client key variables for its server's, and as plain PEM.
    return {
        "CORE_PEER_TLS_ENABLED": "false",
        "CHAINCODE_ID": ccid,
        "CHAINCODE_SERVER_ADDRESS": address,
        "PYTHONUNBUFFERED": "1",
    }
