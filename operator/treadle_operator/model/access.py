"""Reading objects as JSON gives them, where anything may be missing. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def at(body: object, *path: str | int) -> object:
    """The value below *path*; None where the way ends early."""
    for step in path:
        if isinstance(step, str) and isinstance(body, Mapping):
            body = body.get(step)
        elif isinstance(step, int) and isinstance(body, list) and step < len(body):
            body = body[step]
        else:
            return None
    return body


def text_at(body: object, *path: str | int) -> str:
    """The string below *path*; empty where there is none."""
    value = at(body, *path)
    return value if isinstance(value, str) else ""


def integer_at(body: object, *path: str | int) -> int:
    """The whole number below *path*; 0 where there is none."""
    value = at(body, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def mapping_at(body: object, *path: str | int) -> Mapping[str, object]:
    """The object below *path*; empty where there is none."""
    value = at(body, *path)
    return value if isinstance(value, Mapping) else {}


def items_at(body: object, *path: str | int) -> Sequence[object]:
    """The list below *path*; empty where there is none."""
    value = at(body, *path)
    return value if isinstance(value, list) else []
