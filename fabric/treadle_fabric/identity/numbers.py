"""Numbers that strangers choose, in texts."""

from __future__ import annotations

from typing import Final

_PRINTED_BITS: Final = 1024


def decimal(number: int) -> str:
    """*number* in digits; only its size when Python would refuse to print so many."""
    bits = number.bit_length()
    return str(number) if bits <= _PRINTED_BITS else f"a number of {bits} bits"
