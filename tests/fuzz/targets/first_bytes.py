"""What a connection speaks: decided once, early enough, and never differently with more bytes."""

from __future__ import annotations

from collections.abc import Iterator

from treadle_peer.server.sniffing import FIRST_BYTES, Speech, recognise

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def seeds() -> Iterator[bytes]:
    """Both greetings, whole and cut; what is neither."""
    yield _PREFACE
    yield _PREFACE + b"\0\0\0\4"
    yield b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    yield b"\x16\x03\x01\x02\x00\x02"
    yield b"\x16\x02\x01\x02\x00\x01"
    yield b"GET / HTTP/1.1\r\n"
    yield b""


def one_input(data: bytes) -> None:
    """Every prefix: undecided, then one answer that stays."""
    answers = [recognise(data[:size]) for size in range(len(data[: 2 * FIRST_BYTES]) + 1)]
    decided = [answer for answer in answers if answer is not None]
    assert len(set(decided)) <= 1
    assert answers == [None] * (len(answers) - len(decided)) + decided
    if len(data) >= FIRST_BYTES:
        assert decided
        is_tls = data[:2] == b"\x16\x03" and data[5] == 1
        is_http2 = data.startswith(_PREFACE)
        assert (decided[0] is Speech.TLS, decided[0] is Speech.HTTP2) == (is_tls, is_http2)
