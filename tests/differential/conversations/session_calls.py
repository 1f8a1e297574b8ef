"""What a chaincode is sent to start work (wire §1.3)."""

from __future__ import annotations

import asyncio

from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import PutState
from harness.differential.catalog import conversation
from harness.differential.talk import Talk
from treadle_fabric.wire import BuiltProposal, serialize

ARGUMENTS: tuple[tuple[bytes, ...], ...] = (
    (),
    (b"",),
    (b"", b"", b""),
    (b"function", b"a", b"b"),
    (b"\x00\xff\xfe", "\N{SNOWMAN}".encode()),
    tuple(b"%d" % number for number in range(300)),
)


async def called(talk: Talk, proposal: BuiltProposal, chaincode: object) -> None:
    """Hear the call and end it at once."""
    async with chaincode.transaction(proposal) as transaction:  # type: ignore[attr-defined]
        await transaction.complete()


@conversation("inputargs", "a TRANSACTION carries the arguments as they were proposed", "1.3")
async def arguments(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    for args in ARGUMENTS:
        await called(talk, talk.proposal(talk.name(), *args, channel=channel), chaincode)


@conversation("inputproposal", "a TRANSACTION carries the signed proposal as it came", "1.3")
async def signed_proposal(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    drafts = (
        talk.draft(talk.name(), "plain", channel=channel),
        talk.draft(talk.name(), "admin", channel=channel, signer=talk.cast.admin),
        talk.draft(talk.name(), "map", channel=channel, transient={"a": b"1", "": b"", "b": b"2"}),
        talk.draft(talk.name(), "hash", channel=channel, tls_cert_hash=b"no such certificate"),
        talk.draft(talk.name(), "version", channel=channel, version=3),
    )
    for draft in drafts:
        await called(talk, draft.build(), chaincode)


@conversation("inputlarge", "arguments of a megabyte reach the chaincode whole", "1.3")
async def large_arguments(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), bytes(range(256)) * 4096, channel=channel)
    await called(talk, proposal, chaincode)


def _input(talk: Talk, extra: bytes = b"", **fields: object) -> bytes:
    content = serialize(ChaincodeInput(args=[b"go"], **fields)) + extra  # type: ignore[arg-type]
    spec = ChaincodeSpec(type=ChaincodeSpec.NODE, chaincode_id=ChaincodeID(name=talk.name()))
    whole = serialize(spec) + _delimited(3, content)
    return _delimited(1, whole) + ChaincodeInvocationSpec().SerializeToString()


def _delimited(number: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes((number << 3 | 2, len(content))) + content


@conversation("inputdecorated", "decorations that a client sends do not reach the chaincode", "1.3")
async def decorations(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    content = _input(talk, decorations={"who": b"me"})
    await called(talk, talk.proposal(talk.name(), channel=channel, input=content), chaincode)


@conversation("inputunknown", "unknown fields of the input reach the chaincode", "1.3")
async def unknown_fields(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    content = _input(talk, extra=b"\x80\x01\x07\x8a\x01\x02hi")
    await called(talk, talk.proposal(talk.name(), channel=channel, input=content), chaincode)


@conversation("inputdisorder", "fields of the input in another order reach it in the usual", "1.3")
async def disordered(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    content = _input(talk, extra=b"\x18\x00\x0a\x04late")
    await called(talk, talk.proposal(talk.name(), channel=channel, input=content), chaincode)


@conversation("inputasinit", "a legacy chaincode cannot be invoked as its own init", "1.3")
async def as_init(talk: Talk) -> None:
    await talk.deployed()
    channel = await talk.channel()
    await talk.endorse(talk.proposal(talk.name(), "go", channel=channel, is_init=True))


@conversation("initcall", "INIT carries the arguments of the deployment, not lscc's", "1.3", "3.6")
async def init_call(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposal = talk.deployment("probe", channel, version="1", args=[b"init", b"\x00", b""])
    async with chaincode.transaction(proposal, hint="protos.ChaincodeData") as init:
        await init.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
        await init.complete(payload=b"not for the client")
    await talk.commit(proposal, init.answer, signer=talk.cast.admin)
    await talk.block(channel, 1)


@conversation("upgradecall", "an upgrade sends INIT, then calls, to the new version", "1.3")
async def upgrade(talk: Talk) -> None:
    old = await talk.deployed()
    channel = await talk.channel()
    await talk.quietly_install("probe", "2")
    new = await talk.registered(talk.ccid(version="2"))
    proposal = talk.deployment("probe", channel, version="2", verb="upgrade", args=[b"again"])
    async with new.transaction(proposal, hint="protos.ChaincodeData") as init:
        before = talk.proposal(talk.name(), "before", channel=channel)
        async with old.transaction(before) as transaction:
            await transaction.complete()
        await init.complete()
    await talk.commit(proposal, init.answer, signer=talk.cast.admin)
    await called(talk, talk.proposal(talk.name(), "after", channel=channel), new)
    await old.line.hear_nothing()


@conversation("twonames", "each chaincode gets its own calls", "1.3", "1.5")
async def two_names(talk: Talk) -> None:
    first, second = await talk.deployed("first"), await talk.deployed("second")
    channel = await talk.channel()
    for base, chaincode in (("second", second), ("first", first), ("second", second)):
        await called(talk, talk.proposal(talk.name(base), base, channel=channel), chaincode)


@conversation("burst", "calls come in the order in which they were proposed", "1.3", "1.5")
async def burst(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    running = []
    for number in range(6):
        proposal = talk.proposal(talk.name(), f"{number}", channel=channel)
        running.append((asyncio.create_task(talk.endorse(proposal)), await chaincode.called()))
    for asking, call in running:
        done = Msg(type=Msg.COMPLETED, txid=call.txid, channel_id=channel, payload=b"\x08\xc8\x01")
        await chaincode.line.say(done)
        await asking
