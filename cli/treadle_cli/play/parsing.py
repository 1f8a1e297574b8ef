"""From documents to the three kinds: defaults, checks, messages. Pure.

Fields that only a cluster can honour are known, and reported once.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from fabric_protos.common.policies_pb2 import SignaturePolicyEnvelope
from fabric_protos.peer.collection_pb2 import CollectionConfigPackage
from treadle_fabric.channelconfig import ConfigError, check_channel_id
from treadle_fabric.channelconfig.names import check_config_id
from treadle_fabric.policy import PolicyError, parse_policy

from treadle_cli.names import name_problem, version_problem
from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.inputs import parse_collections
from treadle_cli.play.documents import Document
from treadle_cli.play.models import (
    CAPABILITIES,
    DEFAULT_CHANNEL,
    LANGUAGES,
    LEGACY_CAPABILITY,
    ChannelModel,
    InstantiationModel,
    Mode,
    PackageModel,
    PeerModel,
    SourceModel,
)
from treadle_cli.play.problems import Findings
from treadle_cli.play.reading import Fields

_SOURCES_HERE = ("files", "configMap", "archive")
_COLLECTION_FIELDS = (
    "name",
    "policy",
    "requiredPeerCount",
    "maxPeerCount",
    "blockToLive",
    "memberOnlyRead",
    "memberOnlyWrite",
    "endorsementPolicy",
)
_SOURCES_ELSEWHERE = ("package", "imageFiles", "image", "server", "installed")


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
        msp_id=_msp_id(spec),
        mode=mode,
        tls=_tls(spec, mode),
        channels=_channels(spec) or (ChannelModel(),),
        execute_timeout=timeouts.get("executeTimeout"),
        startup_timeout=timeouts.get("startupTimeout"),
        build_timeout=timeouts.get("buildTimeout"),
    )


def _msp_id(spec: Fields) -> str:
    msp_id = spec.text("mspID", "Org1MSP")
    try:
        check_config_id(msp_id)
    except ConfigError as error:
        spec.wrong("mspID", str(error).removeprefix("config ID "))
    return msp_id


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
        name = _channel_name(item)
        if name in found:
            item.wrong("name", f"channel {name} is named twice")
        capability = item.choice("capabilities", LEGACY_CAPABILITY, CAPABILITIES)
        found[name] = ChannelModel(name, capability)
    return tuple(found.values())


def _channel_name(item: Fields) -> str:
    name = item.text("name", required=True)
    try:
        if name or item.has("name"):
            check_channel_id(name)
    except ConfigError as error:
        item.wrong("name", str(error))
    return name


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
        name=_checked(spec, "name", name_problem),
        version=_checked(spec, "version", version_problem),
        language=spec.choice("language", LANGUAGES[0], LANGUAGES),
        source=_source(spec),
        peers=tuple(_peer_name(item) for item in spec.items("peers")),
        document=document,
    )


def _checked(spec: Fields, name: str, problem: Callable[[str], str | None]) -> str:
    text = spec.text(name, required=True)
    found = problem(text) if text else None
    if found is not None:
        spec.wrong(name, found)
    return text


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
    if not items or not all(list(map(_is_collection, items))):
        return None
    try:
        fields = [dict(item.values) for item in items]
        return parse_collections(json.dumps(fields).encode())
    except (CommandError, TypeError) as error:
        spec.wrong("collections", str(error))
        return None


def _is_collection(item: Fields) -> bool:
    item.known(_COLLECTION_FIELDS)
    wanted = [item.text(name, required=True) for name in ("name", "policy")]
    return all(wanted)
