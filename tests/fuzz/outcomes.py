"""What a refusal says."""

from __future__ import annotations


def said(refusal: Exception) -> str:
    """Its text: there is one, and any answer can carry it."""
    text = str(refusal)
    assert text, "a refusal without a word"
    assert text.encode()
    return text
