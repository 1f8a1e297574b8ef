"""Inputs that are kept: what broke a target once, and what reaches more than its seeds."""

from __future__ import annotations

import zipfile
from pathlib import Path

_HERE = Path(__file__).parent
FOUND = _HERE / "found"
CORPUS = _HERE / "corpus"


def found(target: str) -> list[bytes]:
    """What broke *target* once; the file names say what it is."""
    return [file.read_bytes() for file in sorted((FOUND / target).glob("*"))]


def corpus(target: str) -> list[bytes]:
    """A few inputs that together reach all that fuzzing has reached (``make fuzz``)."""
    file = CORPUS / f"{target}.zip"
    if not file.exists():
        return []
    with zipfile.ZipFile(file) as archive:
        return [archive.read(name) for name in archive.namelist()]
