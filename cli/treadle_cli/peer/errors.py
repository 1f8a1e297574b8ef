"""How a command says that it failed."""

from __future__ import annotations

import click


class CommandError(Exception):
    """Printed as ``Error: <text>``, exit code 1.

    ``usage`` asks for the usage of the running command to be printed too, as Fabric does when the
    command line itself is wrong; ``usage_text`` holds it.
    """

    def __init__(self, text: str, *, usage: bool = False) -> None:
        super().__init__(text)
        context = click.get_current_context(silent=True) if usage else None
        self.usage_text = context.get_help() if context else ""


class StartupError(Exception):
    """Something is wrong before the command begins (configuration, MSP); logged, exit code 1."""
