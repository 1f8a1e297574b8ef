"""TLS material of a listener, for gRPC and for HTTP."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


@dataclass(frozen=True, slots=True, kw_only=True)
class TLSMaterial:
    """PEM certificate and key of a server; ``client_roots`` are the PEM roots of client
    certificates, which are demanded when ``require_client`` is set."""

    certificate: bytes
    key: bytes = field(repr=False)
    client_roots: bytes = b""
    require_client: bool = False


def grpc_credentials(material: TLSMaterial) -> grpc.ServerCredentials:
    """Credentials of a gRPC port. gRPC cannot ask for a certificate without demanding it
    (fabric-wire.md trap 5), so it asks only when it demands."""
    roots = material.client_roots if material.require_client else None
    return grpc.ssl_server_credentials(
        [(material.key, material.certificate)],
        root_certificates=roots or None,
        require_client_auth=material.require_client,
    )


def http_context(material: TLSMaterial) -> ssl.SSLContext:
    """An SSL context that takes client certificates when given, and demands them when told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The ssl module loads key pairs from files only.
    with tempfile.TemporaryDirectory(prefix="treadle-tls-") as folder:
        certificate, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
        certificate.write_bytes(material.certificate)
        key.touch(mode=0o600)
        key.write_bytes(material.key)
        context.load_cert_chain(certificate, key)
    if material.client_roots:
        context.load_verify_locations(cadata=material.client_roots.decode())
        context.verify_mode = ssl.CERT_REQUIRED if material.require_client else ssl.CERT_OPTIONAL
    return context


def certificate_hash(pem: bytes) -> bytes:
    """SHA-256 of the DER form, as channel headers carry it (``tls_cert_hash``)."""
    certificate = x509.load_pem_x509_certificate(pem)
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()
