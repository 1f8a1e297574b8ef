"""The measured exchanges of Appendix A that a chaincode takes part in."""

from __future__ import annotations

from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, QueryStateClose
from harness.differential.catalog import conversation
from harness.differential.chaincode import Transaction
from harness.differential.requests import ask_query, callee
from harness.differential.talk import Talk


@conversation("appregister", "REGISTERED and READY carry nothing", "A", "1.2")
async def registration(talk: Talk) -> None:
    await talk.quietly_install("probe")
    chaincode = talk.stream("probe")
    await chaincode.register(talk.ccid())
    await chaincode.line.hear()
    await chaincode.line.hear()
    await chaincode.line.hear_nothing()


@conversation("appmissing", "missing keys, an undecodable request, an unknown iterator", "A", "1.4")
async def odd_requests(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        for key in ("missing", ""):
            await transaction.ask(Msg.GET_STATE, GetState(key=key))
        for broken in (b"\xff", b"\x0a\x05ab", b"\x0a\x01a\x12"):
            await transaction.ask(Msg.GET_STATE, broken)
        await ask_query(transaction, Msg.QUERY_STATE_CLOSE, QueryStateClose(id="unknown"))
        await transaction.complete()


@conversation("appstrangers", "requests of transactions that do not run", "A", "1.4", "1.5")
async def strange_transactions(talk: Talk) -> None:
    chaincode = await talk.deployed()
    channel = await talk.channel()
    for place in (channel, "nowhere", ""):
        stranger = Transaction(chaincode, Msg(txid="deadbeef", channel_id=place))
        await stranger.ask(Msg.GET_STATE, GetState(key="a"))
        await stranger.ask(Msg.INVOKE_CHAINCODE, callee(talk.name(), "go"))
        # Of these nothing comes, and nothing ends.
        await stranger.complete()
        await stranger.fail("boom")
        await stranger.say(Msg.KEEPALIVE)
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(proposal) as transaction:
        await transaction.complete()


@conversation("appinit", "an Init that answers 500 is deployed all the same", "A", "3.6")
async def failing_init(talk: Talk) -> None:
    channel = await talk.channel()
    await talk.quietly_install("probe")
    chaincode = await talk.registered(talk.ccid())
    proposal = talk.deployment("probe", channel, version="1")
    async with chaincode.transaction(proposal, hint="protos.ChaincodeData") as transaction:
        await transaction.complete(500, "init failed")
    await talk.commit(proposal, transaction.answer, signer=talk.cast.admin)
    await talk.block(channel, 1)
    invoked = talk.proposal(talk.name(), "go", channel=channel)
    async with chaincode.transaction(invoked) as transaction:
        await transaction.complete()


@conversation("appboom", "a chaincode's ERROR is the client's 500 without payload", "A", "1.6")
async def boom(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await transaction.fail("boom")


@conversation("appinstall", "a second install of the same is refused, with the file", "A", "3.4")
async def installed_twice(talk: Talk) -> None:
    for _ in range(2):
        await talk.endorse(talk.installation("probe"))
