"""The ChaincodePackage: one version of a chaincode, and the peers that have it. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from treadle_operator.errors import InvalidObject
from treadle_operator.model.common import Meta, Ref, parse_meta
from treadle_operator.model.reading import Fields

LONGEST_OBJECT_NAME: Final = 63
# Fabric's own rules (fabric-wire.md §3.4).
_NAME: Final = re.compile("[a-zA-Z0-9]++(?:[-_][a-zA-Z0-9]++)*+")
_VERSION: Final = re.compile("[A-Za-z0-9_.+-]+")
_SHA256: Final = re.compile("[0-9A-Fa-f]{64}")
_BY_DIGEST: Final = re.compile("[^@]+@sha256:[0-9a-f]{64}")
_ADDRESS: Final = re.compile("[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]{1,5}")
_PACKAGE_ID: Final = re.compile("[A-Za-z0-9][A-Za-z0-9_.+-]*:[0-9a-f]{64}")


class Language(StrEnum):
    """Language of a chaincode's source."""

    GOLANG = "golang"
    NODE = "node"
    JAVA = "java"
    PYTHON = "python"


class PackageDeletion(StrEnum):
    """What becomes of the package on the peers when the ChaincodePackage is deleted."""

    KEEP = "Keep"
    UNINSTALL = "Uninstall"


@dataclass(frozen=True, slots=True)
class FilesSource:
    """Sources in place, from file name (relative, without ``..``) to content."""

    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ConfigMapSource:
    """A ConfigMap whose keys are file names."""

    config_map: Ref


@dataclass(frozen=True, slots=True)
class ArchiveSource:
    """A tar.gz to be fetched; ``sha256`` (hexadecimal, lower case) None: anything is taken."""

    url: str
    sha256: str | None


@dataclass(frozen=True, slots=True)
class GivenPackage:
    """A finished Fabric package, the only key of a Secret."""

    secret: Ref


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """Sources in the folder ``path`` (absolute) of an image."""

    image: str
    path: str


@dataclass(frozen=True, slots=True)
class PrebuiltImage:
    """An image with the built chaincode, named by its digest."""

    image: str


@dataclass(frozen=True, slots=True)
class ChaincodeServer:
    """A chaincode server of somebody else; with TLS its ``ca.crt`` is in ``secret``."""

    address: str
    tls: bool
    secret: Ref | None


Prebuilt: TypeAlias = PrebuiltImage | ChaincodeServer
"""What only names what runs: nothing is built."""


@dataclass(frozen=True, slots=True)
class InstalledPackage:
    """A package that is on the peers already, ``label:hash``."""

    package_id: str


