"""Rules that hold at several places: environments, quantities, durations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.kubernetes.rules.cases import Creation

BAD_DURATIONS = ("30", "soon", "0s", "-5s", "")
DURATION = "write a duration above zero, such as 30s, 5m or 1h30m"
BOTH_VALUES = "give value or valueFrom, not both"
VARIABLE = "a variable's name begins with a letter or '_', then letters, digits, '_', '.', '-'"
QUANTITY = "write a quantity such as 500m or 256Mi"
_SECRET_KEY = {"secretKeyRef": {"name": "prices", "key": "password"}}


def duration(kind: str, path: str) -> Iterator[Creation]:
    """*path* takes durations only."""
    for text in BAD_DURATIONS:
        yield _refused(kind, path, text, at=path, sentence=DURATION)


def environment(kind: str, path: str) -> Iterator[Creation]:
    """*path* is a list of environment variables."""
    both = [{"name": "PASSWORD", "value": "open", "valueFrom": _SECRET_KEY}]
    yield _refused(kind, path, both, at=f"{path}[0]", sentence=BOTH_VALUES)
    for name in ("1ST", "WITH SPACE", "A=B", ""):
        at = f"{path}[0].name"
        yield _refused(kind, path, [{"name": name, "value": ""}], at=at, sentence=VARIABLE)


def resources(kind: str, path: str) -> Iterator[Creation]:
    """*path* holds requests and limits."""
    for part in ("requests", "limits"):
        amounts: Mapping[str, object] = {"cpu": 1, "memory": "much"}
        at = f"{path}.{part}[memory]"
        yield _refused(kind, f"{path}.{part}", amounts, at=at, sentence=QUANTITY)


def _refused(kind: str, path: str, value: object, *, at: str, sentence: str) -> Creation:
    name = f"{path.removeprefix('spec.')}={value}"
    return Creation(kind=kind, name=name, fields={path: value}, at=at, sentence=sentence)
