"""What reconciling may touch, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from treadle_operator.kube import Kube
from treadle_operator.model import Reference
from treadle_operator.resources import Images


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The cluster, the images to use, how long chaincode's certificates live, and the time."""

    kube: Kube
    images: Images
    certificate_lifetime: timedelta
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reconcile that came to its end.

    ``exists`` is False when there is no such object any more. ``refers`` is what it depends on
    and what depends on it. ``failed`` asks for another try after a growing delay.
    """

    exists: bool = True
    refers: frozenset[Reference] = frozenset()
    failed: bool = False
