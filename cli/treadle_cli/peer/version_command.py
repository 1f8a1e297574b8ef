"""``peer version``."""

from __future__ import annotations

import platform
from importlib.metadata import version

import click

from treadle_cli.peer.errors import CommandError

FABRIC = "2.5.9"
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


@click.command(name="version")
@click.argument("extra", nargs=-1)
def version_command(extra: tuple[str, ...]) -> None:
    """Print the version of this peer."""
    if extra:
        raise CommandError("trailing args detected", usage=True)
    click.echo(version_text())


def version_text() -> str:
    """Fabric's form, so that scripts find the ``Version:`` line."""
    machine = platform.machine()
    return "\n".join(
        [
            "peer:",
            f" Version: {version('treadle')}",
            f" Fabric: {FABRIC} (the release whose behaviour this peer follows)",
            f" Python version: {platform.python_version()}",
            f" OS/Arch: {platform.system().lower()}/{_MACHINES.get(machine, machine)}",
        ]
    )
