"""The flags of ``peer chaincode``; what they do stands in the modules they call."""

from __future__ import annotations

import asyncio
from typing import Unpack

import click

from treadle_cli.peer import chaincode_options as options
from treadle_cli.peer import deploying, invoking, listing, packing
from treadle_cli.peer.errors import CommandError
from treadle_cli.peer.flags import Duration
from treadle_cli.peer.orderer_options import orderer_flags, orderer_options
from treadle_cli.peer.session import open_session
from treadle_cli.peer.targets import TargetFlags

_NO_CHANNEL = "The required parameter 'channelID' is empty. Rerun the command with -C flag"


@click.group(name="chaincode")
@orderer_options
@options.transient
def chaincode_group(**_: object) -> None:
    """Operate a chaincode: install|instantiate|invoke|package|query|signpackage|upgrade|list."""


@chaincode_group.command()
@options.command(
    options.language,
    options.constructor,
    options.path,
    options.name,
    options.version,
    options.targets,
)
def install(**given: Unpack[options.Install]) -> None:
    """Install a package file, or package the sources and install them."""
    session = open_session(orderer_flags())
    file = given["extra"][0] if given["extra"] else ""
    asyncio.run(packing.install(session, _source(given), file=file, targets=_target_flags(given)))


@chaincode_group.command()
@options.command(
    options.language,
    options.path,
    options.constructor,
    options.name,
    options.version,
    click.option("-s", "--cc-package", "wrapped", is_flag=True, help="Make a signed package"),
    click.option("-S", "--sign", "signed", is_flag=True, help="With -s: sign with the local MSP"),
    click.option("-i", "--instantiate-policy", "policy", default="", help="Instantiation policy"),
)
def package(**given: Unpack[options.Package]) -> None:
    """Package a chaincode and write the package to a file."""
    extra = given["extra"]
    if len(extra) != 1:
        raise CommandError(
            "output file not specified or invalid number of args (filename should be the only arg)"
        )
    signing = packing.Signing(
        wrapped=given["wrapped"], signed=given["signed"], policy=given["policy"]
    )
    session = open_session(orderer_flags())
    packing.package(session, _source(given), output=extra[0], signing=signing)


@chaincode_group.command()
@options.command()
def signpackage(extra: tuple[str, ...], **_: object) -> None:
    """Sign the specified chaincode package."""
    if len(extra) < 2:
        raise CommandError("peer chaincode signpackage <inputpackage> <outputpackage>", usage=True)
    packing.signpackage(open_session(orderer_flags()), source=extra[0], target=extra[1])


@chaincode_group.command()
@options.command(
    options.language,
    options.constructor,
    options.name,
    options.channel,
    options.version,
    options.deploy,
    options.targets,
)
def instantiate(**given: Unpack[options.Deploy]) -> None:
    """Deploy the specified chaincode to the network."""
    _deploy("instantiate", given, path="")


@chaincode_group.command()
@options.command(
    options.language,
    options.constructor,
    options.path,
    options.name,
    options.channel,
    options.version,
    options.deploy,
    options.targets,
)
def upgrade(**given: Unpack[options.Upgrade]) -> None:
    """Upgrade an existing chaincode with the specified one."""
    _deploy("upgrade", given, path=given["path"])


def _deploy(command: str, given: options.Deploy, *, path: str) -> None:
    _require_channel(given["channel"])
    request = deploying.DeployRequest(
        name=given["name"],
        version=given["version"],
        channel=given["channel"],
        constructor=given["ctor"],
        language=given["lang"],
        path=path,
        policy=given["policy"],
        escc=given["escc"],
        vscc=given["vscc"],
        collections=given["collections"],
        targets=_target_flags(given),
    )
    session = open_session(orderer_flags())
    asyncio.run(deploying.deploy(session, request, command=command))


@chaincode_group.command()
@options.command(
    options.name,
    options.constructor,
    click.option("-I", "--isInit", "is_init", is_flag=True, help="This invocation is for init"),
    options.channel,
    options.targets,
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
def invoke(**given: Unpack[options.Invoke]) -> None:
    """Invoke the specified chaincode and commit the endorsed transaction."""
    _require_channel(given["channel"])
    request = invoking.CallRequest(
        name=given["name"],
        channel=given["channel"],
        constructor=given["ctor"],
        transient=_transient_text(given),
        is_init=given["is_init"],
        wait_seconds=given["wait_seconds"] if given["wait"] else None,
        targets=_target_flags(given),
    )
    asyncio.run(invoking.invoke(open_session(orderer_flags()), request))


@chaincode_group.command()
@options.command(
    options.constructor,
    options.name,
    options.channel,
    options.targets,
    click.option("-r", "--raw", is_flag=True, help="Print the bytes of the value"),
    click.option("-x", "--hex", "hexadecimal", is_flag=True, help="Print the value in hexadecimal"),
)
def query(**given: Unpack[options.Query]) -> None:
    """Get the endorsed result of a chaincode function call and print it."""
    _require_channel(given["channel"])
    request = invoking.CallRequest(
        name=given["name"],
        channel=given["channel"],
        constructor=given["ctor"],
        transient=_transient_text(given),
        targets=_target_flags(given),
    )
    if given["raw"] and given["hexadecimal"]:
        raise CommandError("options --raw (-r) and --hex (-x) are not compatible")
    form = invoking.Form.RAW if given["raw"] else invoking.Form.TEXT
    form = invoking.Form.HEX if given["hexadecimal"] else form
    asyncio.run(invoking.query(open_session(orderer_flags()), request, form=form))


@chaincode_group.command(name="list")
@options.command(
    options.channel,
    click.option("--installed", is_flag=True, help="Get the installed chaincodes on a peer"),
    click.option("--instantiated", is_flag=True, help="Get the chaincodes of a channel"),
    options.targets,
)
def list_command(**given: Unpack[options.List]) -> None:
    """List the chaincodes instantiated on a channel or installed on a peer."""
    if given["instantiated"]:
        _require_channel(given["channel"])
    session = open_session(orderer_flags())
    asyncio.run(
        listing.list_chaincodes(
            session,
            installed=given["installed"],
            instantiated=given["instantiated"],
            channel=given["channel"],
            targets=_target_flags(given),
        )
    )


def _require_channel(channel: str) -> None:
    if not channel:
        raise CommandError(_NO_CHANNEL, usage=True)


def _transient_text(given: options.Given) -> str:
    parent = click.get_current_context().parent
    inherited = parent.params.get("transient", "") if parent else ""
    return given["transient"] or str(inherited)


def _source(given: options.Source) -> packing.SourceRequest:
    return packing.SourceRequest(
        name=given["name"],
        version=given["version"],
        path=given["path"],
        language=given["lang"],
        constructor=given["ctor"],
    )


def _target_flags(given: options.Targets) -> TargetFlags:
    return TargetFlags(
        addresses=given["addresses"], root_files=given["root_files"], profile=given["profile"]
    )
