"""Packages that hold no source but name what runs: an image, or a server that runs elsewhere.

The inner form is that of the community's packages for the 2.x lifecycle: ``k8s`` (an
``image.json``, as fabric-builder-k8s reads it) and ``ccaas`` (a ``connection.json``, as the builder
for chaincode as a service that comes with Fabric). No key is ever in a package: ``secret`` only
names where the material for TLS is, in the operator's namespace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from treadle_fabric.packages.archive import read_archive, write_archive
from treadle_fabric.packages.errors import PackageFormatError

IMAGE: Final = "k8s"
SERVER: Final = "ccaas"
PREBUILT_NUMBERS: Final[Mapping[str, int]] = {IMAGE: 6, SERVER: 7}
"""Numbers in a ChaincodeSpec, which Fabric does not have: it refuses such packages at launch."""

_IMAGE_FILE: Final = "image.json"
_SERVER_FILE: Final = "connection.json"
_DIAL_TIMEOUT: Final = "10s"
_LARGEST: Final = 64 * 1024
_NAME: Final = re.compile(r"[^@\s]{1,1024}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_ADDRESS: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]{1,5}")
_SECRET: Final = re.compile(r"[a-z0-9](?:[-.a-z0-9]*[a-z0-9])?")
_LONGEST_SECRET: Final = 253
_FABRICS_TLS: Final = ("client_auth_required", "client_key", "client_cert", "root_cert")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageReference:
    """An image by its digest, ``sha256:`` and 64 hexadecimal digits."""

    name: str
    digest: str

    @property
    def reference(self) -> str:
        """``name@digest``."""
        return f"{self.name}@{self.digest}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerReference:
    """A chaincode server at ``address`` (host:port).

    ``secret`` names the Kubernetes Secret with its ``ca.crt``; empty: the server has no TLS.
    """

    address: str
    secret: str

    @property
    def tls(self) -> bool:
        """Whether it is dialled by TLS."""
        return bool(self.secret)


Prebuilt: TypeAlias = ImageReference | ServerReference


def prebuilt_code(prebuilt: Prebuilt) -> bytes:
    """The code package that says it, byte for byte the same on every machine."""
    if isinstance(prebuilt, ImageReference):
        return _archive(_IMAGE_FILE, {"name": prebuilt.name, "digest": prebuilt.digest})
    told = {
        "address": prebuilt.address,
        "dial_timeout": _DIAL_TIMEOUT,
        "tls_required": prebuilt.tls,
        **({"secret": prebuilt.secret} if prebuilt.secret else {}),
    }
    return _archive(_SERVER_FILE, told)


def prebuilt_language(prebuilt: Prebuilt) -> str:
    """What stands in the place of a language."""
    return IMAGE if isinstance(prebuilt, ImageReference) else SERVER


def read_prebuilt(language: str, code: bytes) -> Prebuilt | None:
    """What a package of that language names; None for languages that are built.

    Raises PackageFormatError for one that does not name it, or holds something else besides.
    """
    if language == IMAGE:
        return _image(_only_file(code, _IMAGE_FILE))
    if language == SERVER:
        return _server(_only_file(code, _SERVER_FILE))
    return None


def _archive(name: str, told: Mapping[str, object]) -> bytes:
    text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    return write_archive({name: text.encode()})


def _only_file(code: bytes, wanted: str) -> Mapping[str, object]:
    found: bytes | None = None
    for entry in read_archive(code, what="code package"):
        name = entry.name.removeprefix("./")
        if name != wanted or not entry.is_file or found is not None:
            raise PackageFormatError(f'illegal file detected in payload: "{entry.name}"')
        found = _bounded(entry.chunks(), wanted)
    if found is None:
        raise PackageFormatError(f"no {wanted} found at the root of the chaincode package")
    try:
        told = json.loads(found)
    except (ValueError, RecursionError) as error:
        raise PackageFormatError(f"{wanted} is no JSON: {error}") from error
    if not isinstance(told, dict):
        raise PackageFormatError(f"{wanted} is no JSON object")
    return told


def _bounded(chunks: Iterable[bytes], name: str) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > _LARGEST:
            raise PackageFormatError(f"{name} has more than {_LARGEST} bytes")
    return bytes(content)


def _image(told: Mapping[str, object]) -> ImageReference:
    return ImageReference(
        name=_text(told, "name", _NAME, _IMAGE_FILE),
        digest=_text(told, "digest", _DIGEST, _IMAGE_FILE),
    )


def _server(told: Mapping[str, object]) -> ServerReference:
    address = _text(told, "address", _ADDRESS, _SERVER_FILE)
    required = told.get("tls_required", False)
    if not isinstance(required, bool):
        # Whoever wrote "true" is not to be served in plaintext.
        raise PackageFormatError(f"{_SERVER_FILE}: 'tls_required' is neither true nor false")
    _no_tls_material(told)
    if not required:
        if told.get("secret"):
            raise PackageFormatError(f"{_SERVER_FILE} has a 'secret' without 'tls_required'")
        return ServerReference(address=address, secret="")
    secret = _text(told, "secret", _SECRET, _SERVER_FILE)
    if len(secret) > _LONGEST_SECRET:
        raise PackageFormatError(f"{_SERVER_FILE} has no usable 'secret'")
    return ServerReference(address=address, secret=secret)


def _no_tls_material(told: Mapping[str, object]) -> None:
    """Raise PackageFormatError for TLS in Fabric's form, whose client key is in the package."""
    found = [name for name in _FABRICS_TLS if told.get(name)]
    if found:
        raise PackageFormatError(
            f"{_SERVER_FILE}: '{found[0]}' is not supported; 'secret' names the Kubernetes Secret "
            "with the material for TLS"
        )


def _text(told: Mapping[str, object], name: str, pattern: re.Pattern[str], file: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise PackageFormatError(f"{file} has no usable '{name}'")
    return value
