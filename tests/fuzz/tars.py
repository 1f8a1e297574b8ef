"""Gzipped tars with any header that bytes can ask for, lies included."""

from __future__ import annotations

import gzip
import struct
import zlib

from fuzz.octets import Octets
from treadle_fabric.packages import gzip_stored

_BLOCK = 512
_LARGEST = 8 << 20
_NAMES = (
    b"src/main.go",
    b"src/package.json",
    b"src/pom.xml",
    b"META-INF/x.json",
    b"metadata.json",
    b"code.tar.gz",
    b"src",
    b"src/",
    b"src/../../out",
    b"../out",
    b"/src/abs",
    b"//src//abs",
    b".",
    b"",
    b"src/\xff\xfe",
    b"a/" * 49 + b"b",
    b"src/.",
)
# Types of POSIX, GNU, Solaris; 0 and 0xff are nobody's.
_TYPES = b"0\x0015234567xgXLKSVDMNAZ\xff"
_PAX = (
    b"path=src/from-pax",
    b"path=../../out",
    b"size=5",
    b"size=-5",
    b"size=99999999999999999999",
    b"linkpath=/etc/passwd",
    b"mtime=1e400",
    b"uid=x",
    b"GNU.sparse.major=1\x00",
    b"GNU.sparse.size=1000000000000",
    b"hdrcharset=BINARY",
    b"path=",
    b"comment=" + b"c" * 600,
)
_SIZES = (0, 1, 511, 512, 513, 1 << 16, 1 << 30, 1 << 33, -1, -512, -1 << 62, (1 << 63) - 1)
_MODES = (0o100644, 0o644, 0o755, 0o40755, 0o120777, 0o4755, 0, 0o7777777)


def archive(octets: Octets) -> bytes:
    """What *octets* describe: entries, then compression, then perhaps damage."""
    spoilt, stored = octets.byte(), octets.flag()
    blocks: list[bytes] = []
    while octets and sum(map(len, blocks)) < _LARGEST:
        blocks.append(_entry(octets))
    plain = b"".join(blocks)[:_LARGEST]
    if spoilt & 1 == 0:
        plain += bytes(2 * _BLOCK)
    packed = gzip_stored(plain) if stored else gzip.compress(plain, 1, mtime=0)
    if spoilt & 2:
        packed = packed[: len(packed) // 2]
    if spoilt & 4:
        packed += packed
    return packed


def _entry(octets: Octets) -> bytes:
    kind = bytes([_TYPES[octets.below(len(_TYPES))]])
    name = octets.pick(_NAMES) if octets.below(4) else octets.short()
    mode = octets.pick(_MODES)
    content = _content(kind, octets)
    size = len(content) if octets.below(4) else octets.pick(_SIZES)
    header = _header(name, kind, mode=mode, size=size, link=octets.below(4) == 1)
    if octets.below(16) == 1:
        header = header[:100] + octets.short()[:_BLOCK].ljust(_BLOCK - 100, b"\0")[: _BLOCK - 100]
        header = _with_checksum(header)
    return header + content + bytes(-len(content) % _BLOCK)


def _content(kind: bytes, octets: Octets) -> bytes:
    match octets.below(6):
        case 0:
            return b""
        case 1:
            return octets.short()
        case 2:
            return octets.pick((b"9", b"1", b"\0", b"a", b"\n", b"0\n")) * (
                octets.pick((100, 1000, 10_000, 100_000, 1 << 20))
            )
        case 3 if kind in b"xgX":
            return b"".join(_pax(octets.pick(_PAX)) for _ in range(octets.below(8)))
        case 3:
            return octets.pick((b'{"label":"a","type":"go","path":"p"}', b"[" * 100_000, b"{}"))
        case 4 if kind in b"xgX":
            record = octets.short()
            return b"%d %s" % (octets.number() % 5000, record)
        case _:
            return octets.take(600)


def _pax(record: bytes) -> bytes:
    size = len(record) + 3
    while len(line := b"%d %s\n" % (size, record)) != size:
        size = len(line)
    return line


def _header(name: bytes, kind: bytes, *, mode: int, size: int, link: bool) -> bytes:
    header = struct.pack(
        "100s8s8s8s12s12s8sc100s6s2s32s32s8s8s155s12x",
        name,
        b"%07o" % (mode & 0o7777777),
        b"%07o" % 0,
        b"%07o" % 0,
        _number(size),
        b"%011o" % 0,
        b" " * 8,
        kind,
        b"/etc/passwd" if link else b"",
        b"ustar\0",
        b"00",
        b"",
        b"",
        b"%07o" % 0,
        b"%07o" % 0,
        b"",
    )
    return _with_checksum(header)


def _number(value: int) -> bytes:
    if 0 <= value < 1 << 33:
        return b"%011o" % value
    # GNU's base 256; negative numbers are its two's complement.
    return bytes((0x80 if value >= 0 else 0xFF,)) + (value % (1 << 88)).to_bytes(11, "big")


def _with_checksum(header: bytes) -> bytes:
    blank = header[:148] + b" " * 8 + header[156:]
    return header[:148] + b"%06o\0 " % sum(blank) + header[156:]


def deflated_zeros(size: int) -> bytes:
    """Gzip of *size* zeros, a thousandth as large."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    chunk = bytes(1 << 20)
    parts = [packer.compress(chunk) for _ in range(size >> 20)]
    return b"".join((*parts, packer.flush()))
