"""Entry of the ``peer`` command: errors become Fabric's texts and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

# gRPC's C core writes its own diagnosis of every failed handshake to stderr; ours says it better.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import click

from treadle_cli.peer.chaincode_commands import chaincode_group
from treadle_cli.peer.channel_commands import channel_group
from treadle_cli.peer.errors import CommandError, StartupError
from treadle_cli.peer.flags import normalise
from treadle_cli.peer.logs import CommandLog
from treadle_cli.peer.node_commands import node_group
from treadle_cli.peer.version_command import version_command


@click.group(name="peer", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--logging-level", hidden=True, default="")
def peer(logging_level: str) -> None:
    """Operate a Treadle peer with the commands of Hyperledger Fabric."""


for _command in (chaincode_group, channel_group, node_group, version_command):
    peer.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with Fabric's code: 0 or 1."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command; its exit code."""
    try:
        peer(normalise(arguments), prog_name="peer", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
    except click.UsageError as error:
        return _usage_error(error)
    except CommandError as error:
        return _fail(str(error), usage=error.usage_text)
    except StartupError as error:
        CommandLog().error("main", "InitCmd", str(error))
        return 1
    except (click.Abort, KeyboardInterrupt):
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def _fail(text: str, *, usage: str = "") -> int:
    click.echo(f"Error: {text}", err=True)
    if usage:
        click.echo(usage, err=True)
    return 1


def _usage_error(error: click.UsageError) -> int:
    context = error.ctx
    if context is not None and error.message.startswith("No such command"):
        name = error.message.split("'")[1]
        path = context.command_path
        return _fail(f'unknown command "{name}" for "{path}"\nRun \'{path} --help\' for usage.')
    return _fail(_flag_problem(error), usage=context.get_help() if context else "")


def _flag_problem(error: click.UsageError) -> str:
    """What is wrong with a flag, in the words of Fabric's flag library."""
    if isinstance(error, click.NoSuchOption):
        name = error.option_name
        is_long = name.startswith("--")
        return f"unknown flag: {name}" if is_long else f"unknown shorthand flag: {_short(name)}"
    if isinstance(error, click.BadOptionUsage) and "requires an argument" in error.message:
        name = error.option_name
        return f"flag needs an argument: {name if name.startswith('--') else _short(name)}"
    return error.message


def _short(name: str) -> str:
    return f"'{name[1:2]}' in {name}"


if __name__ == "__main__":
    main()
