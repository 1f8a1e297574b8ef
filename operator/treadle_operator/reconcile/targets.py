"""The peers that a ChaincodePackage names: what they have, and installing what they lack."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from treadle_operator.claims import ccid_of
from treadle_operator.conditions import shortened
from treadle_operator.errors import Blocked, PeerRefused, PeerUnavailable
from treadle_operator.kube import PEERS
from treadle_operator.model import (
    ChaincodePackage,
    ChaincodeServer,
    InstalledPackage,
    Manifest,
    at,
    mapping_at,
)
from treadle_operator.packing import Frozen, package_id
from treadle_operator.peers import PeerLink
from treadle_operator.reconcile.world import World

INSTALLED: Final = "Installed"
_ABSENT: Final = "Absent"


@dataclass(frozen=True, slots=True)
class Target:
    """One peer: ``reason`` is Installed or what is in the way, with ``message``.

    ``package_id`` is that of what it has under the package's name and version, "" for nothing.
    """

    peer: str
    reason: str
    message: str = ""
    package_id: str = ""
    link: PeerLink | None = None

    @property
    def installed(self) -> bool:
        """Whether it has the package."""
        return self.reason == INSTALLED

    @property
    def lacks(self) -> bool:
        """Whether it could be given the package."""
        return self.reason == _ABSENT

    def with_problem(self, reason: str, message: str) -> Target:
        """The same peer, with what is in the way."""
        return replace(self, reason=reason, message=message)


async def look_at_targets(world: World, package: ChaincodePackage) -> list[Target]:
    """Every named peer as it is, in the order of the spec; raises KubeError."""
    return list(await asyncio.gather(*(_look(world, package, peer) for peer in package.spec.peers)))


async def _look(world: World, package: ChaincodePackage, peer: str) -> Target:
    namespace = package.meta.namespace
    live = await world.kube.find(PEERS, namespace, peer)
    if live is None or mapping_at(live, "metadata").get("deletionTimestamp"):
        return Target(
            peer,
            "PeerMissing",
            f"there is no Peer {peer} in namespace {namespace}; create it, or remove it from "
            "spec.peers",
        )
    try:
        link = await world.peers.link(namespace, peer)
        installed = await link.installed()
    except PeerUnavailable as error:
        return Target(peer, "PeerNotReady", str(error))
    except PeerRefused as error:
        return Target(peer, "PeerRefused", f"the peer does not tell what it has: {error}")
    spec = package.spec
    fingerprint = installed.get(ccid_of(package))
    if fingerprint is None:
        absent = Target(peer, _ABSENT, link=link)
        if isinstance(spec.source, ChaincodeServer) and not _allows_servers(live):
            return absent.with_problem("ServersNotAllowed", servers_not_allowed(peer))
        return absent
    return Target(peer, INSTALLED, "", package_id(spec.name, spec.version, fingerprint), link)


def servers_not_allowed(peer: str) -> str:
    """What to do about it."""
    return (
        f"Peer {peer} runs no chaincode on servers of others; if it shall, set "
        "spec.chaincode.allowExternalServers of the Peer to true"
    )


def _allows_servers(peer: Manifest) -> bool:
    return at(peer, "spec", "chaincode", "allowExternalServers") is True


def compared(target: Target, wanted: str | None) -> Target:
    """*target*, told apart from one that has another package of the same name and version."""
    if not target.installed or wanted is None or target.package_id == wanted:
        return target
    return target.with_problem(
        "PackageMismatch",
        f"the peer has another package of this name and version, {target.package_id}, and a peer "
        "never replaces one; create a ChaincodePackage with a new version",
    )


async def install(target: Target, frozen: Frozen) -> Target:
    """Give *target* what it lacks."""
    if target.link is None:
        return target
    try:
        await target.link.install(frozen.data)
    except PeerUnavailable as error:
        return target.with_problem("PeerNotReady", str(error))
    except PeerRefused as error:
        return target.with_problem("InstallFailed", f"the peer does not install it: {error}")
    return replace(target, reason=INSTALLED, message="", package_id=frozen.package_id)


def not_there(target: Target, package: ChaincodePackage) -> Target:
    """For a source that is only on the peers: it has to be there."""
    source = package.spec.source
    told = source.package_id if isinstance(source, InstalledPackage) else ""
    return target.with_problem(
        "PackageMissing",
        f"the peer has no {ccid_of(package)} ({told}); install it, for example with "
        "'treadle package push', or remove the peer from spec.peers",
    )


def blocked(target: Target, problem: Blocked) -> Target:
    """*target* lacks the package, and nobody can pack it."""
    return target.with_problem(problem.reason, problem.message)


def status_of(targets: list[Target]) -> list[Mapping[str, object]]:
    """``status.targets``."""
    return [
        {
            "peer": target.peer,
            "installed": target.installed,
            **({"message": shortened(target.message)} if target.message else {}),
        }
        for target in targets
    ]
