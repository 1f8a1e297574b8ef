"""What reconciling may touch, and what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from treadle_operator.kube import Kube
from treadle_operator.resources import Images


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The cluster, the images to use, and the time."""

    kube: Kube
    images: Images
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reconcile that came to its end.

    ``exists`` is False when there is no such object any more. ``secrets`` are those that it
    depends on. ``failed`` asks for another try after a growing delay.
    """

    exists: bool = True
    secrets: frozenset[str] = frozenset()
    failed: bool = False
