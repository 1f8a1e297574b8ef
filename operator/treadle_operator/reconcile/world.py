"""What reconciling may touch, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from treadle_operator.kube import Kube
from treadle_operator.model import Reference
from treadle_operator.peers import Peers
from treadle_operator.reconcile.directory import Directory
from treadle_operator.reconcile.errands import Errands
from treadle_operator.reconcile.runtime_told import AddressesTold
from treadle_operator.reconcile.turns import Turns
from treadle_operator.resources import Images


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The cluster, the peers, the images to use, how long chaincode's certificates live, the time,
    who wants what, whose large package is on its way, and which transactions are under way.
    """

    kube: Kube
    peers: Peers
    images: Images
    certificate_lifetime: timedelta
    now: Callable[[], datetime]
    directory: Directory = field(default_factory=Directory)
    addresses: AddressesTold = field(default_factory=AddressesTold)
    large: Turns = field(default_factory=Turns)
    errands: Errands = field(default_factory=Errands)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reconcile that came to its end.

    ``exists`` is False when there is no such object any more. ``refers`` is what it depends on
    and what depends on it. ``failed`` asks for another try after a growing delay, ``again`` for
    another look after that many seconds.
    """

    exists: bool = True
    refers: frozenset[Reference] = frozenset()
    failed: bool = False
    again: float | None = None
