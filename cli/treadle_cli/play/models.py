"""The three kinds as play understands them: parsing, defaults, messages. Pure.

Field names and meaning are those of the custom resources; fields that only a cluster can honour
are known, and reported once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from treadle_fabric.policy import PolicyError, parse_policy

from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.inputs import parse_collections
from treadle_cli.play.documents import Document
from treadle_cli.play.problems import Findings
from treadle_cli.play.reading import Fields

LANGUAGES = ("golang", "node", "java", "python")
LEGACY_CAPABILITY = "V1_4_2"
CAPABILITIES = (LEGACY_CAPABILITY, "V2_0", "V2_5")
DEFAULT_CHANNEL = "mychannel"

_SOURCES_HERE = ("files", "configMap", "archive")
_SOURCES_ELSEWHERE = ("package", "imageFiles", "image", "server", "installed")


class Mode(Enum):
    """Who owns the chaincode process."""

    PRODUCTION = "Production"
    DEVELOPMENT = "Development"


@dataclass(frozen=True, slots=True)
class ChannelModel:
    """A channel of the peer; ``capability`` is its Application capability."""

    name: str = DEFAULT_CHANNEL
    capability: str = LEGACY_CAPABILITY


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerModel:
    """A Peer; timeouts are in seconds, None means the peer's own default."""

    name: str = "peer0"
    msp_id: str = "Org1MSP"
    mode: Mode = Mode.PRODUCTION
    tls: bool = False
    channels: tuple[ChannelModel, ...] = (ChannelModel(),)
    execute_timeout: float | None = None
    startup_timeout: float | None = None
    build_timeout: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceModel:
    """Where the code is: exactly one of the three is set.

    ``files`` maps file names to contents, ``archive`` is a path or file URL to a folder or a
    tar.gz of sources, ``sha256`` the archive's expected hash (hex) or empty.
    """

    files: Mapping[str, str] | None = None
    config_map: str = ""
    archive: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageModel:
    """A ChaincodePackage: ``resource`` is its metadata.name, ``name`` the chaincode's."""

    resource: str
    name: str
    version: str
    language: str
    source: SourceModel
    peers: tuple[str, ...]
    document: Document

    @property
    def ccid(self) -> str:
        """``name:version``."""
        return f"{self.name}:{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantiationModel:
    """A ChaincodeInstantiation; ``mode`` None means the peer's, ``policy`` None any member."""

    resource: str
    package: str
    channel: str
    mode: Mode | None
    args: tuple[str, ...]
    policy: SignaturePolicyEnvelope | None
    collections: CollectionConfigPackage | None
    document: Document


def parse_peer(document: Document, findings: Findings) -> PeerModel:
    """A Peer with its defaults; problems go to *findings*."""
    spec = Fields.of_spec(document, findings)
    spec.known(
        ["mspID", "mode", "tls", "ordering", "channels", "chaincode"],
        ignored=[
            "allowDevelopment",
            "deletionPolicy",
            "identity",
            "storage",
            "external",
            "image",
            "resources",
            "nodeSelector",
            "tolerations",
            "affinity",
            "imagePullSecrets",
        ],
    )
    _check_ordering(spec)
    mode = Mode(spec.choice("mode", Mode.PRODUCTION.value, [one.value for one in Mode]))
    timeouts = _timeouts(spec)
    return PeerModel(
        name=document.name,
        msp_id=spec.text("mspID", "Org1MSP"),
        mode=mode,
        tls=_tls(spec, mode),
        channels=_channels(spec) or (ChannelModel(),),
        execute_timeout=timeouts.get("executeTimeout"),
        startup_timeout=timeouts.get("startupTimeout"),
        build_timeout=timeouts.get("buildTimeout"),
    )


def _check_ordering(spec: Fields) -> None:
    ordering = spec.mapping("ordering")
    if ordering is None:
        return
    ordering.known(["embedded", "external"])
    if ordering.has("external"):
        ordering.wrong("external", "play runs embedded ordering only; remove it")


def _tls(spec: Fields, mode: Mode) -> bool:
    tls = spec.mapping("tls")
    if tls is None:
        return False
    tls.known(["enabled"], ignored=["secretRef"])
    enabled = tls.flag("enabled", True)
    if not enabled and mode is Mode.PRODUCTION:
        tls.wrong("enabled", "false is for mode Development only")
    return enabled


