"""qscc: questions about a channel's chain (wire §4.7)."""

from __future__ import annotations

from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from harness.differential.asking import ask, ask_each
from harness.differential.catalog import conversation
from harness.differential.talk import Talk
from treadle_fabric.wire import BuiltProposal, block_header_hash

BLOCK, TRANSACTION, INFO = "common.Block", "protos.ProcessedTransaction", "common.BlockchainInfo"
FUNCTIONS = (
    *("GetChainInfo", "GetBlockByNumber", "GetBlockByHash"),
    *("GetTransactionByID", "GetBlockByTxID"),
)


@conversation("chaininfo", "GetChainInfo answers with height and both newest hashes", "4.7")
async def chain_info(talk: Talk) -> None:
    channel = await talk.channel()
    await ask(talk, "qscc", "GetChainInfo", channel, hint=INFO)
    await talk.deployed("probe")
    for where in (channel, ""):
        await ask(talk, "qscc", "GetChainInfo", channel, channel=where, hint=INFO)
    await ask(talk, "qscc", "GetChainInfo", channel, "ignored", hint=INFO)


@conversation("blocknumbers", "a block is asked for by its decimal number", "4.7")
async def by_number(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    for number in ("1", "01", "18446744073709551615"):
        for where in (channel, ""):
            args = ("GetBlockByNumber", channel, number)
            await ask(talk, "qscc", *args, channel=where, hint=BLOCK)


@conversation("blocknonumbers", "what is no number of a block is refused", "4.7")
async def by_wrong_number(talk: Talk) -> None:
    channel = await talk.channel()
    for number in (
        *("1", "7", "18446744073709551614", "18446744073709551616", "x", "", "-1", "+0", "0x0"),
        *("0_0", " 0", "0 ", "1.0", "1e0", "٣", "²", "\n", '"', "\\"),
        *("\a\b\f\r\t\v\x00\x7f", "\xa0\xad\u2028\U0010ffff", b"\xff\x80a", "9" * 200),
    ):
        await ask(talk, "qscc", "GetBlockByNumber", channel, number)


@conversation("blockhashes", "a block is asked for by the hash of its header", "4.7")
async def by_hash(talk: Talk) -> None:
    await talk.deployed("probe")
    channel = await talk.channel()
    block = await talk.links.committed(talk.cast.admin, channel, 1)
    await ask(talk, "qscc", "GetBlockByHash", channel, block_header_hash(block.header), hint=BLOCK)
    for wrong in (b"", b"x", b"\0" * 32, "ä", b"\xff" * 32):
        await ask(talk, "qscc", "GetBlockByHash", channel, wrong)


async def _committed(talk: Talk) -> tuple[str, BuiltProposal, BuiltProposal]:
    """The channel, a valid transaction in block 2 and one in block 3 that came too late."""
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    proposals = [talk.proposal(talk.name(), text, channel=channel) for text in ("early", "late")]
    answers = []
    for proposal in proposals:
        async with chaincode.transaction(proposal) as call:
            await call.ask(Msg.GET_STATE, GetState(key="k"))
            await call.ask(Msg.PUT_STATE, PutState(key="k", value=b"v"))
            await call.complete()
        answers.append(call.answer)
    for proposal, answer in zip(proposals, answers, strict=True):
        await talk.commit(proposal, answer)
    return channel, *proposals


@conversation("transactions", "a transaction is found by its id, with its validation code", "4.7")
async def by_id(talk: Talk) -> None:
    channel, valid, invalid = await _committed(talk)
    for proposal in (valid, invalid):
        for where in (channel, ""):
            args = ("GetTransactionByID", channel, proposal.tx_id)
            await ask(talk, "qscc", *args, channel=where, hint=TRANSACTION)
    for wrong in ("z", valid.tx_id[:-1], valid.tx_id.upper()):
        await ask(talk, "qscc", "GetTransactionByID", channel, wrong)


@conversation("txblocks", "a block is found by a transaction in it", "4.7")
async def block_by_id(talk: Talk) -> None:
    channel, valid, invalid = await _committed(talk)
    for proposal in (valid, invalid):
        await ask(talk, "qscc", "GetBlockByTxID", channel, proposal.tx_id, hint=BLOCK)
    for wrong in ("z", valid.tx_id[:-1], valid.tx_id.upper()):
        await ask(talk, "qscc", "GetBlockByTxID", channel, wrong)


@conversation("emptytxids", "an empty transaction id is not found", "4.7")
async def empty_ids(talk: Talk) -> None:
    channel = await talk.channel()
    for function in ("GetTransactionByID", "GetBlockByTxID"):
        await ask(talk, "qscc", function, channel, "")


@conversation("notutf8", "what would quote bytes that are no UTF-8 fails instead", "4.7", "3.3")
async def no_text(talk: Talk) -> None:
    # A real 2.5.9 peer dies of such a name of a chaincode in a question to lscc.
    channel = await talk.channel()
    for chaincode, args in (
        *(("qscc", (function, b"\xff", "x")) for function in FUNCTIONS),
        *(("qscc", (function, channel, b"\xff")) for function in FUNCTIONS[1:]),
        *(("cscc", (function, b"\xff")) for function in ("GetConfigBlock", "GetChannelConfig")),
        *(("cscc", (b"\xff", "x")), ("qscc", (b"\xff", channel, "x")), ("lscc", (b"\xff",))),
        *(("lscc", (function, b"\xff", "x")) for function in ("getid", "getdepspec")),
    ):
        for where in (channel, ""):
            await ask(talk, chaincode, *args, channel=where)


@conversation("qscccounts", "qscc refuses too few arguments, and takes too many", "4.7")
async def counts(talk: Talk) -> None:
    channel = await talk.channel()
    questions: list[tuple[str, ...]] = [(), *((function,) for function in FUNCTIONS)]
    questions += [(function, channel) for function in FUNCTIONS[1:]]
    questions += [("Nothing", channel), ("Nothing",), ("", channel)]
    questions += [(function, channel, "x", "y", "z") for function in FUNCTIONS[1:]]
    await ask_each(talk, "qscc", questions, channel=channel)
    await ask_each(talk, "qscc", questions)


@conversation("qsccfunctions", "qscc refuses functions that it does not have", "4.7")
async def functions(talk: Talk) -> None:
    channel = await talk.channel()
    for function in ("Nothing", "getChainInfo", "GetChainInfo ", ""):
        for where in (channel, ""):
            for signer in (talk.cast.client, talk.cast.orderer):
                args = (function, channel, "x")
                await ask(talk, "qscc", *args, channel=where, signer=signer)


@conversation("qsccchannels", "qscc is asked about channels of the peer", "4.7")
async def channels(talk: Talk) -> None:
    channel = await talk.channel()
    questions = [
        (function, asked, "1") for function in FUNCTIONS for asked in ("nowhere", "", "bad name")
    ]
    await ask_each(talk, "qscc", questions, channel=channel)
    await ask_each(talk, "qscc", questions)


@conversation("qsccaccess", "qscc answers readers of the channel it is asked about", "4.7")
async def access(talk: Talk) -> None:
    channel = await talk.channel()
    cast = talk.cast
    questions = [(function, channel, "7") for function in FUNCTIONS[1:]]
    await ask_each(talk, "qscc", questions, channel=channel, signers=(cast.orderer, cast.peer))
    await ask(talk, "qscc", "GetChainInfo", channel, channel=channel, signer=cast.orderer)


@conversation("qscccalled", "no chaincode may call qscc or cscc, but lscc", "4.7", "1.10")
async def called_by_chaincode(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for name, args in (
        ("qscc", (b"GetChainInfo", channel.encode())),
        ("qscc", (b"GetBlockByNumber", channel.encode())),
        ("qscc", ()),
        ("cscc", (b"GetChannels",)),
        ("cscc", (b"GetConfigBlock",)),
        ("lscc", (b"getid", channel.encode(), talk.name().encode())),
        ("lscc", (b"getid", channel.encode(), b"nobody")),
        ("lscc", (b"getchaincodes",)),
    ):
        spec = ChaincodeSpec(chaincode_id=ChaincodeID(name=name), input=ChaincodeInput(args=args))
        async with chaincode.transaction(talk.proposal(talk.name(), "go", channel=channel)) as call:
            await call.ask(Msg.INVOKE_CHAINCODE, spec)
            await call.complete()
