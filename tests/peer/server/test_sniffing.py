"""What the first bytes of a connection say."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from treadle_peer.server.sniffing import FIRST_BYTES, Speech, recognise

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def client_hello() -> bytes:
    """What OpenSSL sends first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="peer0")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def test_a_real_client_hello_is_tls() -> None:
    assert recognise(client_hello()) is Speech.TLS


def test_the_preface_with_what_follows_is_http2() -> None:
    assert recognise(PREFACE) is Speech.HTTP2
    assert recognise(PREFACE + b"\0\0\0\4\0\0\0\0\0") is Speech.HTTP2


@pytest.mark.parametrize("whole", [PREFACE, b"\x16\x03\x01\x02\x00\x01\x00"])
def test_a_beginning_waits_for_more_until_it_suffices(whole: bytes) -> None:
    said = [recognise(whole[:count]) for count in range(len(whole) + 1)]
    undecided = said.index(next(word for word in said if word is not None))
    assert undecided > 3
    assert set(said[:undecided]) == {None}
    assert len(set(said[undecided:])) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n",
        b"PRI * HTTP/1.1\r\n",
        b"POST",
        b"\0",
        b"\x16\x02",  # SSL 2
        b"\x15\x03\x01\x00\x02\x02",  # an alert
        b"\x16\x03\x03\x00\x04\x02",  # a ServerHello
    ],
)
def test_anything_else_is_garbage_at_its_first_wrong_byte(garbage: bytes) -> None:
    assert recognise(garbage) is Speech.OTHER


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_a_word_once_said_stays(first: bytes, more: bytes) -> None:
    said = recognise(first)
    if said is not None:
        assert recognise(first + more) is said


@given(st.binary(min_size=FIRST_BYTES, max_size=64))
def test_the_first_bytes_always_suffice(first: bytes) -> None:
    assert recognise(first) is not None
