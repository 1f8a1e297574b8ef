"""The local MSP: a folder with a signing certificate and its key (fabric-wire.md 6.3)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from fabric_protos.msp.msp_config_pb2 import MSPConfig

from treadle_fabric.identity.certificates import (
    CertificateError,
    certificate_pem,
    load_certificate,
    subject_key_id,
)
from treadle_fabric.identity.signers import Signer, SigningIdentity, load_private_key
from treadle_fabric.msp.errors import MSPError
from treadle_fabric.msp.folders import load_msp_config, pem_files
from treadle_fabric.msp.membership import MSP
from treadle_fabric.msp.units import MSPVersion

_log: Final = logging.getLogger(__name__)
_MAX_KEY_FILE: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class LocalMSP:
    """The MSP of a node with the identity it signs with. ``config`` holds no signer."""

    msp: MSP
    signer: Signer
    config: MSPConfig


def load_local_msp(folder: Path, *, msp_id: str) -> LocalMSP:
    """Load a local MSP folder; raises MSPError naming the folder and what is missing or wrong."""
    config = load_msp_config(folder, msp_id=msp_id)
    certificate_file, certificate = _signing_certificate(folder / "signcerts")
    key = _private_key(folder / "keystore", certificate, certificate_file)
    msp = MSP.from_config(config, version=MSPVersion.V1_4_3)
    try:
        clean = msp.deserialize_certificate(certificate_pem(certificate)).certificate
        signer = SigningIdentity.from_pem(
            msp_id=msp_id, certificate=certificate_pem(clean), private_key=key
        )
    except (MSPError, CertificateError) as error:
        raise MSPError(f"unusable signer certificate {certificate_file}: {error}") from None
    _check_expiry(clean)
    return LocalMSP(msp=msp, signer=signer, config=config)


def _signing_certificate(folder: Path) -> tuple[Path, x509.Certificate]:
    for name, content in pem_files(folder).items():
        try:
            return folder / name, load_certificate(content)
        except CertificateError as error:
            raise MSPError(f"unusable signer certificate {folder / name}: {error}") from None
    raise MSPError(f"could not load a valid signer certificate from directory {folder}")


def _private_key(folder: Path, certificate: x509.Certificate, certificate_file: Path) -> bytes:
    public_key = certificate.public_key()
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise MSPError(f"the signer certificate {certificate_file} has no ECDSA key")
    expected = folder / f"{subject_key_id(public_key).hex()}_sk"
    others = sorted(folder.iterdir()) if folder.is_dir() else []
    for path in (expected, *others):
        content = _key_file(path)
        if content is not None and _belongs(content, public_key):
            return content
    raise MSPError(
        f"no private key in directory {folder} belongs to the signer certificate {certificate_file}"
    )


def _key_file(path: Path) -> bytes | None:
    try:
        if not path.is_file() or path.stat().st_size > _MAX_KEY_FILE:
            return None
        return path.read_bytes()
    except OSError as error:
        _log.warning("Failed reading file %s: %s", path, error)
        return None


def _belongs(content: bytes, public_key: ec.EllipticCurvePublicKey) -> bool:
    try:
        return load_private_key(content).public_key() == public_key
    except CertificateError:
        return False


def _check_expiry(certificate: x509.Certificate) -> None:
    age = datetime.now(UTC) - certificate.not_valid_after_utc
    if age >= timedelta():
        raise MSPError(f"signing identity expired {_duration(age)} ago")


def _duration(value: timedelta) -> str:
    minutes, seconds = divmod(value.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    prefix = f"{hours}h" if hours else ""
    return f"{prefix}{minutes}m{seconds:g}s" if hours or minutes else f"{seconds:g}s"
