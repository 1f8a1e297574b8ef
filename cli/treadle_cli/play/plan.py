"""From documents to a plan: every reference resolved, or a sentence that says which is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from treadle_cli.play.documents import Document, read_documents
from treadle_cli.play.models import (
    LEGACY_CAPABILITY,
    ChannelModel,
    InstantiationModel,
    Mode,
    PackageModel,
    PeerModel,
)
from treadle_cli.play.parsing import parse_instantiation, parse_package, parse_peer
from treadle_cli.play.problems import Findings, PlayError, nearest
from treadle_cli.play.sources import archive_path, leaves_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One instantiation with the package it names."""

    package: PackageModel
    instantiation: InstantiationModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What play will do, in order: start the peer, install packages, carry out steps.

    ``config_maps`` holds the data of the ConfigMaps in the files; ``warning`` is None or one
    sentence for the user.
    """

    peer: PeerModel
    packages: tuple[PackageModel, ...]
    steps: tuple[Step, ...]
    config_maps: Mapping[str, Mapping[str, str]]
    warning: str | None


def make_plan(*sources: Path) -> Plan:
    """Read *sources*, files and folders; raises PlayError with every problem found."""
    findings = Findings()
    documents = read_documents(sources, findings)
    _check_unique(documents, findings)
    peers = _peers(documents, findings)
    packages = [parse_package(one, findings) for one in documents if one.kind == "ChaincodePackage"]
    wanted = [
        parse_instantiation(one, findings)
        for one in documents
        if one.kind == "ChaincodeInstantiation"
    ]
    if not documents and not findings.problems:
        findings.wrong(
            ", ".join(str(source) for source in sources), "nothing to play: no document found"
        )
    findings.check()
    peer = peers[0] if peers else PeerModel()
    config_maps = {one.name: _data(one) for one in documents if one.kind == "ConfigMap"}
    _check_packages(packages, peers, config_maps, findings)
    steps = _steps(wanted, packages, peer, findings)
    findings.check()
    return Plan(
        peer=peer,
        packages=tuple(packages),
        steps=tuple(steps),
        config_maps=config_maps,
        warning=findings.warning(),
    )


def _peers(documents: Sequence[Document], findings: Findings) -> list[PeerModel]:
    found = [one for one in documents if one.kind == "Peer"]
    names = list(dict.fromkeys(one.name for one in found))
    if len(names) > 1:
        second = next(one for one in found if one.name == names[1])
        text = f"play runs one Peer; the files hold {', '.join(names)}"
        findings.wrong(second.place(()), text)
    return [parse_peer(one, findings) for one in found]


def _check_unique(documents: Sequence[Document], findings: Findings) -> None:
    seen: dict[tuple[str, str], Document] = {}
    for document in documents:
        key = (document.kind, document.name)
        if key in seen:
            first = seen[key].place(("metadata",))
            text = f"{document.kind} {document.name} is there twice; the first is at {first}"
            findings.wrong(document.place(("metadata",)), text)
        seen.setdefault(key, document)


def _check_packages(
    packages: Sequence[PackageModel],
    peers: Sequence[PeerModel],
    config_maps: Mapping[str, Mapping[str, str]],
    findings: Findings,
) -> None:
    known = [peer.name for peer in peers]
    owners: dict[str, str] = {}
    for package in packages:
        who = f"ChaincodePackage {package.resource}"
        for name in package.peers if known else ():
            if name not in known:
                place = package.document.place(("spec", "peers"))
                findings.wrong(place, f"{who}: there is no Peer {name}{nearest(name, known)}")
        wanted = package.source.config_map
        if wanted and wanted not in config_maps:
            place = package.document.place(("spec", "source"))
            hint = nearest(wanted, config_maps)
            findings.wrong(place, f"{who}: no ConfigMap {wanted} in the files{hint}")
        _check_source(package, config_maps.get(wanted, {}), findings)
        owner = owners.setdefault(package.ccid, package.resource)
        if owner != package.resource:
            place = package.document.place(("spec", "version"))
            findings.wrong(place, f"{who}: {package.ccid} is also packaged by {owner}")


def _check_source(package: PackageModel, shared: Mapping[str, str], findings: Findings) -> None:
    """The files themselves are read when the package is built."""
    who, source = f"ChaincodePackage {package.resource}", package.source
    if source.archive:
        place = package.document.place(("spec", "source", "archive", "url"))
        field = "spec.source.archive.url"
        try:
            path = archive_path(package)
        except PlayError as error:
            findings.wrong(place, f"{who}: {field}: {error}")
        else:
            if not path.exists():
                findings.wrong(place, f"{who}: {field}: there is no file or folder {path}")
    for name in source.files if source.files is not None else shared:
        if leaves_folder(name):
            place = package.document.place(("spec", "source", "files", name))
            findings.wrong(place, f"{who}: the file name {name!r} leaves the folder")


def _steps(
    wanted: Sequence[InstantiationModel],
    packages: Sequence[PackageModel],
    peer: PeerModel,
    findings: Findings,
) -> list[Step]:
    by_name = {package.resource: package for package in packages}
    channels = {channel.name: channel for channel in peer.channels}
    modes: dict[str, tuple[Mode, str]] = {}
    taken: dict[tuple[str, str], str] = {}
    steps = []
    for one in wanted:
        who = f"ChaincodeInstantiation {one.resource}"
        package = by_name.get(one.package)
        if package is None:
            place = one.document.place(("spec", "packageRef"))
            hint = nearest(one.package, by_name)
            findings.wrong(place, f"{who}: there is no ChaincodePackage {one.package}{hint}")
            continue
        _check_channel(one, peer, channels, findings)
        mode = one.mode or peer.mode
        first, resource = modes.setdefault(package.ccid, (mode, one.resource))
        if first is not mode:
            text = f"{package.ccid} is in mode {first.value} for {resource}; one process, one mode"
            findings.wrong(one.document.place(("spec", "mode")), f"{who}: {text}")
        owner = taken.setdefault((package.name, one.channel), one.resource)
        if owner != one.resource:
            place = one.document.place(("metadata",))
            text = f"{package.name} on {one.channel} is already instantiated by {owner}"
            findings.wrong(place, f"{who}: {text}")
        steps.append(Step(package=package, instantiation=one))
    return steps


def _check_channel(
    one: InstantiationModel,
    peer: PeerModel,
    channels: Mapping[str, ChannelModel],
    findings: Findings,
) -> None:
    who = f"ChaincodeInstantiation {one.resource}"
    place = one.document.place(("spec", "channel"))
    channel = channels.get(one.channel)
    if channel is None:
        hint = nearest(one.channel, channels)
        findings.wrong(place, f"{who}: Peer {peer.name} has no channel {one.channel}{hint}")
    elif channel.capability != LEGACY_CAPABILITY:
        findings.wrong(
            place,
            f"{who}: channel {channel.name} has capabilities {channel.capability}, which know no "
            f"instantiate; write {LEGACY_CAPABILITY}",
        )


def _data(document: Document) -> Mapping[str, str]:
    data = document.body.get("data")
    return {str(name): str(text) for name, text in data.items()} if isinstance(data, dict) else {}
