"""Getting the sources of a package: out of an image or an archive, into the bytes to install.

These run before anything is installed and know no peer: what they make is served to the operator
(see ``serving``).
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, InvalidURL
from pathlib import Path
from typing import IO, Final

from treadle_fabric.packages import PackageFormatError, build_legacy_package, extract_code

from treadle_peer.pods.told import PodError

MAX_PACKAGE_BYTES: Final = 100 * 1024 * 1024 - 64 * 1024
"""What a message to a peer can carry, with room for what is around the package."""
MAX_ARCHIVE_BYTES: Final = 512 * 1024 * 1024
PACKAGE: Final = "package"
SOURCE: Final = "source"
TOOL: Final = "busybox"

_JAVA: Final = "java"
_CHUNK: Final = 1 << 16
_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What the package is to be called, and what it is written in."""

    name: str
    version: str
    language: str


def leave_tool(folder: Path, work: Path) -> None:
    """Put a program that copies, and needs nothing around it, where another image finds it.

    The image with the sources may hold nothing but them. Raises PodError.
    """
    found = shutil.which(TOOL)
    if found is None:
        raise PodError(f"the peer image has no {TOOL}; sources in an image need a static one there")
    target = folder / TOOL
    shutil.copyfile(found, target)
    target.chmod(0o755)
    (work / SOURCE).mkdir(exist_ok=True)


def fetch_archive(url: str, sha256: str, work: Path) -> None:
    """Download a tar.gz, check it and unpack it; *sha256* (hex) may be empty.

    Raises PodError, whose text everybody may read.
    """
    shown = _without_secrets(url)
    with tempfile.TemporaryFile(dir=work) as file:
        try:
            found = _download(url, file)
        except PodError as error:
            raise PodError(f"{shown} {error}") from error
        if sha256 and found != sha256.lower():
            raise PodError(f"{shown} has SHA-256 {found}, not {sha256.lower()}")
        file.seek(0)
        data = file.read()
    shutil.rmtree(work / SOURCE, ignore_errors=True)
    try:
        extract_code(data, work / SOURCE)
    except PackageFormatError as error:
        raise PodError(f"{shown} cannot be unpacked: {error}") from error


def freeze(naming: Naming, work: Path) -> None:
    """Pack what lies in the work folder, the same bytes on every machine; raises PodError."""
    source = (work / SOURCE).resolve()
    try:
        data = build_legacy_package(
            name=naming.name,
            version=naming.version,
            language=naming.language,
            path=naming.name,
            source=_project(source, naming.language),
            dependencies=True,
        )
    except (PackageFormatError, UnicodeDecodeError) as error:
        told = str(error).replace(f"{source}/", "").replace(str(source), "the source")
        raise PodError(f"the source cannot be packed: {told}") from error
    if len(data) > MAX_PACKAGE_BYTES:
        raise PodError(
            f"the package has {len(data)} bytes, and a peer takes at most {MAX_PACKAGE_BYTES}"
        )
    (work / PACKAGE).write_bytes(data)


def _project(folder: Path, language: str) -> Path:
    """Archives often hold one folder around everything. Java's ``src`` is part of the project:
    with a finished jar there is nothing beside it.
    """
    entries = list(folder.iterdir())
    if len(entries) != 1 or not entries[0].is_dir():
        return folder
    return folder if language == _JAVA and entries[0].name == "src" else entries[0]


def _without_secrets(url: str) -> str:
    """*url* for messages: what follows the question mark often signs it. Raises PodError."""
    shown = url.partition("?")[0]
    if not shown.startswith(("https://", "http://")):
        raise PodError(f"{shown} is no https: or http: address")
    if "@" in shown.split("/")[2]:
        raise PodError(
            "the address of the archive names a user or a password, which everybody could read "
            "in the resource; archives are fetched without any"
        )
    return shown


def _download(url: str, file: IO[bytes]) -> str:
    """Write what is there; returns its SHA-256 in hex. Raises PodError, the address left out."""
    digest, size = hashlib.sha256(), 0
    try:
        with _opener().open(url, timeout=_SECONDS) as answer:
            while chunk := answer.read(_CHUNK):
                size += len(chunk)
                if size > MAX_ARCHIVE_BYTES:
                    raise PodError(f"has more than {MAX_ARCHIVE_BYTES} bytes")
                digest.update(chunk)
                file.write(chunk)
            if answer.length:
                raise PodError(f"ended {answer.length} bytes too early")
    except urllib.error.HTTPError as error:
        raise PodError(f"answers {error.code} {error.reason}") from error
    except (InvalidURL, UnicodeError) as error:
        raise PodError("is no web address: write its characters percent-encoded") from error
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise PodError(f"cannot be fetched: {reason}") from error
    return digest.hexdigest()


def _opener() -> urllib.request.OpenerDirector:
    """Web addresses only, also where one leads to another: no files, no ftp."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener
