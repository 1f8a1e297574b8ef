"""ECDSA signatures: canonical form, and what is refused (fabric-wire.md 6.2)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.identity import SignatureError, der, signatures, verify_signature

KEY = ec.generate_private_key(ec.SECP256R1())
ORDER = signatures.curve_order(ec.SECP256R1())
INTEGERS = st.integers(min_value=1, max_value=ORDER - 1)
CURVES = [ec.SECP224R1(), ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()]


def high_twin(signature: bytes, order: int = ORDER) -> bytes:
    r, s = signatures.decode_signature(signature)
    return signatures.encode_signature(r, order - s)


@given(message=st.binary(max_size=200))
def test_a_signature_verifies_and_is_low_s(message: bytes) -> None:
    signature = signatures.sign(KEY, message)
    verify_signature(KEY.public_key(), message, signature)
    assert signatures.decode_signature(signature)[1] <= ORDER // 2


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_every_curve_signs_a_sha256_digest(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    signature = signatures.sign(key, b"message")
    key.public_key().verify(signature, b"message", ec.ECDSA(SHA256()))
    verify_signature(key.public_key(), b"message", signature)


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_the_orders_are_those_of_the_curves(curve: ec.EllipticCurve) -> None:
    # n - 1 is the largest private key, and its public point is -G: the same x as key 1.
    order = signatures.curve_order(curve)
    last = ec.derive_private_key(order - 1, curve).public_key().public_numbers()
    first = ec.derive_private_key(1, curve).public_key().public_numbers()
    assert last.x == first.x
    assert last.y != first.y


@given(message=st.binary(max_size=50))
def test_the_high_s_twin_of_a_good_signature_is_refused(message: bytes) -> None:
    twin = high_twin(signatures.sign(KEY, message))
    KEY.public_key().verify(twin, message, ec.ECDSA(SHA256()))
    with pytest.raises(SignatureError, match=r"Invalid S\. Must be smaller than half the order"):
        verify_signature(KEY.public_key(), message, twin)


@given(r=INTEGERS, s=INTEGERS)
def test_normalising_keeps_r_and_chooses_the_smaller_s(r: int, s: int) -> None:
    low = signatures.to_low_s(signatures.encode_signature(r, s), order=ORDER)
    assert signatures.decode_signature(low) == (r, min(s, ORDER - s))
    assert signatures.to_low_s(low, order=ORDER) == low


def test_half_the_order_itself_is_low() -> None:
    half = signatures.encode_signature(1, ORDER // 2)
    assert signatures.to_low_s(half, order=ORDER) == half


@given(r=INTEGERS, s=INTEGERS)
def test_the_encoding_is_der(r: int, s: int) -> None:
    assert signatures.encode_signature(r, s) == encode_dss_signature(r, s)
    assert signatures.decode_signature(encode_dss_signature(r, s)) == (r, s)


@given(r=INTEGERS, s=INTEGERS, extra=st.binary(max_size=20))
def test_bytes_behind_the_structure_are_ignored(r: int, s: int, extra: bytes) -> None:
    assert signatures.decode_signature(signatures.encode_signature(r, s) + extra) == (r, s)


@given(content=st.binary(max_size=80))
def test_garbage_is_refused_with_a_signature_error_only(content: bytes) -> None:
    with pytest.raises(SignatureError):
        verify_signature(KEY.public_key(), b"message", content)


@pytest.mark.parametrize(
    ("signature", "text"),
    [
        (b"", "Invalid signature. Cannot be empty."),
        (bytes.fromhex("3006020100020101"), "R must be larger than zero"),
        (bytes.fromhex("3006020101020100"), "S must be larger than zero"),
        (bytes.fromhex("30060201ff020101"), "R must be larger than zero"),
        (bytes.fromhex("300702020001020101"), "integer not minimally-encoded"),
        (bytes.fromhex("30810602010102 0101".replace(" ", "")), "non-minimal length"),
        (bytes.fromhex("3080020101020101"), "indefinite length"),
        (bytes.fromhex("30050200020101"), "empty integer"),
        (bytes.fromhex("3003020101"), "truncated"),
        (bytes.fromhex("0203020101"), "tags don't match"),
    ],
)
def test_malformed_signatures_are_refused_with_the_reason(signature: bytes, text: str) -> None:
    with pytest.raises(SignatureError) as caught:
        verify_signature(KEY.public_key(), b"message", signature)
    assert text in str(caught.value)
    assert str(caught.value).startswith("could not determine the validity of the signature: ")


def test_a_signature_of_something_else_is_invalid() -> None:
    with pytest.raises(SignatureError, match=r"^The signature is invalid$"):
        verify_signature(KEY.public_key(), b"another", signatures.sign(KEY, b"message"))


def test_rsa_keys_cannot_be_verified_with() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(SignatureError, match="Unsupported 'VerifyKey' provided"):
        verify_signature(key.public_key(), b"message", b"signature")


def test_curves_that_fabric_does_not_know_are_refused() -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    with pytest.raises(SignatureError, match=r"curve not recognized \[secp256k1\]"):
        verify_signature(key.public_key(), b"message", signatures.sign(KEY, b"message"))


@given(value=st.integers(min_value=0, max_value=2**600))
def test_integers_survive_a_round_trip(value: int) -> None:
    encoded = der.write_integer(value)
    assert der.read_integer(encoded, 0) == (value, len(encoded))