def _channels(spec: Fields) -> tuple[ChannelModel, ...]:
    found: dict[str, ChannelModel] = {}
    for item in spec.items("channels"):
        item.known(["name", "capabilities"], ignored=["genesisBlockRef"])
        name = item.text("name", required=True)
        if name in found:
            item.wrong("name", f"channel {name} is named twice")
        capability = item.choice("capabilities", LEGACY_CAPABILITY, CAPABILITIES)
        found[name] = ChannelModel(name, capability)
    return tuple(found.values())


def _timeouts(spec: Fields) -> dict[str, float | None]:
    chaincode = spec.mapping("chaincode")
    if chaincode is None:
        return {}
    names = ["executeTimeout", "startupTimeout", "buildTimeout"]
    chaincode.known(names, ignored=["builders", "runtimeDefaults", "allowExternalServers"])
    return {name: chaincode.duration(name) for name in names}


def parse_package(document: Document, findings: Findings) -> PackageModel:
    """A ChaincodePackage; problems go to *findings*."""
    spec = Fields.of_spec(document, findings)
    spec.known(
        ["name", "version", "language", "source", "peers"],
        ignored=["deletionPolicy"],
    )
    if not spec.has("language"):
        spec.wrong("language", f"it is missing; write one of {', '.join(LANGUAGES)}")
    return PackageModel(
        resource=document.name,
        name=spec.text("name", required=True),
        version=spec.text("version", required=True),
        language=spec.choice("language", LANGUAGES[0], LANGUAGES),
        source=_source(spec),
        peers=tuple(_peer_name(item) for item in spec.items("peers")),
        document=document,
    )


def _peer_name(item: Fields) -> str:
    item.known(["name"])
    return item.text("name", required=True)


def _source(spec: Fields) -> SourceModel:
    source = spec.mapping("source")
    if source is None:
        if not spec.has("source"):
            spec.wrong("source", f"it is missing; give one of {', '.join(_SOURCES_HERE)}")
        return SourceModel()
    source.known([*_SOURCES_HERE, *_SOURCES_ELSEWHERE])
    given = [name for name in (*_SOURCES_HERE, *_SOURCES_ELSEWHERE) if source.has(name)]
    if len(given) != 1:
        text = f"give exactly one of {', '.join(_SOURCES_HERE)}"
        spec.wrong("source", f"{text}; got {', '.join(given) or 'none'}")
    for name in _SOURCES_ELSEWHERE:
        if source.has(name):
            source.wrong(name, f"it needs a cluster; play takes {', '.join(_SOURCES_HERE)}")
    archive = source.mapping("archive")
    if archive is not None:
        archive.known(["url", "sha256"])
    return SourceModel(
        files=source.text_map("files"),
        config_map=source.reference("configMap"),
        archive=archive.text("url", required=True) if archive else "",
        sha256=archive.text("sha256") if archive else "",
    )


def parse_instantiation(document: Document, findings: Findings) -> InstantiationModel:
    """A ChaincodeInstantiation; problems go to *findings*."""
    spec = Fields.of_spec(document, findings)
    spec.known(
        ["packageRef", "channel", "lifecycle", "mode", "init", "endorsementPolicy", "collections"],
        ignored=["runtime"],
    )
    if not spec.has("packageRef"):
        spec.wrong("packageRef", "it is missing; name a ChaincodePackage")
    if spec.choice("lifecycle", "Legacy", ["Legacy", "V2"]) == "V2":
        spec.wrong("lifecycle", "play speaks the Legacy lifecycle only")
    mode = spec.choice("mode", "", ["", *(one.value for one in Mode)])
    init = spec.mapping("init")
    if init is not None:
        init.known(["args"])
    return InstantiationModel(
        resource=document.name,
        package=spec.reference("packageRef"),
        channel=spec.text("channel", DEFAULT_CHANNEL),
        mode=Mode(mode) if mode else None,
        args=init.texts("args") if init else (),
        policy=_policy(spec),
        collections=_collections(spec),
        document=document,
    )


def _policy(spec: Fields) -> SignaturePolicyEnvelope | None:
    text = spec.text("endorsementPolicy")
    try:
        return parse_policy(text) if text else None
    except PolicyError as error:
        spec.wrong("endorsementPolicy", f"no policy: {error}")
        return None


def _collections(spec: Fields) -> CollectionConfigPackage | None:
    """Written as in the files of ``peer chaincode instantiate --collections-config``."""
    items = spec.items("collections")
    try:
        fields = [dict(item.values) for item in items]
        return parse_collections(json.dumps(fields).encode()) if items else None
    except (CommandError, TypeError) as error:
        spec.wrong("collections", str(error))
        return None
