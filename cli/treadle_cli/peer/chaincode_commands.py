"""The flags of ``peer chaincode``; what they do stands in the modules they call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from treadle_cli.peer import deploying, invoking, listing, packing
from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.flags import Duration
from treadle_cli.peer.orderer_options import orderer_flags, orderer_options
from treadle_cli.peer.session import open_session
from treadle_cli.peer.targets import TargetFlags

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_NO_CHANNEL = "The required parameter 'channelID' is empty. Rerun the command with -C flag"

_name = click.option("-n", "--name", default="", help="Name of the chaincode")
_version = click.option(
    "-v",
    "--version",
    default="",
    help="Version of the chaincode specified in install/instantiate/upgrade commands",
)
_path = click.option("-p", "--path", default="", help="Path to chaincode")
_lang = click.option(
    "-l",
    "--lang",
    default="golang",
    show_default=True,
    help="Language the chaincode is written in: golang, node, java, python",
)
_ctor = click.option(
    "-c",
    "--ctor",
    default="{}",
    show_default=True,
    help="Constructor message for the chaincode in JSON format",
)
_channel = click.option(
    "-C",
    "--channelID",
    "channel",
    default="",
    help="The channel on which this command should be executed",
)
_transient = click.option(
    "--transient", default="", help="Transient map of arguments in JSON encoding"
)
_extra = click.argument("extra", nargs=-1)


def _all(*decorators: Decorator) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        return reduce(lambda inner, one: one(inner), reversed(decorators), function)

    return decorate


_targets = _all(
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
_deploy_options = _all(
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


def _command(*options: Decorator) -> Decorator:
    return _all(*options, _extra, _transient, orderer_options)


@click.group(name="chaincode")
@orderer_options
@_transient
def chaincode_group(**_: object) -> None:
    """Operate a chaincode: install|instantiate|invoke|package|query|signpackage|upgrade|list."""


@chaincode_group.command()
@_command(_lang, _ctor, _path, _name, _version, _targets)
def install(
    lang: str, ctor: str, path: str, name: str, version: str, extra: tuple[str, ...], **rest: Any
) -> None:
    """Install a package file, or package the sources and install them."""
    request = packing.SourceRequest(
        name=name, version=version, path=path, language=lang, constructor=ctor
    )
    session = open_session(orderer_flags())
    file = extra[0] if extra else ""
    asyncio.run(packing.install(session, request, file=file, targets=_target_flags(rest)))


@chaincode_group.command()
@_command(
    _lang,
    _path,
    _ctor,
    _name,
    _version,
    click.option("-s", "--cc-package", "wrapped", is_flag=True, help="Make a signed package"),
    click.option("-S", "--sign", "signed", is_flag=True, help="With -s: sign with the local MSP"),
    click.option("-i", "--instantiate-policy", "policy", default="", help="Instantiation policy"),
)
def package(
    lang: str, path: str, ctor: str, name: str, version: str, extra: tuple[str, ...], **rest: Any
) -> None:
    """Package a chaincode and write the package to a file."""
    if len(extra) != 1:
        raise CommandError(
            "output file not specified or invalid number of args (filename should be the only arg)"
        )
    request = packing.SourceRequest(
        name=name, version=version, path=path, language=lang, constructor=ctor
    )
    signing = packing.Signing(wrapped=rest["wrapped"], signed=rest["signed"], policy=rest["policy"])
    packing.package(open_session(orderer_flags()), request, output=extra[0], signing=signing)


@chaincode_group.command()
@_command()
def signpackage(extra: tuple[str, ...], **_: object) -> None:
    """Sign the specified chaincode package."""
    if len(extra) < 2:
        raise CommandError("peer chaincode signpackage <inputpackage> <outputpackage>", usage=True)
    packing.signpackage(open_session(orderer_flags()), source=extra[0], target=extra[1])


@chaincode_group.command()
@_command(_lang, _ctor, _name, _channel, _version, _deploy_options, _targets)
def instantiate(**given: Any) -> None:
    """Deploy the specified chaincode to the network."""
    _deploy("instantiate", given)


@chaincode_group.command()
@_command(_lang, _ctor, _path, _name, _channel, _version, _deploy_options, _targets)
def upgrade(**given: Any) -> None:
    """Upgrade an existing chaincode with the specified one."""
    _deploy("upgrade", given)


def _deploy(command: str, given: dict[str, Any]) -> None:
    _require_channel(given["channel"])
    request = deploying.DeployRequest(
        name=given["name"],
        version=given["version"],
        channel=given["channel"],
        constructor=given["ctor"],
        language=given["lang"],
        path=given.get("path", ""),
        policy=given["policy"],
        escc=given["escc"],
        vscc=given["vscc"],
        collections=given["collections"],
        targets=_target_flags(given),
    )
    session = open_session(orderer_flags())
    asyncio.run(deploying.deploy(session, request, command=command))


@chaincode_group.command()
@_command(
    _name,
    _ctor,
    click.option("-I", "--isInit", "is_init", is_flag=True, help="This invocation is for init"),
    _channel,
    _targets,
    click.option(
        "--waitForEvent", "wait", is_flag=True, help="Wait until every peer has committed"
    ),
    click.option(
        "--waitForEventTimeout",
        "wait_seconds",
        type=Duration(),
        default=30.0,
        show_default="30s",
        help="How long --waitForEvent waits",
    ),
)
def invoke(name: str, ctor: str, channel: str, **rest: Any) -> None:
    """Invoke the specified chaincode and commit the endorsed transaction."""
    _require_channel(channel)
    request = invoking.CallRequest(
        name=name,
        channel=channel,
        constructor=ctor,
        transient=_transient_text(rest),
        is_init=rest["is_init"],
        wait_seconds=rest["wait_seconds"] if rest["wait"] else None,
        targets=_target_flags(rest),
    )
    asyncio.run(invoking.invoke(open_session(orderer_flags()), request))


@chaincode_group.command()
@_command(
    _ctor,
    _name,
    _channel,
    _targets,
    click.option("-r", "--raw", is_flag=True, help="Print the bytes of the value"),
    click.option("-x", "--hex", "hexadecimal", is_flag=True, help="Print the value in hexadecimal"),
)
def query(name: str, ctor: str, channel: str, **rest: Any) -> None:
    """Get the endorsed result of a chaincode function call and print it."""
    _require_channel(channel)
    request = invoking.CallRequest(
        name=name,
        channel=channel,
        constructor=ctor,
        transient=_transient_text(rest),
        targets=_target_flags(rest),
    )
    if rest["raw"] and rest["hexadecimal"]:
        raise CommandError("options --raw (-r) and --hex (-x) are not compatible")
    form = invoking.Form.RAW if rest["raw"] else invoking.Form.TEXT
    form = invoking.Form.HEX if rest["hexadecimal"] else form
    asyncio.run(invoking.query(open_session(orderer_flags()), request, form=form))


@chaincode_group.command(name="list")
@_command(
    _channel,
    click.option("--installed", is_flag=True, help="Get the installed chaincodes on a peer"),
    click.option("--instantiated", is_flag=True, help="Get the chaincodes of a channel"),
    _targets,
)
def list_command(channel: str, installed: bool, instantiated: bool, **rest: Any) -> None:
    """List the chaincodes instantiated on a channel or installed on a peer."""
    if instantiated:
        _require_channel(channel)
    session = open_session(orderer_flags())
    asyncio.run(
        listing.list_chaincodes(
            session,
            installed=installed,
            instantiated=instantiated,
            channel=channel,
            targets=_target_flags(rest),
        )
    )


def _require_channel(channel: str) -> None:
    if not channel:
        raise CommandError(_NO_CHANNEL, usage=True)


def _transient_text(given: dict[str, Any]) -> str:
    parent = click.get_current_context().parent
    inherited = parent.params.get("transient", "") if parent else ""
    return str(given.get("transient") or inherited)


def _target_flags(given: dict[str, Any]) -> TargetFlags:
    return TargetFlags(
        addresses=given["addresses"], root_files=given["root_files"], profile=given["profile"]
    )
