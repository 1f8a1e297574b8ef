"""The reconcile of a ChaincodePackage: look at the peers, pack, install where it lacks.

The first package that a peer has taken is frozen: its ID is kept in the status, and nothing else
is installed for this object afterwards, whatever its source gives.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from treadle_operator.claims import ccid_of
from treadle_operator.conditions import Condition
from treadle_operator.errors import Blocked, Forbidden, InvalidObject, NotFound, Rejected
from treadle_operator.kube import PACKAGES
from treadle_operator.model import (
    ChaincodePackage,
    InstalledPackage,
    Key,
    Kind,
    Manifest,
    Meta,
    PackageDeletion,
    Reference,
    mapping_at,
    parse_meta,
    parse_package,
    text_at,
)
from treadle_operator.packing import Frozen
from treadle_operator.reconcile.fetching import end_fetch, is_fetched
from treadle_operator.reconcile.sources import may_change, read_source, source_references
from treadle_operator.reconcile.status import write_status
from treadle_operator.reconcile.targets import (
    INSTALLED,
    Target,
    blocked,
    compared,
    install,
    look_at_targets,
    not_there,
    status_of,
)
from treadle_operator.reconcile.world import Outcome, World

READY: Final = "Ready"
SOURCE: Final = "SourceUnchanged"
REMOVABLE: Final = "Removable"
_CHANGED: Final = (
    "the source gives another package than the one that is installed; put it back, or create a "
    "ChaincodePackage with a new version"
)
_OTHERS_FIRST: Final = Blocked("Fetching", "large packages are installed one after another")
_INSTALL_SECONDS: Final = 30.0
"""How long one reconcile begins to install; peers that are left are for the next one."""
_NEEDING: Final = frozenset(
    {"Fetching", "FetchFailed", "InstallFailed", "SourceChanged", "PeerNotReady", "PeerRefused"}
)
"""Reasons for which a Job with the sources goes on: a peer that is away comes back without it."""
_WAITING: Final = frozenset({"PeerNotReady", "PeerMissing", "Fetching"})
"""Reasons that are no fault: something is on its way."""


@dataclass(slots=True)
class _Findings:
    """What a reconcile found, as far as it came."""

    targets: list[Target] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    package_id: str = ""
    sha256: str = ""
    retry: bool = False


async def reconcile_package(key: Key, world: World) -> Outcome:
    """Let every named peer have the package, and write what is.

    Raises KubeError; everything is then looked at again from the beginning.
    """
    try:
        body = await world.kube.get(PACKAGES, key.namespace, key.name)
    except NotFound:
        return Outcome(exists=False)
    meta = parse_meta(body)
    if meta.deleting:
        return Outcome()
    status = mapping_at(body, "status")
    found = _Findings(package_id=text_at(status, "packageID"), sha256=text_at(status, "sha256"))
    refers: frozenset[Reference] = frozenset()
    package: ChaincodePackage | None = None
    try:
        package = parse_package(body)
        peers = (Reference(Kind.PEER, peer) for peer in package.spec.peers)
        refers = source_references(package).union(peers)
        await _work(package, world, found)
    except InvalidObject as error:
        found.conditions = [Condition(READY, False, "InvalidSpec", str(error), "Warning")]
    except (Forbidden, Rejected) as error:
        found.retry = True
        reason = "NotAllowed" if isinstance(error, Forbidden) else "Refused"
        message = f"the API server refuses: {error}"
        found.conditions = [Condition(READY, False, reason, message, "Warning")]
    await _write(meta, body, world, found, package)
    return Outcome(refers=refers, failed=found.retry)


async def _work(package: ChaincodePackage, world: World, found: _Findings) -> None:
    found.targets = await look_at_targets(world, package)
    needed = _is_source_needed(package, found)
    if not (is_fetched(package) and needed):
        source, problem = await _read(package, world, found) if needed else (None, None)
        await _install(package, found, source, problem)
    else:
        async with world.large.turn() as ours:
            source, problem = await _read(package, world, found) if ours else (None, _OTHERS_FIRST)
            await _install(package, found, source, problem)
    if is_fetched(package) and not is_needed(found.targets):
        await end_fetch(world, package)
    found.conditions = _conditions(package, found, source, problem)
    found.retry = not all(target.installed for target in found.targets)


def is_needed(targets: Sequence[Target]) -> bool:
    """Whether somebody lacks the sources, or may."""
    return any(target.reason in _NEEDING for target in targets)


async def _read(
    package: ChaincodePackage, world: World, found: _Findings
) -> tuple[Frozen | None, Blocked | None]:
    try:
        return await read_source(world, package, _present(found.targets)), None
    except Blocked as error:
        return None, error


async def _install(
    package: ChaincodePackage, found: _Findings, source: Frozen | None, problem: Blocked | None
) -> None:
    """At one peer after another: the bytes for each of them are another copy."""
    end = asyncio.get_running_loop().time() + _INSTALL_SECONDS
    frozen = _frozen_id(package, found) or (source.package_id if source else None)
    targets = [compared(target, frozen) for target in found.targets]
    for index, target in enumerate(targets):
        late = asyncio.get_running_loop().time() > end
        why = problem or (_OTHERS_FIRST if late and target.lacks else None)
        targets[index] = await _supply(target, package, source, frozen, why)
    found.targets = targets
    _freeze(package, found, source)


def _is_source_needed(package: ChaincodePackage, found: _Findings) -> bool:
    """It is read to install it somewhere, to know what it is, or to see it change."""
    if any(target.lacks for target in found.targets) or may_change(package):
        return True
    return not found.package_id and any(target.installed for target in found.targets)


def _present(targets: Sequence[Target]) -> str:
    """A peer that is spoken with, one that lacks the package where there is one."""
    first = sorted(targets, key=lambda target: (not target.lacks, not target.installed))[0]
    return first.peer


def _frozen_id(package: ChaincodePackage, found: _Findings) -> str | None:
    """The ID that this object stands for from now on, if it is settled."""
    if isinstance(package.spec.source, InstalledPackage):
        return package.spec.source.package_id
    return found.package_id or None


async def _supply(
    target: Target,
    package: ChaincodePackage,
    source: Frozen | None,
    frozen: str | None,
    problem: Blocked | None,
) -> Target:
    if target.installed and frozen is None and problem is not None:
        # What a peer has may be anybody's, as long as nothing says what it should be.
        return blocked(target, problem)
    if not target.lacks:
        return target
    if problem is not None:
        return blocked(target, problem)
    if source is None:
        return not_there(target, package)
    if source.package_id != frozen:
        return target.with_problem("SourceChanged", _CHANGED)
    return await install(target, source)


def _freeze(package: ChaincodePackage, found: _Findings, source: Frozen | None) -> None:
    """What a peer has taken is what it is from now on."""
    taken = [target.package_id for target in found.targets if target.installed]
    if taken and not found.package_id:
        found.package_id = taken[0]
    if taken and source is not None and source.package_id == found.package_id:
        found.sha256 = source.sha256


def _conditions(
    package: ChaincodePackage,
    found: _Findings,
    source: Frozen | None,
    problem: Blocked | None,
) -> list[Condition]:
    conditions = [_ready(found.targets)]
    if may_change(package) and found.package_id:
        conditions.append(_source(found, source, problem))
    return conditions


def _ready(targets: Sequence[Target]) -> Condition:
    trouble = [target for target in targets if not target.installed]
    if not trouble:
        count = len(targets)
        where = targets[0].peer if count == 1 else f"all {count} peers"
        return Condition(READY, True, INSTALLED, f"installed on {where}")
    # A fault says more than something that is on its way.
    trouble.sort(key=lambda target: target.reason in _WAITING)
    told = Counter(target.message for target in trouble)
    by_message = {
        message: ", ".join(target.peer for target in trouble if target.message == message)
        for message in told
    }
    message = "; ".join(f"{peers}: {message}" for message, peers in by_message.items())
    reason = trouble[0].reason
    return Condition(READY, False, reason, message, "Normal" if reason in _WAITING else "Warning")


def _source(found: _Findings, source: Frozen | None, problem: Blocked | None) -> Condition:
    if problem is not None:
        return Condition(SOURCE, None, problem.reason, problem.message, told=None)
    if source is not None and source.package_id != found.package_id:
        return Condition(SOURCE, False, "SourceChanged", _CHANGED, told="Warning")
    message = "the source still gives what is installed"
    return Condition(SOURCE, True, "AsInstalled", message, told=None)


def _removable(package: ChaincodePackage) -> list[Condition]:
    """Fabric has no uninstalling, so nobody is to wait for it when the object is deleted."""
    if package.spec.deletion_policy is not PackageDeletion.UNINSTALL:
        return []
    message = (
        "peers of this version cannot remove a package: it stays on them when this object is "
        "deleted; set deletionPolicy to Keep"
    )
    return [Condition(REMOVABLE, False, "UninstallNotSupported", message, told="Warning")]


async def _write(
    meta: Meta,
    body: Manifest,
    world: World,
    found: _Findings,
    package: ChaincodePackage | None,
) -> None:
    await write_status(
        world.kube,
        PACKAGES,
        meta,
        previous=mapping_at(body, "status"),
        conditions=[*found.conditions, *(_removable(package) if package else [])],
        facts={
            "packageID": found.package_id,
            "legacyID": ccid_of(package) if package and found.package_id else "",
            "sha256": found.sha256,
            "targets": status_of(found.targets),
        },
        now=world.now(),
    )
