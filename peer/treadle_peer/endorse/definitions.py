"""What a chaincode name means on a channel: its version, its process, whether it may be run here.

The lookup reads through the transaction's simulator, so the definition's version enters its read
set (fabric-wire.md §3.7).
"""

from __future__ import annotations

from dataclasses import dataclass

from treadle_fabric.wire import WireError

from treadle_peer.channels import (
    LIFECYCLE_NAMESPACE,
    ChaincodeDefinition,
    Channels,
    legacy_definition,
)
from treadle_peer.execution import PackageError, PackageStore
from treadle_peer.ledger import Simulator

SYSTEM_VERSION = "syscc"


class DefinitionError(Exception):
    """The chaincode cannot be used on this channel and peer; the text is Fabric's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A chaincode ready to be called."""

    name: str
    version: str
    ccid: str
    endorsement_plugin: str = "escc"
    is_system: bool = False


class Definitions:
    """Resolves names; ``system`` are the names of the system chaincodes."""

    def __init__(
        self, *, channels: Channels, packages: PackageStore, system: frozenset[str]
    ) -> None:
        self._channels = channels
        self._packages = packages
        self._system = system
        self._policies: dict[tuple[str, bytes], bytes] = {}

    def is_system(self, name: str) -> bool:
        """Whether *name* is a system chaincode of this peer."""
        return name in self._system

    def resolve(self, name: str, channel_id: str, simulator: Simulator | None) -> Resolved:
        """The chaincode *name* on *channel_id*; raises DefinitionError."""
        if name in self._system:
            ccid = f"{name}.{SYSTEM_VERSION}"
            return Resolved(name=name, version=SYSTEM_VERSION, ccid=ccid, is_system=True)
        if name == LIFECYCLE_NAMESPACE:
            raise DefinitionError(
                "this peer does not offer _lifecycle yet; install, instantiate and upgrade "
                "chaincodes with the legacy commands (peer chaincode) instead"
            )
        channel = self._channels.get(channel_id)
        if channel is None or simulator is None:
            raise DefinitionError(f"could not get channel config for channel '{channel_id}'")
        if channel.bundle.application.capabilities.v2_lifecycle:
            # Fabric asks its new lifecycle first, and that read is part of the read set.
            sequence = f"namespaces/fields/{name}/Sequence"
            if simulator.get_state(LIFECYCLE_NAMESPACE, sequence):
                raise DefinitionError(
                    f"chaincode {name} is defined by _lifecycle, which this peer cannot run yet"
                )
        definition = self._legacy(name, simulator)
        return Resolved(
            name=name,
            version=definition.version,
            ccid=definition.ccid,
            endorsement_plugin=definition.endorsement_plugin,
        )

    def _legacy(self, name: str, simulator: Simulator) -> ChaincodeDefinition:
        try:
            definition = legacy_definition(simulator, name)
        except WireError as error:
            raise DefinitionError(f"chaincode {name} has bad definition: {error}") from error
        if definition is None:
            raise DefinitionError(f"chaincode {name} not found")
        self._check_installed(definition)
        return definition

    def _check_installed(self, definition: ChaincodeDefinition) -> None:
        """The installed package must be the one that was defined, policy included (FAB-3156)."""
        key = (definition.ccid, definition.data)
        if key not in self._policies:
            self._policies[key] = self._installed_policy(definition)
        policy = self._policies[key]
        if policy and policy != definition.instantiation_policy:
            raise DefinitionError(
                f"failed security checks: Instantiation policy mismatch for cc {definition.ccid}"
            )

    def _installed_policy(self, definition: ChaincodeDefinition) -> bytes:
        try:
            package = self._packages.get(definition.name, definition.version)
        except PackageError as error:
            raise DefinitionError(
                f"failed security checks: invalid deployment spec: {error}"
            ) from error
        if package.data != definition.data:
            raise DefinitionError(
                "failed security checks: chaincode fingerprint mismatch: data mismatch"
            )
        return package.instantiation_policy
