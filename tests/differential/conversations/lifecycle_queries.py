"""What lscc answers to questions (wire §3.3)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_pb2 import ChaincodeInput
from harness.differential.asking import ask, ask_each, hear_listed, install, package
from harness.differential.catalog import conversation
from harness.differential.talk import Talk


@conversation(
    "ccexists", "getid answers with the name, under both its names, in both kinds of channel", "3.3"
)
async def exists(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    for function in ("getid", "ChaincodeExists"):
        for name in (talk.name(), "nobody", "", "bad name"):
            await ask(talk, "lscc", function, channel, name, channel=channel)
    await ask(talk, "lscc", "getid", channel, talk.name())
    await ask(talk, "lscc", "getid", "nowhere", talk.name(), channel=channel)


@conversation("ccdata", "getccdata answers with the definition as it is in the state", "3.3", "3.5")
async def data(talk: Talk) -> None:
    await talk.deployed("probe", version="v1.0+a_b-c")
    channel = await talk.channel()
    for function in ("getccdata", "GetChaincodeData"):
        args = (function, channel, talk.name())
        await ask(talk, "lscc", *args, channel=channel, hint="protos.ChaincodeData")
        await ask(talk, "lscc", function, channel, "nobody", channel=channel)
    await ask(talk, "lscc", "getccdata", channel, talk.name())
    await talk.block(channel, 1)


@conversation(
    "depspec", "getdepspec answers with the installed package, its unknown fields included", "3.3"
)
async def deployment_spec(talk: Talk) -> None:
    channel = await talk.channel()
    # effective_date and exec_env of 1.4, which 2.5 does not know.
    raw = package(talk.name(), "1", files={"a": b"some code"}) + b"\x12\x04\x08\x01\x10\x02\x20\x01"
    await talk.endorse(install(talk, raw).build())
    chaincode = await talk.registered(talk.ccid())
    await talk.deploy(chaincode, "probe", channel=channel)
    for function in ("getdepspec", "GetDeploymentSpec"):
        args = (function, channel, talk.name())
        await ask(talk, "lscc", *args, channel=channel, hint="protos.ChaincodeDeploymentSpec")
    await ask(talk, "lscc", "getdepspec", channel, "nobody", channel=channel)


@conversation(
    "listchannel", "getchaincodes lists the channel's definitions in the order of names", "3.3"
)
async def instantiated(talk: Talk) -> None:
    channel = await talk.channel()
    hint = "protos.ChaincodeQueryResponse"
    await ask(talk, "lscc", "getchaincodes", channel=channel, hint=hint)
    for name in ("zeta", "alpha", "Beta"):
        await talk.deployed(name, version=f"1-{name}")
    for function in ("getchaincodes", "GetChaincodes"):
        await ask(talk, "lscc", function, channel=channel, hint=hint)
    await ask(talk, "lscc", "getchaincodes")


@conversation(
    "listinstalled", "getinstalledchaincodes lists every installed version, for admins alone", "3.3"
)
async def installed(talk: Talk) -> None:
    for name, version in (("probe", "2"), ("probe", "1"), ("another", "1.0")):
        await talk.quietly_install(name, version)
    for function in ("getinstalledchaincodes", "GetInstalledChaincodes"):
        await hear_listed(talk, signer=talk.cast.admin, function=function)
    cast = talk.cast
    question = [("getinstalledchaincodes",)]
    await ask_each(talk, "lscc", question, signers=(cast.client, cast.peer, cast.admin2))


@conversation("packageinput", "getchaincodes shows path and input of the installed package", "3.3")
async def listed_input(talk: Talk) -> None:
    channel = await talk.channel()
    hint = "protos.ChaincodeQueryResponse"
    given = ChaincodeInput(
        args=[b"init", b'"\n\r\t\\\x00\xff~ \x7f', "ä".encode()],
        decorations={"b": b"2", "a": b"1", "c d": b""},
        is_init=True,
    )
    for base, content in (("full", given), ("empty", ChaincodeInput()), ("none", None)):
        raw = package(talk.name(base), "1", content=content)
        await talk.endorse(install(talk, raw).build())
        chaincode = await talk.registered(talk.ccid(base))
        await talk.deploy(chaincode, base, channel=channel, args=(b"other",))
    await ask(talk, "lscc", "getchaincodes", channel=channel, hint=hint)


@conversation(
    "lsccaccess", "the questions about a channel are for its readers, each with its own text", "3.3"
)
async def access(talk: Talk) -> None:
    channel = await talk.channel()
    about = ("getid", "getdepspec", "getccdata", "ChaincodeExists", "GetChaincodeData")
    questions = [(function, channel, "nobody") for function in about]
    questions += [("getchaincodes",), ("GetCollectionsConfig", "nobody")]
    cast = talk.cast
    signers = (cast.orderer, cast.client2, cast.peer)
    await ask_each(talk, "lscc", questions, channel=channel, signers=signers)
    await ask_each(talk, "lscc", questions, signers=(cast.client, cast.admin))


@conversation(
    "lsccelsewhere", "a question about a channel the peer has not joined is refused", "3.3"
)
async def unknown_channel(talk: Talk) -> None:
    channel = await talk.channel()
    questions = [
        (function, asked, "probe")
        for function in ("getid", "getdepspec", "getccdata")
        for asked in ("nowhere", "", "bad channel")
    ]
    await ask_each(talk, "lscc", questions, channel=channel)


@conversation("lscccounts", "lscc refuses every wrong number of arguments", "3.3", "3.4")
async def counts(talk: Talk) -> None:
    channel = await talk.channel()
    questions: list[tuple[str, ...]] = [(), ("install",), ("deploy",), ("upgrade", channel)]
    for function in ("getid", "getdepspec", "getccdata"):
        questions += [(function,), (function, channel), (function, channel, "a", "b")]
    questions += [("getchaincodes", "x"), ("getinstalledchaincodes", "x")]
    questions += [("GetCollectionsConfig",), ("GetCollectionsConfig", "a", "b")]
    signers = (talk.cast.admin,)
    await ask_each(talk, "lscc", questions, channel=channel, signers=signers)
    await ask_each(talk, "lscc", questions, signers=signers)


@conversation("lsccfunctions", "lscc refuses functions it does not have, by any spelling", "3.3")
async def functions(talk: Talk) -> None:
    channel = await talk.channel()
    names = ("start", "stop", "Install", "Deploy", "GETID", "getcollectionsConfig", "", "\n")
    await ask_each(talk, "lscc", [(name, channel, "x") for name in names], channel=channel)
    await ask(talk, "lscc", b"\xff\xfe", channel=channel)


@conversation("nocollections", "GetCollectionsConfig says when there is no configuration", "3.3")
async def collections(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    for function in ("GetCollectionsConfig", "getcollectionsconfig"):
        for name in (talk.name(), "nobody"):
            await ask(talk, "lscc", function, name, channel=channel)
    await ask(talk, "lscc", "GetCollectionsConfig", talk.name())


@conversation(
    "lsccqueryrwset",
    "a question to lscc is endorsed like any transaction, and can be ordered",
    "3.3",
)
async def ordered_query(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.deployed("probe")
    question = talk.proposal("lscc", "getid", channel, talk.name(), channel=channel)
    await talk.commit(question, await talk.endorse(question))
    await talk.block(channel, talk.height(channel) - 1)
