"""The archive reader against Python's for honest archives, and alone against hostile ones."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from treadle_fabric.packages import PackageFormatError, gzip_stored, read_archive

MIB = 1 << 20
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=60
).filter(lambda name: name not in {".", ".."})
PATHS = st.lists(NAMES, min_size=1, max_size=6).map("/".join)
KINDS = st.sampled_from([tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE])


@st.composite
def infos(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    """An entry that tarfile writes, and its content."""
    info = tarfile.TarInfo(draw(PATHS))
    info.type = draw(KINDS)
    info.mode = draw(st.sampled_from([0o644, 0o755, 0o100600]))
    info.mtime = draw(st.sampled_from([0, 1, 1.5]))
    content = draw(st.binary(max_size=1200)) if info.isreg() else b""
    info.size = len(content)
    return info, content


def packed(entries: list[tuple[tarfile.TarInfo, bytes]], *, form: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def as_tarfile_reads(plain: bytes) -> list[tuple[str, int, bool, bool, bytes]]:
    found = []
    with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
        for info in archive:
            file = archive.extractfile(info) if info.isreg() else None
            content = file.read() if file else b""
            found.append((info.name, info.mode, info.isdir(), info.isreg(), content))
    return found


def as_we_read(code: bytes) -> list[tuple[str, int, bool, bool, bytes]]:
    return [
        (entry.name, entry.mode, entry.is_directory, entry.is_file, entry.content())
        for entry in read_archive(code, what="test")
    ]


@settings(max_examples=150, deadline=None)
@given(
    entries=st.lists(infos(), max_size=5),
    form=st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]),
    stored=st.booleans(),
)
def test_an_honest_archive_reads_as_tarfile_reads_it(entries, form, stored):
    # tarfile, unlike Go, looks for the slash of a directory before a long name is put together.
    assume(not any(_cut_at_a_slash(info) for info, _ in entries))
    plain = packed(entries, form=form)
    code = gzip_stored(plain) if stored else gzip.compress(plain)
    assert as_we_read(code) == as_tarfile_reads(plain)


def _cut_at_a_slash(info: tarfile.TarInfo) -> bool:
    name = info.name.encode("utf-8", "surrogateescape")
    return info.type == tarfile.AREGTYPE and len(name) > 100 and name[:100].endswith(b"/")


@settings(max_examples=50, deadline=None)
@given(parts=st.lists(st.binary(max_size=2000), min_size=1, max_size=5), data=st.data())
def test_a_gzip_of_several_members_is_one_stream(parts, data):
    plain = packed([(tarfile.TarInfo("a"), b"")], form=tarfile.PAX_FORMAT)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(plain)), max_size=4)))
    pieces = [plain[a:b] for a, b in zip([0, *cuts], [*cuts, len(plain)], strict=True)]
    assert as_we_read(b"".join(map(gzip.compress, pieces))) == as_tarfile_reads(plain)


def header(kind: bytes, size: int, name: bytes = b"a") -> bytes:
    info = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def refused(plain: bytes) -> str:
    started = time.process_time()
    with pytest.raises(PackageFormatError) as error:
        as_we_read(gzip.compress(plain, 1))
    assert time.process_time() - started < 5
    return str(error.value)


def test_a_pax_header_of_digits_is_refused_at_once():
    assert "invalid tar header" in refused(header(b"x", MIB) + b"1" * MIB)


def test_a_pax_header_larger_than_go_reads_is_refused():
    assert "too long" in refused(header(b"x", MIB + 1) + bytes(2 * MIB))


def test_more_long_names_than_entries_could_have_are_refused():
    assert "too long" in refused((header(b"L", 1) + b"n".ljust(512, b"\0")) * 200_001)


def test_more_pax_records_than_anybody_needs_are_refused():
    record = b"5 a=\n"
    count = MIB // len(record)
    block = header(b"x", count * len(record)) + record * count
    block += bytes(-len(block) % 512)
    assert "pax records" in refused(block * 6)


@pytest.mark.parametrize(
    "record",
    [b"0 a=b\n", b"-5 a=b\n", b"99 a=b\n", b"5 ab\n", b"6 a=bc", b" a=b\n", b"7 size=-1\n"],
)
def test_a_pax_record_that_lies_is_refused(record):
    plain = header(b"x", len(record)) + record.ljust(512, b"\0") + header(b"0", 0)
    assert "invalid tar header" in refused(plain)


def test_a_negative_size_is_refused():
    block = bytearray(header(b"0", 0))
    block[124:136] = b"\xff" * 4 + struct.pack(">q", -512)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    assert "invalid tar header" in refused(bytes(block))


def test_rubbish_behind_an_entry_is_not_taken_for_the_end():
    assert "invalid tar header" in refused(header(b"0", 0) + b"rubbish".ljust(512, b"!"))


def test_a_cut_archive_is_refused():
    assert "unexpected EOF" in refused(header(b"0", 2000) + bytes(1000))


def test_a_name_that_no_answer_could_carry_is_refused():
    assert "is not UTF-8" in refused(header(b"0", 0, b"src/\xff"))


def test_countless_gzip_members_are_refused():
    with pytest.raises(PackageFormatError, match="more than 1000 members"):
        as_we_read(gzip.compress(b"") * 2000)
