"""Who claims which runtime, and who is in whose way. Pure.

A ChaincodeInstantiation claims the runtime of its package's version at every peer of the package.
Age decides every dispute: the creation time, and the name where that is equal. Deleting and
creating again is how a person gives way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from treadle_operator.model import (
    ChaincodeInstantiation,
    ChaincodePackage,
    Mode,
    Peer,
    RuntimeSettings,
)
from treadle_operator.model.access import text_at


@dataclass(frozen=True, slots=True)
class Claim:
    """An instantiation, and the package that it runs."""

    instantiation: ChaincodeInstantiation
    package: ChaincodePackage


def ccid_of(package: ChaincodePackage) -> str:
    """``name:version``: how peers call the runtime of a package under the legacy lifecycle."""
    return f"{package.spec.name}:{package.spec.version}"


def claims(
    peer: str,
    ccid: str,
    instantiations: Iterable[ChaincodeInstantiation],
    packages: Iterable[ChaincodePackage],
) -> list[Claim]:
    """The claims to the runtime *ccid* of *peer*, oldest first; all of one namespace.

    Those without a package, in deletion, and in an older one's way claim nothing.
    """
    found = _resolved(instantiations, packages)
    duplicated = _duplicates(found)
    return [
        claim
        for claim in found
        if claim.instantiation.meta.name not in duplicated
        and peer in claim.package.spec.peers
        and ccid_of(claim.package) == ccid
    ]


def duplicates(
    instantiations: Iterable[ChaincodeInstantiation], packages: Iterable[ChaincodePackage]
) -> dict[str, ChaincodeInstantiation]:
    """The name of each that wants what an older one has, and that older one.

    Two want the same when they are about the same chaincode, channel and peer. One that gives way
    at one peer gives way at all: a definition belongs to the channel, not to a peer.
    """
    return _duplicates(_resolved(instantiations, packages))


def mode_of(claims: Sequence[Claim], peer: Peer) -> Mode:
    """Who runs a chaincode of *peer*: what the oldest claim to it says, or else the peer.

    A peer that does not allow development runs it itself, whatever is said.
    """
    own = peer.spec.mode
    wanted = claims[0].instantiation.spec.mode or own if claims else own
    forbidden = own is Mode.PRODUCTION and not peer.spec.allow_development
    return own if forbidden else wanted


def conflict(
    name: str, claims: Sequence[Claim], *, mode: Mode, defaults: RuntimeSettings
) -> tuple[ChaincodeInstantiation, str] | None:
    """Whom the instantiation *name* disagrees with about a runtime, and about which field.

    ``claims`` are those to the runtime, oldest first: mode and runtime of the oldest hold.
    ``mode`` and ``defaults`` are the peer's, for what is left out. None: it agrees.
    """
    mine = next((one.instantiation for one in claims if one.instantiation.meta.name == name), None)
    if mine is None:
        return None
    oldest = claims[0].instantiation
    if (mine.spec.mode or mode) is not (oldest.spec.mode or mode):
        return oldest, "mode"
    if mine.spec.runtime.over(defaults) != oldest.spec.runtime.over(defaults):
        return oldest, "runtime"
    return None


def _resolved(
    instantiations: Iterable[ChaincodeInstantiation], packages: Iterable[ChaincodePackage]
) -> list[Claim]:
    """Those that are there to stay and have a package, oldest first."""
    known = {package.meta.name: package for package in packages if not package.meta.deleting}
    present = [one for one in instantiations if not one.meta.deleting]
    # One that was of another chaincode stays where it is until somebody puts its package back.
    present.sort(key=lambda one: (one.meta.created, one.meta.name))
    return [
        Claim(one, known[one.spec.package.name])
        for one in present
        if one.spec.package.name in known
        and _name_before(one) in ("", known[one.spec.package.name].spec.name)
    ]


def _name_before(one: ChaincodeInstantiation) -> str:
    """The chaincode that the object has instantiated; empty: none yet."""
    return text_at(one.status, "legacyID").partition(":")[0]


def _duplicates(found: Iterable[Claim]) -> dict[str, ChaincodeInstantiation]:
    holders: dict[tuple[str, str, str], ChaincodeInstantiation] = {}
    duplicated: dict[str, ChaincodeInstantiation] = {}
    for claim in found:
        one, spec = claim.instantiation, claim.package.spec
        places = [(spec.name, one.spec.channel, peer) for peer in spec.peers]
        older = _first(holders, places)
        if older is not None:
            duplicated[one.meta.name] = older
        else:
            holders |= dict.fromkeys(places, one)
    return duplicated


def _first(
    holders: Mapping[tuple[str, str, str], ChaincodeInstantiation],
    places: Iterable[tuple[str, str, str]],
) -> ChaincodeInstantiation | None:
    return next((holders[place] for place in places if place in holders), None)
