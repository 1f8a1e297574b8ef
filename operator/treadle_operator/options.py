"""Forms of command line options that click does not know."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

import click

LANGUAGES: Final = ("golang", "node", "java", "python")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION: Final = re.compile("([1-9][0-9]{0,8})([smhd])")


def by_language(
    context: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> Mapping[str, str]:
    """Of ``golang=registry.example.com/golang:1``, several with commas: image by language."""
    found: dict[str, str] = {}
    for text in ",".join(values).split(","):
        language, _, image = text.strip().partition("=")
        if language in LANGUAGES and image and not re.search(r"\s", image):
            found[language] = image
        elif text.strip():
            sentence = f"{text!r}: write one of {', '.join(LANGUAGES)}, '=' and an image"
            raise click.BadParameter(sentence, ctx=context, param=parameter)
    return found


def duration(context: click.Context, parameter: click.Parameter, text: str) -> timedelta:
    """Of ``90d``, ``36h``, ``10m`` or ``45s``."""
    found = _DURATION.fullmatch(text)
    if found is None:
        sentence = f"{text!r}: write a number and one of s, m, h, d"
        raise click.BadParameter(sentence, ctx=context, param=parameter)
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