Source: TypeAlias = (
    FilesSource
    | ConfigMapSource
    | ArchiveSource
    | GivenPackage
    | ImageFiles
    | Prebuilt
    | InstalledPackage
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSpec:
    """The spec of a ChaincodePackage; ``language`` None: the source itself says what it is."""

    name: str
    version: str
    language: Language | None
    source: Source
    peers: tuple[str, ...]
    deletion_policy: PackageDeletion


@dataclass(frozen=True, slots=True)
class ChaincodePackage:
    """A ChaincodePackage as the API server stores it."""

    meta: Meta
    spec: PackageSpec
    status: Mapping[str, object]


def parse_package(body: Mapping[str, object]) -> ChaincodePackage:
    """Read a stored ChaincodePackage; raises InvalidObject."""
    meta = parse_meta(body)
    check_object_name(meta)
    spec = Fields.of_spec(body)
    name, version = spec.text("name"), spec.text("version")
    if not _NAME.fullmatch(name):
        raise spec.wrong("name", "use letters and digits, with single '-' or '_' between them")
    if not _VERSION.fullmatch(version):
        raise spec.wrong("version", "use letters, digits, '_', '.', '+' and '-'")
    language = spec.optional_choice("language", Language)
    source = _source(spec)
    if language is None and not isinstance(
        source, PrebuiltImage | ChaincodeServer | InstalledPackage
    ):
        raise spec.wrong("language", "write golang, node, java or python")
    parsed = PackageSpec(
        name=name,
        version=version,
        language=language,
        source=source,
        peers=_peers(spec),
        deletion_policy=spec.choice("deletionPolicy", PackageDeletion.KEEP),
    )
    status = body.get("status")
    return ChaincodePackage(meta, parsed, status if isinstance(status, Mapping) else {})


def check_object_name(meta: Meta) -> None:
    """Raise InvalidObject for a name that does not fit into a label."""
    if len(meta.name) > LONGEST_OBJECT_NAME:
        raise InvalidObject(
            "metadata.name", f"it becomes a label, use at most {LONGEST_OBJECT_NAME} characters"
        )


def _peers(spec: Fields) -> tuple[str, ...]:
    names = tuple(item.text("name") for item in spec.items("peers"))
    if not names:
        raise spec.wrong("peers", "name at least one peer")
    if len(set(names)) < len(names):
        raise spec.wrong("peers", "name each peer once")
    return names


def _source(spec: Fields) -> Source:
    source = spec.inner("source", required=True) or Fields({}, "spec.source")
    given = [name for name in _SOURCES if source.has(name)]
    if len(given) != 1:
        raise spec.wrong("source", f"give exactly one of {', '.join(_SOURCES)}")
    return _SOURCES[given[0]](source)


def _files(source: Fields) -> FilesSource:
    files: dict[str, str] = {}
    inner = Fields(source.mapping("files"), f"{source.path}.files")
    if not inner.values:
        raise source.wrong("files", "give at least one file")
    for name in inner.values:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise inner.wrong(name, "file names stay inside of the package")
        files[name] = inner.text(name, "")
    return FilesSource(files)


def _archive(source: Fields) -> ArchiveSource:
    inner = _inner(source, "archive")
    digest = inner.text("sha256") if inner.has("sha256") else None
    if digest is not None and not _SHA256.fullmatch(digest):
        raise inner.wrong("sha256", "write the 64 hexadecimal digits that sha256sum prints")
    return ArchiveSource(inner.text("url"), digest.lower() if digest else None)


def _image_files(source: Fields) -> ImageFiles:
    inner = _inner(source, "imageFiles")
    path = inner.text("path")
    if not path.startswith("/") or ".." in PurePosixPath(path).parts:
        raise inner.wrong("path", "write the folder's whole path, without '..'")
    return ImageFiles(inner.text("image"), path)


def _image(source: Fields) -> PrebuiltImage:
    image = source.text("image")
    if not _BY_DIGEST.fullmatch(image):
        raise source.wrong("image", "name the image by its digest, as name@sha256:...")
    return PrebuiltImage(image)


def _server(source: Fields) -> ChaincodeServer:
    inner = _inner(source, "server")
    address = inner.text("address")
    if not _ADDRESS.fullmatch(address):
        raise inner.wrong("address", "write host:port")
    tls = inner.inner("tls") or Fields({}, f"{inner.path}.tls")
    enabled, secret = tls.flag("enabled", True), tls.optional_reference("secretRef")
    if enabled and secret is None:
        raise inner.wrong("tls", "name the Secret with the server's ca.crt, or disable TLS")
    return ChaincodeServer(address, enabled, secret)


def _installed(source: Fields) -> InstalledPackage:
    inner = _inner(source, "installed")
    package_id = inner.text("packageID")
    if not _PACKAGE_ID.fullmatch(package_id):
        raise inner.wrong("packageID", "write the package ID that install printed, label:hash")
    return InstalledPackage(package_id)


def _inner(source: Fields, name: str) -> Fields:
    return source.inner(name, required=True) or Fields({}, f"{source.path}.{name}")


_SOURCES: Final[Mapping[str, Callable[[Fields], Source]]] = {
    "files": _files,
    "configMap": lambda source: ConfigMapSource(source.reference("configMap")),
    "archive": _archive,
    "package": lambda source: GivenPackage(_inner(source, "package").reference("secretRef")),
    "imageFiles": _image_files,
    "image": _image,
    "server": _server,
    "installed": _installed,
}
