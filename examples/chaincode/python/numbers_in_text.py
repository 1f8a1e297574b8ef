"""Numbers as arguments."""

from __future__ import annotations

import re


def whole_number(what: str, text: str) -> int:
    """Read a number that all four languages can hold exactly."""
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError(f"{what} must be a whole number: {text}")
    return int(text)
