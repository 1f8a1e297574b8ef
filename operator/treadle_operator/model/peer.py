"""The Peer: one replica of a Fabric-compatible peer. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from treadle_operator.errors import InvalidObject
from treadle_operator.model.common import Meta, Mode, Ref, parse_meta
from treadle_operator.model.package import Language
from treadle_operator.model.reading import Fields
from treadle_operator.model.settings import (
    BuilderSettings,
    RuntimeSettings,
    builder_settings,
    runtime_settings,
)

LONGEST_NAME: Final = 40
CLIENT_PORT: Final = 7051
_MSP_ID: Final = re.compile(r"[a-zA-Z0-9.-]{1,249}")
_NAME: Final = re.compile("[a-z]([-a-z0-9]*[a-z0-9])?")


class DeletionPolicy(StrEnum):
    """What becomes of volume and generated Secrets when the Peer is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True)
class GivenIdentity:
    """Secrets with the MSPs of the peer and of an admin."""

    msp: Ref
    admin: Ref


@dataclass(frozen=True, slots=True)
class TLSSpec:
    """TLS of the client port; without a Secret the organisation's TLS CA issues one."""

    enabled: bool
    secret: Ref | None


@dataclass(frozen=True, slots=True)
class ExternalOrdering:
    """A Fabric ordering service: addresses, and the Secret with its TLS roots."""

    endpoints: tuple[str, ...]
    tls_ca: Ref


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A channel; ``capability`` is its Application capability."""

    name: str
    capability: str
    genesis_block: Ref | None


@dataclass(frozen=True, slots=True)
class StorageSpec:
    """The ledger's volume: ``size`` is a quantity, ``storage_class`` None the cluster's default."""

    size: str
    storage_class: str | None


@dataclass(frozen=True, slots=True)
class ExternalAddress:
    """Where clients outside of the cluster find the peer; ``service_type`` as in a Service."""

    host: str
    port: int
    service_type: str


@dataclass(frozen=True, slots=True)
class ChaincodeSettings:
    """Time limits as durations of Go; no execute timeout means the peer's own default.

    ``builders`` has all languages. ``external_servers``: whether packages may name servers that
    somebody else runs.
    """

    execute_timeout: str | None
    startup_timeout: str
    build_timeout: str
    builders: Mapping[str, BuilderSettings]
    runtime_defaults: RuntimeSettings
    external_servers: bool = False


@dataclass(frozen=True, slots=True)
class PodSettings:
    """What the peer's pod takes over as it is written."""

    image: str | None
    resources: Mapping[str, object]
    node_selector: Mapping[str, object]
    tolerations: Sequence[object]
    affinity: Mapping[str, object]
    image_pull_secrets: Sequence[object]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSpec:
    """The spec of a Peer. ``identity`` None: generated; ``ordering`` None: embedded."""

    msp_id: str
    mode: Mode
    allow_development: bool
    deletion_policy: DeletionPolicy
    identity: GivenIdentity | None
    tls: TLSSpec
    ordering: ExternalOrdering | None
    channels: tuple[ChannelSpec, ...]
    storage: StorageSpec
    external: ExternalAddress | None
    chaincode: ChaincodeSettings
    pod: PodSettings


@dataclass(frozen=True, slots=True)
class Peer:
    """A Peer as the API server stores it."""

    meta: Meta
    spec: PeerSpec
    status: Mapping[str, object]


