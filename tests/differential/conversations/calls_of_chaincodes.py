"""A chaincode calls another one: how it is named, what comes back (wire §1.10)."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInput, ChaincodeSpec
from fabric_protos.peer.chaincode_shim_pb2 import ChaincodeMessage as Msg
from fabric_protos.peer.chaincode_shim_pb2 import GetState, PutState
from google.protobuf.timestamp_pb2 import Timestamp
from harness.differential.catalog import conversation
from harness.differential.chaincode import Chaincode
from harness.differential.requests import called, callee, fill, hear_callee, invoke
from harness.differential.talk import Talk


@dataclass(frozen=True, slots=True)
class Pair:
    """Two chaincodes of one channel."""

    talk: Talk
    caller: Chaincode
    other: Chaincode
    channel: str

    @classmethod
    async def of(cls, talk: Talk) -> Pair:
        caller, other = await talk.deployed("caller"), await talk.deployed("other")
        return cls(talk, caller, other, await talk.channel())

    def proposal(self, *args: str, **parts: object) -> object:
        """A proposal to the caller."""
        return self.talk.proposal(
            self.talk.name("caller"), *(args or ("go",)), channel=self.channel, **parts
        )


@conversation("call", "the callee gets arguments, proposal and txid; its answer is passed", "1.10")
async def same_channel(talk: Talk) -> None:
    pair = await Pair.of(talk)
    proposal = pair.proposal("a", "b", transient={"secret": b"s"})
    async with pair.caller.transaction(proposal) as transaction:
        await invoke(transaction, talk.name("other"), "x", b"\xff\x00", "")
        inner = await called(pair.other)
        await inner.ask(Msg.GET_STATE, GetState(key="k"))
        await inner.complete(201, "a message", b"\x00payload")
        await hear_callee(transaction)
        await transaction.complete(payload=b"done")
    await talk.commit(proposal, transaction.answer)
    await talk.block(pair.channel, talk.height(pair.channel) - 1)


@conversation("callstatuses", "whatever status a callee gives, the caller decides", "1.10")
async def statuses(talk: Talk) -> None:
    pair = await Pair.of(talk)
    async with pair.caller.transaction(pair.proposal()) as transaction:
        for status in (0, 200, 399, 400, 499, 500, 600, -1):
            await invoke(transaction, talk.name("other"), str(status))
            inner = await called(pair.other)
            await inner.complete(status, f"status {status}", b"payload")
            await hear_callee(transaction)
        await transaction.complete()


@conversation("callerrors", "a callee's ERROR comes back inside a RESPONSE", "1.10")
async def callee_errors(talk: Talk) -> None:
    pair = await Pair.of(talk)
    texts = ("boom", "", "transaction returned with failure: boom", "error sending: boom")
    async with pair.caller.transaction(pair.proposal()) as transaction:
        for text in texts:
            await invoke(transaction, talk.name("other"), "go")
            inner = await called(pair.other)
            await inner.fail(text)
            await hear_callee(transaction)
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(pair.other)
        await inner.say(Msg.ERROR, b"\xff\xfe no text")
        await hear_callee(transaction)
        await transaction.complete()


@conversation("callevents", "a callee's event stays inside, as the callee said it", "1.10")
async def callee_events(talk: Talk) -> None:
    pair = await Pair.of(talk)
    event = ChaincodeEvent(chaincode_id="forged", tx_id="x", event_name="inner", payload=b"1")
    proposal = pair.proposal()
    async with pair.caller.transaction(proposal) as transaction:
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(pair.other)
        await inner.complete(event=event)
        await hear_callee(transaction)
        await transaction.complete()
    await talk.commit(proposal, transaction.answer)
    await talk.block(pair.channel, talk.height(pair.channel) - 1)


@conversation("callererevents", "the caller's own event is the transaction's", "1.10")
async def both_events(talk: Talk) -> None:
    pair = await Pair.of(talk)
    async with pair.caller.transaction(pair.proposal()) as transaction:
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(pair.other)
        await inner.complete(event=ChaincodeEvent(event_name="inner", payload=b"1"))
        await hear_callee(transaction)
        await transaction.complete(event=ChaincodeEvent(event_name="outer", payload=b"2"))


@conversation("callraw", "a callee's last message is passed on unread, whatever is in it", "1.10")
async def passed_on_raw(talk: Talk) -> None:
    pair = await Pair.of(talk)
    async with pair.caller.transaction(pair.proposal()) as transaction:
        for changes in (
            {"payload": b"\xff\xff no Response"},
            {"payload": b""},
            {"payload": b"\x08\xc8\x01\xf8\x7f\x01"},
        ):
            await invoke(transaction, talk.name("other"), "go")
            inner = await called(pair.other)
            done = inner.message(Msg.COMPLETED, changes["payload"])
            done.timestamp.CopyFrom(Timestamp(seconds=5, nanos=6))
            done.proposal.signature = b"by the callee"
            await pair.other.line.say(done)
            await hear_callee(transaction)
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(pair.other)
        failed = inner.message(Msg.ERROR, b"boom")
        failed.chaincode_event.CopyFrom(ChaincodeEvent(event_name="of an error"))
        failed.timestamp.CopyFrom(Timestamp(seconds=5))
        await pair.other.line.say(failed)
        await hear_callee(transaction)
        await transaction.complete()


@conversation("callnames", "a callee's version does not count, a channel may follow", "1.10")
async def names(talk: Talk) -> None:
    pair = await Pair.of(talk)
    other = talk.name("other")
    async with pair.caller.transaction(pair.proposal()) as transaction:
        for name in (
            other,
            f"{other}:1",
            f"{other}:no such version",
            f"{other}:",
            f"{other}/",
            f"{other}:2/",
            f"{other}:1:2",
            f"{other}/{pair.channel}",
            f"{other}:7/{pair.channel}",
        ):
            await invoke(transaction, name, name)
            inner = await called(pair.other)
            await inner.complete(payload=name.encode())
            await hear_callee(transaction)
        await transaction.complete()


@conversation("callunknown", "callees that are not there, and channels that are not", "1.10", "A")
async def unknown_callees(talk: Talk) -> None:
    pair = await Pair.of(talk)
    proposal = pair.proposal()
    async with pair.caller.transaction(proposal) as transaction:
        for name in (
            "nobody",
            "nobody:1",
            f"nobody/{pair.channel}",
            "nobody/nowhere",
            f"{talk.name('other')}/nowhere",
            f"{talk.name('other')}/{pair.channel}/more",
            "",
            ":1",
            "/",
            f"/{pair.channel}",
            " ",
            talk.name("OTHER"),
        ):
            await transaction.ask(Msg.INVOKE_CHAINCODE, callee(name, "go"))
        await transaction.complete()


@conversation("callinit", "calling as init is for chaincodes that require it", "1.10")
async def as_init(talk: Talk) -> None:
    pair = await Pair.of(talk)
    async with pair.caller.transaction(pair.proposal()) as transaction:
        spec = callee(talk.name("other"), "go", is_init=True)
        await transaction.ask(Msg.INVOKE_CHAINCODE, spec)
        await transaction.complete()


@conversation("calldamaged", "a call that cannot be decoded, or not as text", "1.10", "1.4")
async def undecodable(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await transaction.ask(Msg.INVOKE_CHAINCODE, b"\x0a\x7fshort")
        await transaction.ask(Msg.INVOKE_CHAINCODE, b"\x12\x03\x12\x01\xff")
        await transaction.complete()


@conversation("calldecorated", "of what a caller gives, the arguments alone arrive", "1.10")
async def decorations(talk: Talk) -> None:
    pair = await Pair.of(talk)
    given = ChaincodeInput(args=[b"go"], decorations={"forged": b"1"})
    given.MergeFromString(b"\xf8\x7f\x01")  # field 2047, which nobody knows
    spec = ChaincodeSpec(
        type=ChaincodeSpec.NODE,
        chaincode_id=ChaincodeID(name=talk.name("other"), path="p", version="9"),
        input=given,
        timeout=1,
    )
    async with pair.caller.transaction(pair.proposal()) as transaction:
        await transaction.say(Msg.INVOKE_CHAINCODE, spec)
        inner = await called(pair.other)
        await inner.complete()
        await hear_callee(transaction)
        await transaction.complete()


@conversation("callself", "a chaincode that calls itself on its own channel fails", "1.10", "A")
async def self_call(talk: Talk) -> None:
    chaincode = await talk.deployed()
    proposal = talk.proposal(talk.name(), "go", channel=await talk.channel())
    async with chaincode.transaction(proposal) as transaction:
        await transaction.ask(Msg.INVOKE_CHAINCODE, callee(talk.name(), "again"))
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()


@conversation("callback", "A calls B, and B may not call A back", "1.10")
async def back_and_forth(talk: Talk) -> None:
    pair = await Pair.of(talk)
    async with pair.caller.transaction(pair.proposal()) as transaction:
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(pair.other)
        await inner.ask(Msg.INVOKE_CHAINCODE, callee(talk.name("caller"), "back"))
        await inner.ask(Msg.INVOKE_CHAINCODE, callee(talk.name("other"), "self"))
        await inner.complete(payload=b"refused")
        await hear_callee(transaction)
        await transaction.complete()


@conversation("callchain", "A calls B, B calls C, and A calls C again", "1.10")
async def chain(talk: Talk) -> None:
    pair = await Pair.of(talk)
    third = await talk.deployed("third")
    proposal = pair.proposal()
    async with pair.caller.transaction(proposal) as transaction:
        await transaction.ask(Msg.PUT_STATE, PutState(key="k", value=b"of A"))
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(pair.other)
        await inner.ask(Msg.PUT_STATE, PutState(key="k", value=b"of B"))
        await invoke(inner, talk.name("third"), "go")
        innermost = await called(third)
        await innermost.ask(Msg.PUT_STATE, PutState(key="k", value=b"of C"))
        await innermost.complete(payload=b"C")
        await hear_callee(inner)
        await inner.complete(payload=b"B")
        await hear_callee(transaction)
        await invoke(transaction, talk.name("third"), "again")
        innermost = await called(third)
        await innermost.ask(Msg.PUT_STATE, PutState(key="l", value=b"of C again"))
        await innermost.complete(payload=b"C again")
        await hear_callee(transaction)
        await transaction.complete()
    await talk.commit(proposal, transaction.answer)
    await talk.block(pair.channel, talk.height(pair.channel) - 1)


@conversation("callinginit", "a chaincode's Init may call others", "1.10", "3.6")
async def from_init(talk: Talk) -> None:
    other = await talk.deployed("other")
    channel = await talk.channel()
    await talk.quietly_install("caller")
    caller = await talk.registered(talk.ccid("caller"))
    async with caller.transaction(talk.deployment("caller", channel, version="1")) as transaction:
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(other)
        await inner.ask(Msg.PUT_STATE, PutState(key="k", value=b"from init"))
        await inner.complete()
        await hear_callee(transaction)
        await transaction.ask(Msg.INVOKE_CHAINCODE, callee(talk.name("caller"), "self"))
        await transaction.complete()


@conversation("callbusy", "while a callee works, its caller's other requests are dropped", "1.10")
async def dropped_meanwhile(talk: Talk) -> None:
    pair = await Pair.of(talk)
    await fill(talk, pair.caller, {"a": b"1"}, base="caller")
    async with pair.caller.transaction(pair.proposal()) as transaction:
        await invoke(transaction, talk.name("other"), "go")
        inner = await called(pair.other)
        await transaction.say(Msg.GET_STATE, GetState(key="a"))
        await transaction.chaincode.line.hear_nothing()
        await inner.complete()
        await hear_callee(transaction)
        await transaction.ask(Msg.GET_STATE, GetState(key="a"))
        await transaction.complete()
