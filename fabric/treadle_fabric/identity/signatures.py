"""ECDSA signatures as Fabric makes and checks them (fabric-wire.md 6.2).

SHA-256 of the message whatever the curve; DER ``SEQUENCE{r, s}``; s never above half the order.
Signers convert, verifiers refuse: otherwise anybody could turn one valid signature into another.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from treadle_fabric.identity import der
from treadle_fabric.identity.numbers import decimal

_ORDERS: Final = {
    "secp224r1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFF16A2E0B8F03E13DD29455C5C2A3D,
    "secp256r1": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "secp384r1": int(
        "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
        16,
    ),
    "secp521r1": int(
        "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
        "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
        16,
    ),
}
_UNDETERMINED: Final = "could not determine the validity of the signature"


Signed = bytes | memoryview | tuple[bytes | memoryview, ...]
"""What a signature is over: bytes, or pieces of them one after the other."""


class SignatureError(ValueError):
    """The signature is malformed, not canonical, or not made by the key."""


def curve_order(curve: ec.EllipticCurve) -> int:
    """Order n of one of the four curves that Fabric knows; raises SignatureError."""
    try:
        return _ORDERS[curve.name]
    except KeyError:
        raise SignatureError(f"curve not recognized [{curve.name}]") from None


def encode_signature(r: int, s: int) -> bytes:
    """DER encoding of (r, s)."""
    return der.write_element(der.SEQUENCE, der.write_integer(r) + der.write_integer(s))


def decode_signature(signature: bytes) -> tuple[int, int]:
    """(r, s) of a DER signature; bytes behind the structure are ignored, as Fabric's parser does.

    Raises SignatureError.
    """
    try:
        sequence = der.read_element(signature, 0, tag=der.SEQUENCE)
        content = signature[: sequence.end]
        r, offset = der.read_integer(content, sequence.content_start)
        s, _ = der.read_integer(content, offset)
    except der.DERError as error:
        raise SignatureError(f"failed unmashalling signature [{error}]") from None
    for name, value in (("R", r), ("S", s)):
        if value <= 0:
            raise SignatureError(f"invalid signature, {name} must be larger than zero")
    return r, s


def to_low_s(signature: bytes, *, order: int) -> bytes:
    """The same signature in canonical DER with s <= order / 2; raises SignatureError."""
    r, s = decode_signature(signature)
    return encode_signature(r, order - s if s > order >> 1 else s)


def guess_order(signature: bytes) -> int:
    """Order of the smallest curve that can have made ``signature``.

    For certificates whose issuer is not at hand. r and s of a larger curve are both below the
    order of a smaller one with a probability under 2**-60.
    """
    largest = max(decode_signature(signature))
    for order in _ORDERS.values():
        if largest < order:
            return order
    raise SignatureError("curve not recognized: the signature is larger than any known curve")


def sign(private_key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Sign SHA-256(message); DER, low-S."""
    order = curve_order(private_key.curve)
    return to_low_s(private_key.sign(message, ec.ECDSA(SHA256())), order=order)


def verify_signature(public_key: PublicKeyTypes, message: Signed, signature: bytes) -> None:
    """Check an ECDSA/SHA-256 signature; high-S is refused.

    Raises SignatureError with the texts of fabric-wire.md 6.1. RSA keys may issue certificates
    but Fabric has no verifier for signatures made by them.
    """
    if not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise SignatureError(f"{_UNDETERMINED}: Unsupported 'VerifyKey' provided")
    if not signature:
        raise SignatureError(f"{_UNDETERMINED}: Invalid signature. Cannot be empty.")
    try:
        r, s = _decode_low_s(public_key, signature)
    except SignatureError as error:
        raise SignatureError(
            f"{_UNDETERMINED}: Failed verifing with opts [<nil>]: {error}"
        ) from None
    try:
        digest = ec.ECDSA(Prehashed(SHA256()))
        public_key.verify(encode_signature(r, s), _sha256(message), digest)
    except InvalidSignature:
        raise SignatureError("The signature is invalid") from None


def _sha256(message: Signed) -> bytes:
    digest = hashlib.sha256()
    for piece in message if isinstance(message, tuple) else (message,):
        digest.update(piece)
    return digest.digest()


def _decode_low_s(public_key: ec.EllipticCurvePublicKey, signature: bytes) -> tuple[int, int]:
    try:
        r, s = decode_signature(signature)
    except SignatureError as error:
        raise SignatureError(f"Failed unmashalling signature [{error}]") from None
    half = curve_order(public_key.curve) >> 1
    if s > half:
        text = f"Invalid S. Must be smaller than half the order [{decimal(s)}][{half}]."
        raise SignatureError(text)
    return r, s
