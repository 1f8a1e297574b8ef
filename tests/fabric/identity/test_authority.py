"""The certificate authority: its certificates work in real TLS handshakes."""

from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from treadle_fabric.identity import CertificateAuthority, CertificateError, IssuedCertificate
from treadle_fabric.identity.certificates import load_certificate

CA = CertificateAuthority.create(common_name="tlsca", organization="example.com")


def context(
    folder: Path, side: int, issued: IssuedCertificate, trusted: CertificateAuthority
) -> ssl.SSLContext:
    (folder / "cert.pem").write_bytes(issued.certificate_pem)
    (folder / "key.pem").write_bytes(issued.key_pem)
    made = ssl.SSLContext(side)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    made.load_verify_locations(cadata=trusted.certificate_pem.decode())
    made.verify_flags |= ssl.VERIFY_X509_STRICT
    made.verify_mode = ssl.CERT_REQUIRED
    return made


def handshake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=host),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(10):
        ends = [end for end in ends if not finished(end)]
    assert not ends


def finished(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_mutual_tls_between_issued_certificates(tmp_path: Path, host: str) -> None:
    hosts = ["localhost", "127.0.0.1", "::1"]
    server = context(
        tmp_path,
        ssl.PROTOCOL_TLS_SERVER,
        CA.issue(common_name="peer0", hosts=hosts, server=True),
        CA,
    )
    client = context(
        tmp_path, ssl.PROTOCOL_TLS_CLIENT, CA.issue(common_name="chaincode", client=True), CA
    )
    handshake(client, server, host)


def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    other = CertificateAuthority.create(common_name="tlsca", organization="example.com")
    server = context(
        tmp_path,
        ssl.PROTOCOL_TLS_SERVER,
        CA.issue(common_name="peer0", hosts=["localhost"], server=True),
        CA,
    )
    client = context(
        tmp_path, ssl.PROTOCOL_TLS_CLIENT, other.issue(common_name="x", client=True), CA
    )
    with pytest.raises(ssl.SSLError):
        handshake(client, server, "localhost")


def test_a_tls_certificate_without_hosts_carries_its_name_as_san() -> None:
    issued = load_certificate(
        CA.issue(common_name="peer0.example.com", server=True).certificate_pem
    )
    names = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["peer0.example.com"]


def test_signing_certificates_have_neither_usages_nor_names() -> None:
    issued = load_certificate(CA.issue(common_name="admin").certificate_pem)
    for extension in (x509.SubjectAlternativeName, x509.ExtendedKeyUsage):
        with pytest.raises(x509.ExtensionNotFound):
            issued.extensions.get_extension_for_class(extension)


def test_no_certificate_starts_before_or_outlives_its_authority() -> None:
    long = CA.issue(common_name="x", lifetime=timedelta(days=100_000))
    issued = load_certificate(long.certificate_pem)
    assert issued.not_valid_before_utc >= CA.certificate.not_valid_before_utc
    assert issued.not_valid_after_utc == CA.certificate.not_valid_after_utc


def test_a_kept_authority_goes_on_issuing() -> None:
    loaded = CertificateAuthority.from_pem(CA.certificate_pem, CA.key_pem)
    issued = load_certificate(loaded.issue(common_name="x").certificate_pem)
    issued.verify_directly_issued_by(CA.certificate)


def test_an_authority_with_a_foreign_key_is_refused() -> None:
    other = CertificateAuthority.create(common_name="tlsca", organization="example.com")
    with pytest.raises(CertificateError, match="does not belong to the CA certificate"):
        CertificateAuthority.from_pem(CA.certificate_pem, other.key_pem)
