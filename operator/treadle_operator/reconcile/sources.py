"""The source of a ChaincodePackage, read and packed."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping

from treadle_operator.errors import Blocked, InvalidSource
from treadle_operator.kube import CONFIG_MAPS, SECRETS, Kube
from treadle_operator.model import (
    ChaincodePackage,
    ChaincodeServer,
    ConfigMapSource,
    FilesSource,
    GivenPackage,
    InstalledPackage,
    Manifest,
    PrebuiltImage,
    Reference,
    mapping_at,
)
from treadle_operator.packing import Frozen, accept, freeze, name_prebuilt
from treadle_operator.reconcile.fetching import fetch, is_fetched
from treadle_operator.reconcile.world import World
from treadle_operator.resources import secret_data


def source_references(package: ChaincodePackage) -> frozenset[Reference]:
    """The objects that the source is in."""
    source = package.spec.source
    if isinstance(source, ConfigMapSource):
        return frozenset({Reference("ConfigMap", source.config_map.name)})
    if isinstance(source, GivenPackage):
        return frozenset({Reference("Secret", source.secret.name)})
    return frozenset()


def may_change(package: ChaincodePackage) -> bool:
    """Whether the source lies where others can change it."""
    return bool(source_references(package))


async def read_source(world: World, package: ChaincodePackage, peer: str) -> Frozen | None:
    """What the source gives today; None for a package that only the peers have.

    *peer* is a Peer that there is. Raises Blocked: SourceMissing, SourceInvalid, Fetching,
    FetchFailed; KubeError.
    """
    source, spec, kube = package.spec.source, package.spec, world.kube
    if isinstance(source, InstalledPackage):
        return None
    try:
        if is_fetched(package):
            return await asyncio.to_thread(accept, spec, await fetch(world, package, peer))
        if isinstance(source, GivenPackage):
            data = _only(await _secret(kube, package, source), source)
            return await asyncio.to_thread(accept, spec, data)
        if isinstance(source, PrebuiltImage | ChaincodeServer):
            return name_prebuilt(spec, source)
        files = await _files(kube, package)
        # Packing many files takes a while, and other objects have to go on meanwhile.
        return await asyncio.to_thread(freeze, spec, files)
    except InvalidSource as error:
        raise Blocked("SourceInvalid", f"the source cannot be packed: {error}") from error


async def _files(kube: Kube, package: ChaincodePackage) -> Mapping[str, bytes]:
    source = package.spec.source
    if isinstance(source, FilesSource):
        return {name: _encoded(name, text) for name, text in source.files.items()}
    if isinstance(source, ConfigMapSource):
        return _config_map_files(await _config_map(kube, package, source))
    raise InvalidSource("this version does not know what it is")


def _config_map_files(config_map: Manifest) -> dict[str, bytes]:
    texts = mapping_at(config_map, "data").items()
    files = {name: _encoded(name, str(text)) for name, text in texts}
    for name, value in mapping_at(config_map, "binaryData").items():
        try:
            files[name] = base64.b64decode(str(value), validate=True)
        except binascii.Error as error:
            raise InvalidSource(f"binaryData.{name} is no base64") from error
    return files


def _encoded(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidSource(f"{name} is no text") from error


async def _config_map(kube: Kube, package: ChaincodePackage, source: ConfigMapSource) -> Manifest:
    name, namespace = source.config_map.name, package.meta.namespace
    found = await kube.find(CONFIG_MAPS, namespace, name)
    if found is None:
        raise _missing("ConfigMap", name, namespace)
    return found


async def _secret(kube: Kube, package: ChaincodePackage, source: GivenPackage) -> Manifest:
    name, namespace = source.secret.name, package.meta.namespace
    found = await kube.find(SECRETS, namespace, name)
    if found is None:
        raise _missing("Secret", name, namespace)
    return found


def _missing(kind: str, name: str, namespace: str) -> Blocked:
    return Blocked(
        "SourceMissing", f"there is no {kind} {name} in namespace {namespace}; create it"
    )


def _only(secret: Manifest, source: GivenPackage) -> bytes:
    values = list(secret_data(secret).values())
    if len(values) != 1:
        raise InvalidSource(f"Secret {source.secret.name} has {len(values)} keys, not one")
    return values[0]
