"""How the files of an MSP lie in a Secret, whose keys know no folders. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from treadle_operator.errors import Blocked

_FILES: Final = {
    "cacert.pem": "cacerts/cacert.pem",
    "intermediatecert.pem": "intermediatecerts/intermediatecert.pem",
    "tlscacert.pem": "tlscacerts/tlscacert.pem",
    "tlsintermediatecert.pem": "tlsintermediatecerts/tlsintermediatecert.pem",
    "admincert.pem": "admincerts/admincert.pem",
    "crl.pem": "crls/crl.pem",
    "signcert.pem": "signcerts/cert.pem",
    "key.pem": "keystore/priv_sk",
    "config.yaml": "config.yaml",
}
_NEEDED: Final = ("cacert.pem", "signcert.pem", "key.pem")


@dataclass(frozen=True, slots=True)
class MSPFiles:
    """Keys of a Secret and where they belong in the MSP folder, sorted by key."""

    places: tuple[tuple[str, str], ...]


def msp_files(secret: str, data: Mapping[str, bytes]) -> MSPFiles:
    """What a Secret offers for an MSP folder; raises Blocked when something is missing."""
    missing = [key for key in _NEEDED if not data.get(key)]
    if missing:
        raise Blocked(
            "SecretInvalid",
            f"Secret {secret} has no {' and no '.join(missing)}; it needs {', '.join(_NEEDED)} "
            f"and may have {', '.join(sorted(set(_FILES) - set(_NEEDED)))}",
        )
    return MSPFiles(tuple((key, _FILES[key]) for key in sorted(_FILES) if key in data))
