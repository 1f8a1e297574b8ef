"""Block hashes: DER headers and flat data."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from fabric_protos.common.common_pb2 import BlockHeader
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.wire import block_data_hash, block_header_bytes, block_header_hash


@pytest.mark.parametrize(
    ("number", "integer"),
    [
        (0, "020100"),
        (1, "020101"),
        (0x7F, "02017f"),
        (0x80, "02020080"),
        (0xFF, "020200ff"),
        (0x100, "02020100"),
        (0x8000, "0203008000"),
        (2**64 - 1, "020900ffffffffffffffff"),
    ],
)
def test_numbers_are_minimal_twos_complement(number, integer):
    encoded = block_header_bytes(BlockHeader(number=number)).hex()
    body = integer + "0400" + "0400"
    assert encoded == f"30{len(body) // 2:02x}{body}"


def test_hashes_are_octet_strings_in_order():
    header = BlockHeader(number=7, previous_hash=b"\xaa" * 32, data_hash=b"\xbb" * 32)
    expected = "3047020107" + "0420" + "aa" * 32 + "0420" + "bb" * 32
    assert block_header_bytes(header).hex() == expected
    assert block_header_hash(header) == hashlib.sha256(bytes.fromhex(expected)).digest()


def test_long_hashes_use_the_long_length_form():
    header = BlockHeader(number=0, previous_hash=b"x" * 300)
    assert block_header_bytes(header)[:8].hex() == "3082013502010004"


@given(st.integers(0, 2**64 - 1), st.binary(max_size=40))
def test_the_integer_reads_back_by_an_independent_der_parser(number, previous):
    header = BlockHeader(number=number, previous_hash=previous)
    encoded = block_header_bytes(header)
    # Two INTEGERs in a SEQUENCE are what the parser knows: put the number in twice.
    integer = encoded[2 : 4 + encoded[3]]
    pair = integer + integer
    assert decode_dss_signature(bytes((0x30, len(pair))) + pair) == (number, number)


@given(st.lists(st.binary(max_size=20)))
def test_data_hash_is_flat(entries):
    assert block_data_hash(entries) == hashlib.sha256(b"".join(entries)).digest()
