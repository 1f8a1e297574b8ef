"""From the sources of a ChaincodePackage to the bytes that peers install: freezing.

The bytes are those that ``treadle play`` makes of the same files, on every machine. Nothing here
knows of Kubernetes or of peers.
"""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from treadle_fabric.packages import ChaincodePackage as LegacyPackage
from treadle_fabric.packages import (
    ImageReference,
    PackageFormatError,
    ServerReference,
    build_legacy_package,
    check_code_package,
    parse_legacy_package,
    prebuilt_code,
    prebuilt_language,
    wrap_code,
)

from treadle_operator.errors import InvalidSource
from treadle_operator.model import PackageSpec, Prebuilt, PrebuiltImage


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A package as it is installed.

    ``sha256`` (lower-case hex) is that of the packed source, the same in every lifecycle.
    ``package_id`` is ``<name>_<version>:<hex>`` with the fingerprint that peers report as the ID
    of an installed package.
    """

    data: bytes
    sha256: str
    legacy_id: str
    package_id: str


def freeze(spec: PackageSpec, files: Mapping[str, bytes]) -> Frozen:
    """Pack *files* (relative name to content); raises InvalidSource."""
    if spec.language is None:
        raise InvalidSource("sources need a language")
    with tempfile.TemporaryDirectory(prefix="treadle-") as scratch:
        folder = Path(scratch, "source")
        folder.mkdir()
        try:
            _write(files, folder)
            data = build_legacy_package(
                name=spec.name,
                version=spec.version,
                language=spec.language.value,
                path=spec.name,
                source=folder,
                dependencies=True,
            )
        except (PackageFormatError, UnicodeDecodeError) as error:
            # Where it was packed tells nobody anything.
            told = str(error).replace(str(folder.resolve()), "").replace(str(folder), "")
            raise InvalidSource(told) from error
    return _frozen(parse_legacy_package(data))


def name_prebuilt(spec: PackageSpec, prebuilt: Prebuilt) -> Frozen:
    """A package that only names what runs; raises InvalidSource."""
    named: ImageReference | ServerReference
    if isinstance(prebuilt, PrebuiltImage):
        name, _, digest = prebuilt.image.partition("@")
        named = ImageReference(name=name, digest=digest)
    else:
        secret = prebuilt.secret.name if prebuilt.tls and prebuilt.secret else ""
        named = ServerReference(address=prebuilt.address, secret=secret)
    language, code = prebuilt_language(named), prebuilt_code(named)
    try:
        check_code_package(language, code)
    except PackageFormatError as error:
        raise InvalidSource(str(error)) from error
    data = wrap_code(
        name=spec.name, version=spec.version, language=language, path=spec.name, code=code
    )
    return _frozen(parse_legacy_package(data))


def accept(spec: PackageSpec, data: bytes) -> Frozen:
    """A finished package, to be installed as it is; raises InvalidSource unless it is *spec*'s."""
    try:
        package = parse_legacy_package(data)
        check_code_package(package.language, package.code)
    except PackageFormatError as error:
        raise InvalidSource(
            f"no package of the legacy lifecycle, as peer chaincode package makes it: {error}"
        ) from error
    found = f"{package.name} {package.version}"
    if found != f"{spec.name} {spec.version}":
        raise InvalidSource(f"it holds {found}, not {spec.name} {spec.version}")
    if spec.language is not None and package.language != spec.language:
        raise InvalidSource(f"its language is {package.language}, not {spec.language}")
    if not package.code:
        raise InvalidSource("it holds no code")
    return _frozen(package)


def package_id(name: str, version: str, fingerprint: str) -> str:
    """The ID of a legacy package; *fingerprint* as peers report it, lower-case hex."""
    return f"{name}_{version}:{fingerprint}"


def _frozen(package: LegacyPackage) -> Frozen:
    return Frozen(
        data=package.raw,
        sha256=hashlib.sha256(package.code).hexdigest(),
        legacy_id=f"{package.name}:{package.version}",
        package_id=package_id(package.name, package.version, package.id.hex()),
    )


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    """Lay *files* out; a name that cannot be there raises PackageFormatError."""
    for name, content in files.items():
        parts = PurePosixPath(name).parts
        if not parts or parts[0] == "/" or ".." in parts or "\0" in name:
            raise PackageFormatError(f"{name!r} is no name of a file inside of the package")
        target = folder.joinpath(*parts)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(content)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise PackageFormatError(f"{name!r} is there twice, or a file and a folder") from error
        except UnicodeEncodeError as error:
            raise PackageFormatError(f"{name!r} is no text") from error
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            raise PackageFormatError(f"the name {name[:60]!r}... is too long") from error
