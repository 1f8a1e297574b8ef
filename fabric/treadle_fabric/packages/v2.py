"""Packages of the 2.x lifecycle: ``metadata.json`` and ``code.tar.gz`` (fabric-wire.md §3.1)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from treadle_fabric.packages.archive import read_archive, write_archive
from treadle_fabric.packages.errors import PackageFormatError
from treadle_fabric.wire import sha256

_METADATA_FILE = "metadata.json"
_CODE_FILE = "code.tar.gz"
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class V2Package:
    """One package; ``type`` is as written (golang, ccaas, k8s ...), ``code`` the inner archive."""

    label: str
    type: str
    path: str
    code: bytes
    package_id: str


def package_id(label: str, raw: bytes) -> str:
    """``label:sha256 of the whole file``."""
    return f"{label}:{sha256(raw).hex()}"


def parse_v2_package(raw: bytes) -> V2Package:
    """Read a package file; raises PackageFormatError with Fabric's text."""
    metadata, code = _read_files(raw)
    if code is None:
        raise PackageFormatError("did not find a code package inside the package")
    if metadata is None:
        text = f"did not find any package metadata (missing {_METADATA_FILE})"
        raise PackageFormatError(text)
    fields = _read_metadata(metadata)
    check_label(fields["label"])
    return V2Package(
        label=fields["label"],
        type=fields["type"],
        path=fields["path"],
        code=code,
        package_id=package_id(fields["label"], raw),
    )


def build_v2_package(*, label: str, language: str, path: str, code: bytes) -> bytes:
    """The package file around a code archive, byte for byte the same on every machine.

    *language* is also the type of packages for external builders (``ccaas``, ``k8s``).
    """
    check_label(label)
    metadata = {"path": path, "type": language, "label": label}
    encoded = json.dumps(metadata, separators=(",", ":"), ensure_ascii=False).encode()
    return write_archive({_METADATA_FILE: encoded, _CODE_FILE: code}, keep_order=True)


def check_label(label: str) -> None:
    """Raise PackageFormatError unless *label* may name a package."""
    if not _LABEL.fullmatch(label):
        raise PackageFormatError(
            f"invalid label '{label}'. Label must be non-empty, can only consist of alphanumerics, "
            "symbols from '.+-_', and can only begin with alphanumerics"
        )


def _read_files(raw: bytes) -> tuple[bytes | None, bytes | None]:
    metadata = code = None
    for entry in read_archive(raw, what="error reading as gzip stream"):
        if not entry.is_file:
            raise PackageFormatError(f"tar entry {entry.name} is not a regular file")
        if entry.name == _METADATA_FILE:
            metadata = entry.content()
        elif entry.name == _CODE_FILE:
            code = entry.content()
    return metadata, code


def _read_metadata(data: bytes) -> dict[str, str]:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        text = f"could not unmarshal {_METADATA_FILE} as json: {error}"
        raise PackageFormatError(text) from error
    if not isinstance(parsed, dict):
        raise PackageFormatError(f"could not unmarshal {_METADATA_FILE} as json")
    # Go matches field names without regard to case.
    found = {key.lower(): value for key, value in parsed.items()}
    fields = {name: found.get(name, "") for name in ("path", "type", "label")}
    if not all(isinstance(value, str) for value in fields.values()):
        raise PackageFormatError(f"could not unmarshal {_METADATA_FILE} as json")
    return fields
