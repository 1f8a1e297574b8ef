"""The flags that name the orderer, shared by ``peer chaincode`` and ``peer channel``.

Fabric accepts them before and after the subcommand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, cast

import click

from treadle_cli.peer.flags import Duration
from treadle_cli.peer.session import OrdererFlags

_OPTIONS = [
    click.option("-o", "--orderer", default="", help="Ordering service endpoint"),
    click.option("--tls", is_flag=True, help="Use TLS towards the orderer"),
    click.option("--clientauth", is_flag=True, help="Use mutual TLS towards the orderer"),
    click.option("--cafile", default="", help="PEM file of certificates to trust for the orderer"),
    click.option("--keyfile", default="", help="PEM file of the private key for mutual TLS"),
    click.option("--certfile", default="", help="PEM file of the certificate for mutual TLS"),
    click.option(
        "--ordererTLSHostnameOverride",
        "server_name",
        default="",
        help="The name expected in the orderer's certificate",
    ),
    click.option(
        "--connTimeout",
        "connect_seconds",
        type=Duration(),
        default=3.0,
        show_default="3s",
        help="Timeout for client to connect",
    ),
    click.option(
        "--tlsHandshakeTimeShift",
        "time_shift",
        type=Duration(),
        default=0.0,
        help="Accepted for compatibility; certificates are checked at the present time",
    ),
]


class _Given(TypedDict):
    orderer: str
    tls: bool
    clientauth: bool
    cafile: str
    keyfile: str
    certfile: str
    server_name: str
    connect_seconds: float


def orderer_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the orderer's flags to a command; ``orderer_flags`` reads them."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def orderer_flags() -> OrdererFlags:
    """The flags of the running command, or of its group where the command has none."""
    given = _merged(click.get_current_context())
    return OrdererFlags(
        address=given["orderer"],
        tls=given["tls"],
        root_certificate=given["cafile"],
        client_auth=given["clientauth"],
        client_key=given["keyfile"],
        client_certificate=given["certfile"],
        server_name=given["server_name"],
        connect_seconds=given["connect_seconds"],
    )


def _merged(context: click.Context) -> _Given:
    given = dict(context.params)
    parent = context.parent
    for name, value in (parent.params if parent else {}).items():
        source = context.get_parameter_source(name)
        if source is not click.core.ParameterSource.COMMANDLINE:
            given[name] = value
    # Every command that comes here has all of these options, and click has converted them.
    return cast(_Given, given)