def parse_peer(body: Mapping[str, object]) -> Peer:
    """Read a stored Peer; raises InvalidObject."""
    meta = parse_meta(body)
    if len(meta.name) > LONGEST_NAME or not _NAME.fullmatch(meta.name):
        raise InvalidObject(
            "metadata.name",
            f"use at most {LONGEST_NAME} lower-case letters, digits and '-', a letter first",
        )
    spec = Fields.of_spec(body)
    mode = spec.choice("mode", Mode.PRODUCTION)
    identity = _identity(spec)
    status = body.get("status")
    parsed = PeerSpec(
        msp_id=_msp_id(spec),
        mode=mode,
        allow_development=spec.flag("allowDevelopment", identity is None),
        deletion_policy=spec.choice("deletionPolicy", DeletionPolicy.RETAIN),
        identity=identity,
        tls=_tls(spec, mode),
        ordering=_ordering(spec),
        channels=tuple(_channel(item) for item in spec.items("channels")),
        storage=_storage(spec),
        external=_external(spec),
        chaincode=_chaincode(spec),
        pod=_pod(spec),
    )
    return Peer(meta=meta, spec=parsed, status=status if isinstance(status, Mapping) else {})


def _msp_id(spec: Fields) -> str:
    msp_id = spec.text("mspID")
    if not _MSP_ID.fullmatch(msp_id) or msp_id in {".", ".."}:
        raise spec.wrong("mspID", "use letters, digits, '.' and '-'")
    return msp_id


def _identity(spec: Fields) -> GivenIdentity | None:
    inner = spec.inner("identity")
    if inner is None:
        return None
    return GivenIdentity(inner.reference("mspSecretRef"), inner.reference("adminSecretRef"))


def _tls(spec: Fields, mode: Mode) -> TLSSpec:
    inner = spec.inner("tls") or Fields({}, "spec.tls")
    enabled = inner.flag("enabled", True)
    if not enabled and mode is not Mode.DEVELOPMENT:
        raise inner.wrong("enabled", "false is for mode Development only")
    return TLSSpec(enabled, inner.optional_reference("secretRef"))


def _ordering(spec: Fields) -> ExternalOrdering | None:
    ordering = spec.inner("ordering")
    external = ordering.inner("external") if ordering else None
    if ordering is None or external is None:
        return None
    if ordering.has("embedded"):
        raise spec.wrong("ordering", "give either embedded or external, not both")
    return ExternalOrdering(external.texts("endpoints"), external.reference("tlsCASecretRef"))


def _channel(item: Fields) -> ChannelSpec:
    return ChannelSpec(
        name=item.text("name"),
        capability=item.text("capabilities", "V1_4_2"),
        genesis_block=item.optional_reference("genesisBlockRef"),
    )


def _storage(spec: Fields) -> StorageSpec:
    inner = spec.inner("storage") or Fields({}, "spec.storage")
    return StorageSpec(
        size=inner.text("size", "10Gi"),
        storage_class=inner.text("storageClassName") if inner.has("storageClassName") else None,
    )


def _external(spec: Fields) -> ExternalAddress | None:
    inner = spec.inner("external")
    if inner is None:
        return None
    host, _, port = inner.text("host").partition(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise inner.wrong("host", "write host or host:port")
    service = inner.inner("service") or Fields({}, "")
    kind = service.text("type", "ClusterIP")
    return ExternalAddress(host, int(port) if port else CLIENT_PORT, kind)


def _chaincode(spec: Fields) -> ChaincodeSettings:
    inner = spec.inner("chaincode") or Fields({}, "spec.chaincode")
    execute = inner.text("executeTimeout") if inner.has("executeTimeout") else None
    builders = inner.inner("builders") or Fields({}, "")
    return ChaincodeSettings(
        execute_timeout=execute,
        startup_timeout=inner.text("startupTimeout", "5m"),
        build_timeout=inner.text("buildTimeout", "10m"),
        builders={
            language.value: builder_settings(builders.inner(language.value))
            for language in Language
        },
        runtime_defaults=runtime_settings(inner.inner("runtimeDefaults")),
        external_servers=inner.flag("allowExternalServers", False),
    )


def _pod(spec: Fields) -> PodSettings:
    return PodSettings(
        image=spec.text("image") if spec.has("image") else None,
        resources=spec.mapping("resources"),
        node_selector=spec.mapping("nodeSelector"),
        tolerations=spec.sequence("tolerations"),
        affinity=spec.mapping("affinity"),
        image_pull_secrets=spec.sequence("imagePullSecrets"),
    )
