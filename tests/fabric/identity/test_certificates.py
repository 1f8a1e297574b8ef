"""Certificates: PEM as Go reads it, and the low-S rewriting (fabric-wire.md 6.1)."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from treadle_fabric.identity import CertificateAuthority, CertificateError, certificates, signatures
from treadle_fabric.identity.certificates import decode_pem, load_certificate
from treadle_fabric.identity.signers import SigningIdentity

MIB = 1 << 20
CA = CertificateAuthority.create(common_name="ca.example.com", organization="example.com")
ISSUED = CA.issue(common_name="peer0", organizational_units=("peer", "blue"))
LEAF = load_certificate(ISSUED.certificate_pem)


def high_s(certificate: x509.Certificate) -> x509.Certificate:
    """The same certificate with the other, equally verifying, signature."""
    r, s = signatures.decode_signature(certificate.signature)
    order = signatures.guess_order(certificate.signature)
    twin = signatures.encode_signature(r, order - s)
    content = certificate.public_bytes(Encoding.DER)
    return certificates.parse_certificate(certificates._replace_signature(content, twin))


def test_a_high_s_certificate_is_rewritten_to_the_low_s_one() -> None:
    twin = high_s(LEAF)
    assert twin != LEAF
    twin.verify_directly_issued_by(CA.certificate)
    clean = certificates.sanitise_certificate(twin)
    assert clean == LEAF
    assert clean == certificates.sanitise_certificate(
        twin,
        issuer_order=signatures.curve_order(CA.certificate.public_key().curve),  # type: ignore[union-attr]
    )


def test_issued_certificates_need_no_rewriting() -> None:
    assert certificates.sanitise_certificate(LEAF) is LEAF


def test_a_signing_identity_shows_the_sanitised_certificate() -> None:
    identity = SigningIdentity.from_pem(
        msp_id="Org1MSP",
        certificate=high_s(LEAF).public_bytes(Encoding.PEM),
        private_key=ISSUED.key_pem,
    )
    assert identity.certificate_pem == ISSUED.certificate_pem
    assert ISSUED.certificate_pem in identity.serialize()


def test_the_fingerprint_is_the_sha256_of_the_der() -> None:
    expected = hashlib.sha256(LEAF.public_bytes(Encoding.DER)).hexdigest()
    assert ISSUED.fingerprint == expected == certificates.fingerprint(LEAF)


def test_organizational_units_come_in_order() -> None:
    assert certificates.organizational_units(LEAF) == ("peer", "blue")


def test_pem_may_have_text_before_and_after() -> None:
    text = b"subject=CN = x\n" + ISSUED.certificate_pem + b"rest"
    block = decode_pem(text)
    assert block is not None
    assert (block.label, block.rest) == ("CERTIFICATE", b"rest")
    assert load_certificate(text) == LEAF


@pytest.mark.parametrize(
    "text",
    [
        ISSUED.certificate_pem.replace(b"\n", b"\r\n"),
        ISSUED.certificate_pem.replace(b"-----\n", b"-----\nName: value\n\n", 1),
        ISSUED.certificate_pem.replace(b"CERTIFICATE", b""),
        ISSUED.certificate_pem.rstrip(),
        b"-----BEGIN X-----\n!!\n-----END X-----\n" + ISSUED.certificate_pem,
    ],
    ids=["crlf", "headers", "no label", "no last newline", "a broken block first"],
)
def test_pem_variants_that_go_reads(text: bytes) -> None:
    assert load_certificate(text) == LEAF


@pytest.mark.parametrize(
    "text",
    [b"", b"no pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n", ISSUED.certificate_pem[10:]],
)
def test_what_is_no_pem_is_refused(text: bytes) -> None:
    assert decode_pem(text) is None
    with pytest.raises(CertificateError, match="could not decode the PEM structure"):
        load_certificate(text)


def test_pem_that_is_no_certificate_is_refused() -> None:
    with pytest.raises(CertificateError, match="parseCertificate failed"):
        load_certificate(ISSUED.key_pem)


def test_a_key_of_another_certificate_is_refused() -> None:
    other = CA.issue(common_name="other")
    with pytest.raises(CertificateError, match="does not belong to the certificate"):
        SigningIdentity.from_pem(
            msp_id="M", certificate=ISSUED.certificate_pem, private_key=other.key_pem
        )


def test_private_keys_are_not_shown() -> None:
    identity = SigningIdentity.from_pem(
        msp_id="M", certificate=ISSUED.certificate_pem, private_key=ISSUED.key_pem
    )
    assert "key" not in repr(identity).lower()
    assert "PRIVATE" not in repr(ISSUED)
    assert "PRIVATE" not in repr(CA)


def test_a_pem_of_countless_lines_takes_no_multiple_of_its_size() -> None:
    text = b"-----BEGIN CERTIFICATE-----\n" + b"x\n" * MIB
    tracemalloc.start()
    try:
        assert decode_pem(text) is None
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


def test_pem_headers_stand_before_the_content_only() -> None:
    start, content = b"-----BEGIN A-----\n", b"QUJD\n-----END A-----\n"
    found = decode_pem(start + b"Key: value\nOther: v\n" + content)
    assert found is not None
    assert (found.content, found.rest) == (b"ABC", b"")
    assert decode_pem(start + b"QUJD\nKey: value\n-----END A-----\n") is None
