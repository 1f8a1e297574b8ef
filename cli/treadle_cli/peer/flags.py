"""Reading a command line as Fabric's flag library does, where click differs.

``--tls=true``, ``--tls=false`` and ``-n=name`` are legal in scripts written for Fabric, and so are
stray words (``--tls $CORE_PEER_TLS_ENABLED``), which Fabric ignores.
"""

from __future__ import annotations

from collections.abc import Sequence

import click
from treadle_fabric.wire import parse_duration

SWITCHES = frozenset(
    {
        "--bestEffort",
        "--cc-package",
        "--clientauth",
        "--hex",
        "--installed",
        "--instantiated",
        "--isInit",
        "--peer-chaincodedev",
        "--raw",
        "--sign",
        "--tls",
        "--waitForEvent",
    }
)
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


def normalise(arguments: Sequence[str]) -> list[str]:
    """*arguments* without the spellings that click does not know; raises click.UsageError."""
    normal: list[str] = []
    for index, argument in enumerate(arguments):
        if argument == "--":
            return [*normal, *arguments[index:]]
        normal.extend(_normal(argument))
    return normal


def _normal(argument: str) -> list[str]:
    name, equals, value = argument.partition("=")
    if not equals:
        return [argument]
    if name in SWITCHES:
        return _switch(name, value)
    if len(name) == 2 and name[0] == "-" and name[1].isalpha():
        return [name + value] if value else [name, value]
    return [argument]


def _switch(name: str, value: str) -> list[str]:
    if value in _TRUE:
        return [name]
    if value in _FALSE:
        return []
    raise click.UsageError(
        f'invalid argument "{value}" for "{name}" flag: '
        f'strconv.ParseBool: parsing "{value}": invalid syntax'
    )


class Duration(click.ParamType[float]):
    """A Go duration such as ``30s`` or ``1m30s``, as seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Seconds; a bad text fails with Fabric's words."""
        if isinstance(value, float):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            flag = ", ".join(param.opts) if param else "flag"
            raise click.UsageError(
                f'invalid argument "{value}" for "{flag}" flag: {error}', ctx
            ) from None
