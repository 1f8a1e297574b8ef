"""The options of ``peer chaincode``, and their values as the commands receive them."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import TypedDict

import click

from treadle_cli.peer.orderer_options import orderer_options

Command = Callable[..., None]
Decorator = Callable[[Command], Command]

name = click.option("-n", "--name", default="", help="Name of the chaincode")
version = click.option(
    "-v",
    "--version",
    default="",
    help="Version of the chaincode specified in install/instantiate/upgrade commands",
)
path = click.option("-p", "--path", default="", help="Path to chaincode")
language = click.option(
    "-l",
    "--lang",
    default="golang",
    show_default=True,
    help="Language the chaincode is written in: golang, node, java, python",
)
constructor = click.option(
    "-c",
    "--ctor",
    default="{}",
    show_default=True,
    help="Constructor message for the chaincode in JSON format",
)
channel = click.option(
    "-C",
    "--channelID",
    "channel",
    default="",
    help="The channel on which this command should be executed",
)
transient = click.option(
    "--transient", default="", help="Transient map of arguments in JSON encoding"
)
_extra = click.argument("extra", nargs=-1)


def _all(*decorators: Decorator) -> Decorator:
    def decorate(function: Command) -> Command:
        return reduce(lambda inner, one: one(inner), reversed(decorators), function)

    return decorate


targets = _all(
    click.option(
        "--peerAddresses",
        "addresses",
        multiple=True,
        help="The addresses of the peers to connect to",
    ),
    click.option(
        "--tlsRootCertFiles",
        "root_files",
        multiple=True,
        help="With TLS, the root certificate file of each peer, in the order of --peerAddresses",
    ),
    click.option(
        "--connectionProfile",
        "profile",
        default="",
        help="Connection profile that names the peers",
    ),
)
deploy = _all(
    click.option("-P", "--policy", default="", help="The endorsement policy of the chaincode"),
    click.option("-E", "--escc", default="", help="The endorsement system chaincode to be used"),
    click.option("-V", "--vscc", default="", help="The verification system chaincode to be used"),
    click.option(
        "--collections-config",
        "collections",
        default="",
        help="The collection JSON file, with its path",
    ),
)


def command(*options: Decorator) -> Decorator:
    """*options*, and those that every command has."""
    return _all(*options, _extra, transient, orderer_options)


class Given(TypedDict):
    """What every command gets; the orderer's flags are read by ``orderer_flags``."""

    extra: tuple[str, ...]
    transient: str


class Targets(Given):
    """The peers to ask."""

    addresses: tuple[str, ...]
    root_files: tuple[str, ...]
    profile: str


class Source(TypedDict):
    """What to package."""

    name: str
    version: str
    path: str
    lang: str
    ctor: str


class Install(Source, Targets):
    """``install``."""


class Package(Source, Given):
    """``package``."""

    wrapped: bool
    signed: bool
    policy: str


class Deploy(Targets):
    """``instantiate``."""

    name: str
    version: str
    channel: str
    ctor: str
    lang: str
    policy: str
    escc: str
    vscc: str
    collections: str


class Upgrade(Deploy):
    """``upgrade``."""

    path: str


class Call(Targets):
    """What ``invoke`` and ``query`` share."""

    name: str
    channel: str
    ctor: str


class Invoke(Call):
    """``invoke``."""

    is_init: bool
    wait: bool
    wait_seconds: float


class Query(Call):
    """``query``."""

    raw: bool
    hexadecimal: bool


class List(Targets):
    """``list``."""

    channel: str
    installed: bool
    instantiated: bool
