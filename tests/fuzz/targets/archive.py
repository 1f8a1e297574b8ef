"""Code archives and packages of the 2.x lifecycle, hostile tars included."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from pathlib import Path

from fuzz.octets import Octets
from fuzz.outcomes import said
from fuzz.tars import archive
from fuzz.world import scratch
from treadle_fabric.packages import (
    PackageFormatError,
    build_v2_package,
    check_code_package,
    extract_code,
    parse_v2_package,
    read_archive,
    write_archive,
)

RAW = 0xFF
_LANGUAGES = ("golang", "node", "java", "python", "car", "cobol")


def seeds() -> Iterator[bytes]:
    """One entry of each type, with and without lies; archives of our own, raw."""
    for kind in range(24):
        for name in (0, 5, 8):
            yield bytes((kind % 6, 0, 1, kind, 1, name, 0, 1, 2, 65, 65, 1, 0, 0))
    for content in range(5):
        for unit in range(6):
            # A pax header of a megabyte of the same.
            yield bytes((0, 0, 0, 10, 1, 0, 0, 2, unit, content, 1, 0, 0))
    honest = write_archive({"src/main.go": b"package main\n", "META-INF/a.json": b"{}"})
    yield bytes((RAW,)) + honest
    yield bytes((RAW,)) + build_v2_package(label="a_1", language="golang", path="p", code=honest)
    for text in (b'{"label":"a","x":' + b"[" * 5000, b"[" * 5000, b'{"label":1e9999}', b"1" * 5000):
        packed = write_archive({"metadata.json": text, "code.tar.gz": b""})
        yield bytes((RAW,)) + gzip.compress(gzip.decompress(packed))


def one_input(data: bytes) -> None:
    """Entries, a package, files below one folder; or a PackageFormatError."""
    octets = Octets(data)
    chosen = octets.byte()
    raw = octets.rest() if chosen == RAW else archive(octets)
    names = _names(raw)
    _v2(raw)
    accepted = _accepted(_LANGUAGES[chosen % len(_LANGUAGES)], raw)
    extracted = _extract(raw)
    assert names is not None or not (accepted and raw)
    assert names is not None or not extracted


def _names(raw: bytes) -> list[str] | None:
    try:
        return [entry.name for entry in read_archive(raw, what="test")]
    except PackageFormatError as error:
        said(error)
        return None


def _v2(raw: bytes) -> None:
    try:
        package = parse_v2_package(raw)
    except PackageFormatError as error:
        said(error)
        return
    built = build_v2_package(
        label=package.label, language=package.type, path=package.path, code=package.code
    )
    again = parse_v2_package(built)
    assert (again.label, again.type, again.path) == (package.label, package.type, package.path)
    assert again.code == package.code


def _accepted(language: str, raw: bytes) -> bool:
    try:
        check_code_package(language, raw)
    except PackageFormatError:
        return False
    return True


def _extract(raw: bytes) -> bool:
    around = scratch() / "extracting"
    shutil.rmtree(around, ignore_errors=True)
    target = around / "a" / "b" / "target"
    try:
        extract_code(raw, target)
        done = True
    except PackageFormatError:
        done = False
    for found in around.rglob("*"):
        assert not found.is_symlink()
        assert target.is_relative_to(found) or found.is_relative_to(target), found
        assert found.is_dir() or found.is_file()
    assert not Path("/src").exists()
    return done
