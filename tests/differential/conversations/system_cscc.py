"""cscc: channels and their configuration (wire §4.7)."""

from __future__ import annotations

from fabric_protos.common.common_pb2 import (
    Block,
    BlockData,
    ChannelHeader,
    Envelope,
    Header,
    Payload,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope
from fabric_protos.common.configuration_pb2 import Capabilities, Capability
from fabric_protos.peer.query_pb2 import ChannelQueryResponse
from harness.differential.asking import ask, ask_each, hash_of
from harness.differential.catalog import conversation
from harness.differential.configblocks import config_of
from harness.differential.talk import Talk
from treadle_fabric.wire import serialize


@conversation("getchannels", "GetChannels lists the peer's channels for its members", "4.7")
async def channels(talk: Talk) -> None:
    names = [await talk.channel(suffix) for suffix in ("", "b", "a")]
    cast = talk.cast
    for signer in (cast.client, cast.admin, cast.peer):
        proposal = talk.proposal("cscc", "GetChannels", "ignored", channel="", signer=signer)
        answer = await talk.links.endorser.ProcessProposal(proposal.signed, timeout=40)
        # Others make channels meanwhile, and a real peer lists in the order of a Go map.
        listed = ChannelQueryResponse.FromString(answer.response.payload).channels
        mine = [each for each in listed if each.channel_id in names]
        mine.sort(key=lambda each: each.channel_id)
        answer.response.payload = serialize(ChannelQueryResponse(channels=mine))
        talk.hear_message("listed", answer, "protos.ChannelQueryResponse")
    for where in ("", names[0]):
        for signer in (cast.orderer, cast.client2):
            await ask(talk, "cscc", "GetChannels", channel=where, signer=signer)


@conversation("configblock", "GetConfigBlock answers with the newest configuration block", "4.7")
async def config_block(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.deployed("probe")
    genesis = await talk.links.committed(talk.cast.admin, channel, 0)
    for where in (channel, ""):
        # The two networks' configurations differ; that the right one comes is the question.
        answer = await ask(talk, "cscc", "GetConfigBlock", channel, channel=where)
        assert answer is not None
        if Block.FromString(answer.response.payload) == genesis:
            talk.recording.names[answer.response.payload] = "<block 0 as it is delivered>"


@conversation("channelconfig", "GetChannelConfig answers with the configuration alone", "4.7")
async def channel_config(talk: Talk) -> None:
    channel = await talk.channel()
    genesis = await talk.links.committed(talk.cast.admin, channel, 0)
    config = config_of(genesis)
    for where in (channel, ""):
        answer = await ask(talk, "cscc", "GetChannelConfig", channel, channel=where)
        assert answer is not None
        # Go writes a configuration's maps in any order.
        if Config.FromString(answer.response.payload) == config:
            talk.recording.names[answer.response.payload] = "<the configuration of block 0>"


@conversation("cscccounts", "cscc refuses too few arguments", "4.7")
async def counts(talk: Talk) -> None:
    channel = await talk.channel()
    questions: list[tuple[str, ...]] = [(), ("",), ("Nothing",)]
    questions += [("JoinChain",), ("GetConfigBlock",), ("GetChannelConfig",)]
    await ask_each(talk, "cscc", questions, channel=channel)
    await ask_each(talk, "cscc", questions)


@conversation("csccfunctions", "cscc refuses functions that it does not have", "4.7")
async def functions(talk: Talk) -> None:
    channel = await talk.channel()
    names = ("Nothing", "joinchain", "UpdateConfigBlock", "SimulateConfigTreeUpdate", "")
    questions = [(name, channel) for name in names]
    signers = (talk.cast.client, talk.cast.orderer)
    await ask_each(talk, "cscc", questions, channel=channel, signers=signers)
    await ask_each(talk, "cscc", questions)


@conversation("csccaccess", "cscc answers readers of the channel it is asked about", "4.7")
async def access(talk: Talk) -> None:
    channel = await talk.channel()
    questions = [
        (function, asked)
        for function in ("GetConfigBlock", "GetChannelConfig")
        for asked in (channel, "nowhere", "bad name", "")
    ]
    await ask_each(talk, "cscc", questions, channel=channel, signers=(talk.cast.orderer,))
    await ask_each(talk, "cscc", questions[1:4] + questions[5:])


@conversation("joinrubbish", "JoinChain takes nothing but a block", "4.7")
async def join_rubbish(talk: Talk) -> None:
    for content in (b"rubbish", b"\xff", b"", serialize(Block())):
        for signer in (talk.cast.admin, talk.cast.client):
            await ask(talk, "cscc", "JoinChain", content, signer=signer)


@conversation("joinempty", "JoinChain names what the block's first envelope lacks", "4.7")
async def join_empty(talk: Talk) -> None:
    header = Payload.FromString(_envelope(talk.cast.genesis("x")).payload).header
    no_channel = Header(signature_header=header.signature_header)
    for data in (
        b"",
        b"\xff",
        serialize(Envelope(payload=b"\xff")),
        serialize(Envelope(payload=serialize(Payload()))),
        serialize(Envelope(payload=serialize(Payload(header=no_channel)))),
        serialize(Envelope(payload=serialize(Payload(header=Header(channel_header=b"\xff\xff"))))),
    ):
        block = serialize(Block(data=BlockData(data=[data])))
        await ask(talk, "cscc", "JoinChain", block, signer=talk.cast.admin)


@conversation("joinconfig", "JoinChain looks at the configuration before at who asks", "4.7")
async def join_config(talk: Talk) -> None:
    whole = _config(talk.cast.genesis("x"))
    for change in ("data", "config", "group", "groups", "application"):
        block = talk.cast.genesis("x")
        config = ConfigEnvelope.FromString(whole)
        if change == "config":
            config.ClearField("config")
        elif change == "group":
            config.config.ClearField("channel_group")
        elif change == "groups":
            config.config.channel_group.ClearField("groups")
        elif change == "application":
            del config.config.channel_group.groups["Application"]
        _replace(block, b"\xff" if change == "data" else serialize(config))
        await ask(talk, "cscc", "JoinChain", serialize(block), signer=talk.cast.client)


@conversation("jointypes", "JoinChain takes the block of a configuration only", "4.7")
async def join_types(talk: Talk) -> None:
    for number in (0, 2, 3, 99, -1):
        block = talk.cast.genesis("x")
        payload = Payload.FromString(_envelope(block).payload)
        header = ChannelHeader.FromString(payload.header.channel_header)
        header.type = number
        payload.header.channel_header = serialize(header)
        block.data.data[0] = serialize(Envelope(payload=serialize(payload)))
        await ask(talk, "cscc", "JoinChain", serialize(block), signer=talk.cast.client)


@conversation("joincapability", "JoinChain refuses capabilities that this peer lacks", "4.7")
async def join_capability(talk: Talk) -> None:
    for path, name in ((("Application",), "V9_9"), ((), "V9_9"), (("Application",), "V2_0")):
        block = talk.cast.genesis("x")
        config = ConfigEnvelope.FromString(_config(block))
        group = config.config.channel_group
        for step in path:
            group = group.groups[step]
        capabilities = Capabilities(capabilities={name: Capability()})
        group.values["Capabilities"].value = serialize(capabilities)
        _replace(block, serialize(config))
        await ask(talk, "cscc", "JoinChain", serialize(block), signer=talk.cast.client)


@conversation("joinaccess", "only an admin of the peer's organisation joins channels", "4.7")
async def join_access(talk: Talk) -> None:
    channel = await talk.channel()
    cast = talk.cast
    block = serialize(cast.genesis(f"{talk.key}x"))
    for signer in (cast.client, cast.peer, cast.admin2, cast.orderer):
        await ask(talk, "cscc", "JoinChain", block, signer=signer)
    await ask(talk, "cscc", "JoinChain", block, channel=channel, signer=cast.client)


@conversation("joinagain", "a channel is joined once", "4.7")
async def join_again(talk: Talk) -> None:
    channel = await talk.channel()
    genesis = await talk.links.committed(talk.cast.admin, channel, 0)
    other = talk.cast.genesis(channel)
    for block in (genesis, other):
        content = serialize(block)
        asked = talk.proposal("cscc", "JoinChain", content, channel="", signer=talk.cast.admin)
        talk.recording.names[hash_of(asked)] = "<hash of the proposal>"
        await talk.endorse(asked)


def _envelope(block: Block) -> Envelope:
    return Envelope.FromString(block.data.data[0])


def _config(block: Block) -> bytes:
    return Payload.FromString(_envelope(block).payload).data


def _replace(block: Block, config: bytes) -> None:
    envelope = _envelope(block)
    payload = Payload.FromString(envelope.payload)
    payload.data = config
    envelope.payload = serialize(payload)
    block.data.data[0] = serialize(envelope)
