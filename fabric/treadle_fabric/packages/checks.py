"""What a code package may hold, per language (fabric-wire.md §2.6)."""

from __future__ import annotations

import re

from treadle_fabric.packages.archive import Entry, mode_type, read_archive, safe_name
from treadle_fabric.packages.errors import PackageFormatError
from treadle_fabric.packages.inflating import InflateError, Inflater
from treadle_fabric.packages.languages import GOLANG, JAVA, NODE, language_number
from treadle_fabric.packages.prebuilt import read_prebuilt

_PLAIN_NAMES = re.compile(r"/?(src|META-INF)/")
_GO_NAMES = re.compile(r"(src|META-INF)/")
_JAVA_NAMES = re.compile(r"/?src/((src|META-INF)/|(build\.gradle|settings\.gradle|pom\.xml))")
_REGULAR_READ_WRITE = 0o100666
_TYPE_FOLDER = 0o040000
_TYPE_REGULAR = 0o100000


def check_code_package(language: str, code: bytes) -> None:
    """Raise PackageFormatError unless *code* keeps the rules of *language*.

    Empty code passes (development packages carry none), except where a package only names what
    runs. Links, special files and names with
    ``..`` are refused in every language; sizes are bounded (see ``archive``).
    """
    if read_prebuilt(language, code) is not None:
        return
    language_number(language)
    if not code:
        return
    _check_gzip(code)
    names = set()
    for entry in read_archive(code, what="code package"):
        _check_entry(language.lower(), entry)
        names.add(entry.name)
    if language.lower() == NODE and "src/package.json" not in names:
        raise PackageFormatError("no package.json found at the root of the chaincode package")


def java_accepts(name: str) -> bool:
    """Whether a Java package may hold an entry of this *name*."""
    return _JAVA_NAMES.match(name) is not None and not name.endswith(".class")


def _check_gzip(code: bytes) -> None:
    try:
        Inflater(code, limit=1).read(1)
    except InflateError as error:
        text = f"failure opening codepackage gzip stream: {error}"
        raise PackageFormatError(text) from None


def _check_entry(language: str, entry: Entry) -> None:
    safe_name(entry.name)
    if language == GOLANG:
        _check_go_entry(entry)
        return
    accepted = java_accepts(entry.name) if language == JAVA else _PLAIN_NAMES.match(entry.name)
    if not accepted:
        raise PackageFormatError(f'illegal file detected in payload: "{entry.name}"')
    if entry.mode & ~_REGULAR_READ_WRITE or not entry.is_file:
        text = f"illegal file mode detected for file {entry.name}: {entry.mode:o}"
        raise PackageFormatError(text)


def _check_go_entry(entry: Entry) -> None:
    # 2.5 writes folder entries and keeps execute bits; 1.4 did neither. Both are accepted.
    if not _GO_NAMES.match(_with_slash(entry)):
        raise PackageFormatError(f"illegal file name in payload: {entry.name}")
    odd_bits = entry.mode & ~0o777 & ~(_TYPE_FOLDER | _TYPE_REGULAR)
    if odd_bits or mode_type(entry.mode) not in (0, _TYPE_FOLDER, _TYPE_REGULAR):
        raise PackageFormatError(f"illegal file mode in payload: {entry.name}")
    if not (entry.is_file or entry.is_directory):
        raise PackageFormatError(f"illegal file mode in payload: {entry.name}")


def _with_slash(entry: Entry) -> str:
    # The archive reader strips the slash that ends a folder's name.
    return f"{entry.name}/" if entry.is_directory else entry.name
