"""X.509 certificates: PEM as Go reads it, low-S sanitising, fingerprints (fabric-wire.md 6.1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID

from treadle_fabric.identity import der
from treadle_fabric.identity.signatures import guess_order, to_low_s

_ECDSA_ALGORITHMS: Final = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
UNREADABLE: Final = (
    TypeError,
    OverflowError,
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What cryptography raises for certificates and revocation lists, and for their parts."""
_BEGIN: Final = b"-----BEGIN "
_DASHES: Final = b"-----"
_BLANKS: Final = b" \t\r\n\v\f"
# More than honest texts have; each costs a stranger less than it costs us.
_MOST_BLOCKS: Final = 1000
_MOST_HEADERS: Final = 1000


class CertificateError(ValueError):
    """The bytes hold no usable PEM block, certificate or key."""


@dataclass(frozen=True, slots=True)
class PemBlock:
    """The first PEM block of some text: its label, its decoded bytes, and what follows it."""

    label: str
    content: bytes
    rest: bytes


def decode_pem(text: bytes) -> PemBlock | None:
    """The first PEM block in ``text``, text before it is skipped; None when there is none.

    Looks for line starts only: a regular expression takes a hundred bytes of memory per line.
    """
    begin = 0 if text.startswith(_BEGIN) else _line_that_begins(text, _BEGIN, 0)
    for _ in range(_MOST_BLOCKS):
        if begin < 0:
            return None
        block, behind = _read_block(text, begin)
        if block is not None:
            return block
        begin = _line_that_begins(text, _BEGIN, behind)
    return None


def _line_that_begins(text: bytes, start: bytes, position: int) -> int:
    """Where the first such line behind *position* begins; negative when none does."""
    found = text.find(b"\n" + start, position)
    return found + 1 if found >= 0 else -1


def _read_block(text: bytes, begin: int) -> tuple[PemBlock | None, int]:
    """The block that begins there, if one does, and where to look for the next."""
    line_end = text.find(b"\n", begin)
    label = _label(text[begin : line_end + 1], _BEGIN)
    body_end = _line_that_begins(text, _DASHES, line_end)
    if line_end < 0 or label is None or body_end < 0:
        return None, max(line_end, begin + 1)
    closing = text.find(b"\n", body_end)
    end = len(text) if closing < 0 else closing + 1
    if _label(text[body_end:end], b"-----END ") != label:
        return None, body_end - 1
    try:
        content = base64.b64decode(_base64_lines(text, line_end + 1, body_end), validate=True)
    except binascii.Error:
        return None, end - 1
    return PemBlock(label.decode("utf-8", "replace"), content, text[end:]), end


def _label(line: bytes, start: bytes) -> bytes | None:
    """What stands between *start* and the dashes that end *line*."""
    bare = line.removesuffix(b"\n").removesuffix(b"\r").rstrip(b" \t")
    fits = bare.startswith(start) and bare.endswith(_DASHES) and b"\r" not in bare
    return bare[len(start) : -len(_DASHES)] if fits and len(bare) >= len(start) + 5 else None


def _base64_lines(text: bytes, start: int, end: int) -> bytes:
    """The lines from *start* to *end* behind those of the form ``Key: value``."""
    for _ in range(_MOST_HEADERS):
        line_end = text.find(b"\n", start, end)
        if line_end < 0 or text.find(b":", start + 1, line_end) < 0:
            break
        start = line_end + 1
    return text[start:end].translate(None, _BLANKS)


def load_certificate(text: bytes) -> x509.Certificate:
    """The certificate of the first PEM block; raises CertificateError."""
    block = decode_pem(text)
    if block is None:
        raise CertificateError("could not decode the PEM structure")
    return parse_certificate(block.content)


def parse_certificate(content: bytes) -> x509.Certificate:
    """The certificate with this DER encoding; raises CertificateError."""
    try:
        certificate = x509.load_der_x509_certificate(content)
        # Most parts are parsed when first asked for: fail here, not in a later check.
        _ = certificate.extensions, certificate.subject, certificate.issuer
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except UNREADABLE as error:
        raise CertificateError(f"parseCertificate failed: {error}") from None
    return certificate


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """PEM with label CERTIFICATE and lines of 64, as Go's encoder writes it."""
    return certificate.public_bytes(Encoding.PEM)


def certificate_der(certificate: x509.Certificate) -> bytes:
    """The DER encoding that was parsed."""
    return certificate.public_bytes(Encoding.DER)


def fingerprint(certificate: x509.Certificate) -> str:
    """Lower-case hex SHA-256 of the DER encoding."""
    return hashlib.sha256(certificate_der(certificate)).hexdigest()


def organizational_units(certificate: x509.Certificate) -> tuple[str, ...]:
    """The OU values of the subject, in order."""
    attributes = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
    return tuple(
        value if isinstance(value, str) else value.decode("latin-1")
        for value in (attribute.value for attribute in attributes)
    )


def is_ecdsa_signed(certificate: x509.Certificate) -> bool:
    """Whether the issuer signed with ECDSA (only then there is an S to normalise)."""
    return certificate.signature_algorithm_oid in _ECDSA_ALGORITHMS


def sanitise_certificate(
    certificate: x509.Certificate, *, issuer_order: int | None = None
) -> x509.Certificate:
    """The certificate with its own signature in low-S form (fabric-wire.md 6.1).

    ``issuer_order`` is the order of the issuer's curve; without it, it is taken from the size of
    the signature. Raises SignatureError for a malformed signature.
    """
    if not is_ecdsa_signed(certificate):
        return certificate
    signature = certificate.signature
    order = guess_order(signature) if issuer_order is None else issuer_order
    canonical = to_low_s(signature, order=order)
    if canonical == signature:
        return certificate
    return parse_certificate(_replace_signature(certificate_der(certificate), canonical))


def _replace_signature(content: bytes, signature: bytes) -> bytes:
    outer = der.read_element(content, 0, tag=der.SEQUENCE)
    body = der.read_element(content, outer.content_start, tag=der.SEQUENCE)
    algorithm = der.read_element(content, body.end, tag=der.SEQUENCE)
    unchanged = content[outer.content_start : algorithm.end]
    bits = der.write_element(der.BIT_STRING, b"\x00" + signature)
    return der.write_element(der.SEQUENCE, unchanged + bits)


def subject_key_id(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Fabric's key identifier: SHA-256 of the uncompressed point (fabric-wire.md 6.3)."""
    size = (public_key.curve.key_size + 7) // 8
    numbers = public_key.public_numbers()
    point = b"\x04" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")
    return hashlib.sha256(point).digest()
