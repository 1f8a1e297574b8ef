"""The reconcile of a ChaincodeInstantiation: a runtime at every target, then the definition.

Nothing is remembered from one time to the next but what the API server, the peers and their
ledgers hold: whatever was interrupted is found there.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from treadle_operator.claims import ccid_of, claims, duplicates
from treadle_operator.conditions import Condition
from treadle_operator.definitions import wanted_definition
from treadle_operator.errors import (
    Blocked,
    Forbidden,
    InvalidObject,
    PeerRefused,
    PeerUnavailable,
    Rejected,
)
from treadle_operator.kube import INSTANTIATIONS, PACKAGES
from treadle_operator.model import (
    DEFINITION,
    ChaincodeInstantiation,
    ChaincodePackage,
    Key,
    Kind,
    Lifecycle,
    Mode,
    Reference,
    items_at,
    mapping_at,
    parse_instantiation,
    parse_meta,
    parse_package,
    text_at,
)
from treadle_operator.reconcile.deploying import Looked, Wish, deploy
from treadle_operator.reconcile.development_secret import Opened, keep_secret
from treadle_operator.reconcile.instantiating import look
from treadle_operator.reconcile.status import write_status
from treadle_operator.reconcile.together import together
from treadle_operator.reconcile.verdicts import (
    Problem,
    Stage,
    conditions_of,
    stopped_conditions,
)
from treadle_operator.reconcile.world import Outcome, World
from treadle_operator.resources.development import development_name

_log: Final = logging.getLogger(__name__)

_RESYNC_SECONDS: Final = 300.0
_DEVELOPMENT_SECONDS: Final = 10.0
_CHANNEL_SECONDS: Final = 60.0
_FAILING: Final = frozenset(
    {
        "PeerUnavailable",
        "PeerRefused",
        "InitFailed",
        "InitInterrupted",
        "InitTimedOut",
        "InstantiationRefused",
    }
)


@dataclass(slots=True)
class _Findings:
    """What a reconcile found, as far as it came; begins with what the status says already."""

    legacy_id: str
    targets: list[dict[str, object]]
    conditions: list[Condition] = field(default_factory=list)
    refers: set[Reference] = field(default_factory=set)
    failed: bool = False
    again: float | None = None

    def stop(self, reason: str, message: str) -> None:
        """Nothing further is looked at."""
        self.conditions = stopped_conditions(reason, message, known=bool(self.legacy_id))


async def reconcile_instantiation(key: Key, world: World) -> Outcome:
    """Let the chaincode be on its channel at every target, and write what is.

    Raises KubeError; everything is then looked at again from the beginning.
    """
    body = await world.kube.find(INSTANTIATIONS, key.namespace, key.name)
    meta = parse_meta(body) if body is not None else None
    if body is None or meta is None or meta.deleting:
        world.errands.forget(key)
        return Outcome(exists=body is not None)
    before = mapping_at(body, "status")
    found = _Findings(
        legacy_id=text_at(before, "legacyID"),
        targets=[dict(mapping_at(row)) for row in items_at(before, "targets")],
    )
    try:
        await _work(parse_instantiation(body), world, found)
    except InvalidObject as error:
        found.stop("InvalidSpec", str(error))
    except Blocked as error:
        found.stop(error.reason, error.message)
    except (Forbidden, Rejected) as error:
        found.failed = True
        reason = "NotAllowed" if isinstance(error, Forbidden) else "Refused"
        found.stop(reason, f"the API server refuses: {error}")
    await write_status(
        world.kube,
        INSTANTIATIONS,
        meta,
        previous=before,
        conditions=found.conditions,
        facts={"legacyID": found.legacy_id, "targets": found.targets},
        now=world.now(),
    )
    return Outcome(refers=frozenset(found.refers), failed=found.failed, again=found.again)


async def _work(one: ChaincodeInstantiation, world: World, found: _Findings) -> None:
    if one.spec.lifecycle is Lifecycle.V2:
        raise Blocked(
            "NotSupported",
            "spec.lifecycle is V2, and this version has the legacy lifecycle only; create one "
            "without spec.lifecycle on a channel with capabilities V1_4_2",
        )
    package = await _package(one, world, found)
    wish = Wish(instantiation=one, package=package, definition=wanted_definition(one.spec))
    _refer(found, wish)
    _check_name(found, wish)
    entries = await world.directory.entries(world.kube, one.meta.namespace)
    older = duplicates(entries.instantiations, entries.packages).get(one.meta.name)
    if older is not None:
        raise Blocked(
            "Duplicate",
            f"ChaincodeInstantiation {older.meta.name} is older and has {package.spec.name} on "
            f"channel {one.spec.channel}; change or delete one of the two",
        )
    looks = [
        look(world, wish, peer, claims(peer, wish.ccid, entries.instantiations, entries.packages))
        for peer in package.spec.peers
    ]
    looked = await together(looks)
    await _deploy(world, looked, wish)
    _conclude(looked, wish, found, world.now())
    await _equip_developers(world, wish, looked, found)


async def _package(one: ChaincodeInstantiation, world: World, found: _Findings) -> ChaincodePackage:
    namespace, name = one.meta.namespace, one.spec.package.name
    found.refers.add(Reference(Kind.PACKAGE, name))
    body = await world.kube.find(PACKAGES, namespace, name)
    if body is None:
        raise Blocked(
            "PackageMissing",
            f"there is no ChaincodePackage {name} in namespace {namespace}; create it, or name "
            "another one in spec.packageRef",
        )
    try:
        return parse_package(body)
    except InvalidObject as error:
        raise Blocked("PackageInvalid", f"ChaincodePackage {name} is not valid: {error}") from error


def _refer(found: _Findings, wish: Wish) -> None:
    spec, channel = wish.package.spec, wish.instantiation.spec.channel
    for peer in spec.peers:
        found.refers |= {
            Reference(Kind.PEER, peer),
            Reference(Kind.RUNTIME, f"{peer}/{wish.ccid}"),
            Reference(DEFINITION, f"{peer}/{channel}/{spec.name}"),
        }
    # What is on the ledger runs until the new one is there, and goes with this object.
    if found.legacy_id and found.legacy_id != wish.ccid:
        for row in found.targets:
            found.refers.add(Reference(Kind.RUNTIME, f"{text_at(row, 'peer')}/{found.legacy_id}"))


def _check_name(found: _Findings, wish: Wish) -> None:
    before = found.legacy_id.partition(":")[0]
    if before and before != wish.package.spec.name:
        raise Blocked(
            "ChaincodeNameChanged",
            f"chaincode {before} was instantiated by this object, and ChaincodePackage "
            f"{wish.package.meta.name} is of chaincode {wish.package.spec.name}; put packageRef "
            "back, and create another ChaincodeInstantiation for the other chaincode",
        )


async def _deploy(world: World, looked: list[Looked], wish: Wish) -> None:
    """The transactions, once a process is registered at every target."""
    missing = [found for found in looked if found.upgrade is not None]
    for found in looked:
        if found.target.initialised:
            world.errands.drop(wish.key, found.target.peer)
    if any(found.target.problem is not None for found in looked):
        for found in missing:
            if found.target.problem is None:
                text = "it waits until every other target is ready for it"
                found.target.problem = Problem(Stage.DEFINITION, "WaitingForOthers", text)
    else:
        await together([deploy(world, found, wish) for found in missing])


async def _equip_developers(
    world: World, wish: Wish, looked: list[Looked], found: _Findings
) -> None:
    """Their Secret; what it has of a peer that cannot be asked is left as it is."""
    opened = [
        Opened(one.opened, one.link, one.opening) for one in looked if one.opened and one.link
    ]
    known = {one.peer.meta.name for one in opened}
    known |= {one.target.peer for one in looked if one.target.mode is Mode.PRODUCTION}
    unknown = {one.target.peer for one in looked} - known
    before = items_at(wish.instantiation.status, "targets")
    if not opened and all(text_at(row, "mode") != Mode.DEVELOPMENT for row in before):
        return
    if opened:
        name = development_name(wish.instantiation.meta.name)
        found.refers.add(Reference("Secret", name))
    try:
        due = await keep_secret(world, wish, opened, unknown=unknown)
    except (PeerRefused, PeerUnavailable) as error:
        _log.warning("the Secret for developers of %s: %s", wish.instantiation.meta.name, error)
        reason = "PeerRefused" if isinstance(error, PeerRefused) else "PeerUnavailable"
        text = f"Secret {development_name(wish.instantiation.meta.name)} cannot be written: {error}"
        for one in looked:
            if one.opened and not one.target.registered:
                one.target.problem = Problem(Stage.RUNTIME, reason, text)
        _conclude(looked, wish, found, world.now())
        found.failed = True
        return
    if due is not None:
        seconds = max((due - world.now()).total_seconds(), 1.0)
        found.again = min(found.again or _RESYNC_SECONDS, seconds, _RESYNC_SECONDS)


def _conclude(looked: list[Looked], wish: Wish, found: _Findings, now: datetime) -> None:
    targets = [one.target for one in looked]
    found.targets = [target.row() for target in targets]
    if targets and all(target.initialised for target in targets):
        found.legacy_id = ccid_of(wish.package)
    found.conditions = conditions_of(targets, wish.ccid, wish.instantiation.spec.channel)
    reasons = {target.problem.reason for target in targets if target.problem is not None}
    found.failed = bool(reasons & _FAILING)
    waits = [(one.due - now).total_seconds() for one in looked if one.due is not None]
    if any(one.opened is not None and not one.opened.spec.tls.enabled for one in looked):
        waits.append(_DEVELOPMENT_SECONDS)  # nothing tells who comes and goes there
    if "ChannelMissing" in reasons:
        waits.append(_CHANNEL_SECONDS)
    found.again = max(min(waits), 1.0) if waits else None
