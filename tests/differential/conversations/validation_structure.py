"""The parts of an endorsed transaction, and what does not fit together (wire §5.1, §5.4, §5.5)."""

from __future__ import annotations

from fabric_protos.ledger.rwset.kvrwset.kv_rwset_pb2 import KVRWSet, KVWrite
from fabric_protos.ledger.rwset.rwset_pb2 import NsReadWriteSet, TxReadWriteSet
from fabric_protos.peer.chaincode_event_pb2 import ChaincodeEvent
from fabric_protos.peer.chaincode_pb2 import ChaincodeID
from fabric_protos.peer.proposal_response_pb2 import ProposalResponsePayload, Response
from fabric_protos.peer.transaction_pb2 import Transaction
from harness.crafting import results, write_set
from harness.differential.blocks_talk import BlocksTalk
from harness.differential.catalog import conversation

WRITTEN = write_set(writes={"k": "v"})


@conversation("valactions", "a transaction has exactly one action", "5.1", "5.4", rig="blocks")
async def actions(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(
        talk.forge(),
        talk.forge(actions=0),
        talk.forge(actions=2),
        talk.forge(data=b""),
        talk.forge(data=b"\xff"),
        talk.forge(data=Transaction(actions=[{}]).SerializeToString()),
        talk.forge(action_payload=b"\xff"),
    )


@conversation("valhashes", "the endorsed proposal is the one of the envelope", "5.1", rig="blocks")
async def hashes(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(
        talk.forge(proposal_hash=b""),
        talk.forge(proposal_hash=b"x"),
        talk.forge(proposal_hash=b"x" * 32),
        talk.forge(response_payload=b""),
        talk.forge(response_payload=b"\xff"),
        talk.forge(response_payload=ProposalResponsePayload().SerializeToString()),
    )


@conversation(
    "valextensions", "the header's extension names the chaincode that answered", "5.5", rig="blocks"
)
async def extensions(talk: BlocksTalk) -> None:
    await talk.open(deployed=("probe", "other"))
    await talk.commit(
        talk.forge(header_extension=b"\xff"),
        talk.forge(header_extension=b""),
        talk.forge(header_extension=b"\x12\x00"),
        talk.forge(header_extension=b"\x12\x07\x12\x05other"),
        talk.forge(header_extension=b"\x12\x07\x12\x05probe"),
        talk.forge(header_extension=b"\x0a\x01x\x12\x07\x12\x05probe"),
        talk.forge(header_extension=b"\x12\x0b\x12\x05probe\x1a\x02v9"),
        talk.forge(called=ChaincodeID(name="other", version="1")),
        talk.forge(called=ChaincodeID(name="probe")),
        talk.forge(called=ChaincodeID(version="1")),
        talk.forge(called=ChaincodeID(name="probe", version="1", path="elsewhere")),
    )


@conversation(
    "valanswers",
    "what a chaincode answered does not make its transaction invalid",
    "5.5",
    rig="blocks",
)
async def answers(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(
        talk.forge(response=Response(status=500, message="failed")),
        talk.forge(response=Response(status=400)),
        talk.forge(response=Response()),
        talk.forge(response=Response(status=-1, payload=b"x" * 100)),
        talk.forge(action=b""),
        talk.forge(action=b"\x1a\x00"),
    )


@conversation("valevents", "an event must be of the called chaincode", "5.5", rig="blocks")
async def events(talk: BlocksTalk) -> None:
    await talk.open(deployed=("probe", "other"))

    def event(**fields: str) -> bytes:
        return ChaincodeEvent(**fields).SerializeToString()  # type: ignore[arg-type]

    await talk.commit(
        talk.forge(events=event(chaincode_id="probe", event_name="e")),
        talk.forge(events=event(chaincode_id="probe", event_name="e", tx_id="of another")),
        talk.forge(events=event(chaincode_id="other", event_name="e")),
        talk.forge(events=event(chaincode_id="probe:1", event_name="e")),
        talk.forge(events=event(event_name="e")),
        talk.forge(events=event(chaincode_id="probe")),
        talk.forge(events=b"\xff"),
    )


@conversation("valrwsets", "read-write sets that cannot be read are BAD_RWSET", "5.5", rig="blocks")
async def unreadable(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(
        talk.forge(results=b"\xff"),
        talk.forge(results=results(("probe", b"\xff"))),
        talk.forge(results=results(("probe", WRITTEN), ("other", b"\xff"))),
        talk.forge(results=b""),
        talk.forge(results=results(("probe", b""))),
        talk.forge(results=results()),
    )


@conversation(
    "valmodels", "the data model of a read-write set is not looked at", "5.5", rig="blocks"
)
async def models(talk: BlocksTalk) -> None:
    await talk.open()
    content = NsReadWriteSet(namespace="probe", rwset=WRITTEN.SerializeToString())
    for model in (1, 7):
        whole = TxReadWriteSet(ns_rwset=[content])
        whole.data_model = model  # type: ignore[assignment]
        await talk.commit(talk.forge(results=whole.SerializeToString()))
    extra = TxReadWriteSet(ns_rwset=[content]).SerializeToString() + b"\xf8\x7f\x01"
    await talk.commit(talk.forge(results=extra))


@conversation(
    "valnamespaces",
    "a transaction writes where it is entitled to, each namespace once",
    "5.5",
    rig="blocks",
)
async def namespaces(talk: BlocksTalk) -> None:
    await talk.open(deployed=("probe", "other"))
    read = write_set(reads={"k": None})
    await talk.commit(
        talk.forge(results=results(("probe", WRITTEN), ("probe", WRITTEN))),
        talk.forge(results=results(("probe", read), ("probe", read))),
        talk.forge(results=results(("other", WRITTEN))),
        talk.forge(results=results(("other", WRITTEN), ("probe", WRITTEN))),
        talk.forge(results=results(("nobody", WRITTEN))),
        talk.forge(results=results(("nobody", read))),
        talk.forge(results=results(("", WRITTEN))),
        talk.forge(results=results(("_lifecycle", WRITTEN))),
        talk.forge(results=results(("probe ", WRITTEN))),
    )


@conversation(
    "valsystem", "chaincodes write to no system chaincode's namespace", "5.5", "3.8", rig="blocks"
)
async def system_namespaces(talk: BlocksTalk) -> None:
    await talk.open()
    names = ("lscc", "cscc", "qscc", "vscc", "escc")
    await talk.commit(*(talk.forge(results=results((name, WRITTEN))) for name in names))
    policies = write_set(policies={"k": "Org1MSP"})
    await talk.commit(*(talk.forge(results=results((name, policies))) for name in names))
    reads = write_set(reads={"k": None})
    await talk.commit(*(talk.forge(results=results((name, reads))) for name in names))


@conversation(
    "valcalled", "invocations of system chaincodes that can be committed", "5.5", rig="blocks"
)
async def called(talk: BlocksTalk) -> None:
    await talk.open()
    cast = talk.cast
    names = ("vscc", "escc", "cscc", "qscc", "lscc")
    await talk.commit(*(talk.forge(chaincode=name, results=b"") for name in names))
    await talk.commit(
        talk.forge(chaincode="qscc", version="anything", results=b""),
        talk.forge(cast.peer2, chaincode="qscc", results=b""),
        talk.forge(cast.client, chaincode="qscc", results=b""),
        talk.forge(cast.orderer, chaincode="qscc", results=b""),
        talk.forge(cast.stranger, chaincode="qscc", results=b""),
        talk.forge(chaincode="qscc", results=b"", endorsers=[]),
    )


@conversation(
    "valversions",
    "the called chaincode is defined, in the version that was called",
    "5.5",
    rig="blocks",
)
async def versions(talk: BlocksTalk) -> None:
    await talk.open()
    await talk.commit(
        talk.forge(version="1"),
        talk.forge(version="2"),
        talk.forge(version=""),
        talk.forge(chaincode="nobody"),
        talk.forge(chaincode="other"),
        talk.forge(chaincode=""),
        talk.forge(chaincode="probe~collection"),
    )


@conversation(
    "vallast", "an action that cannot be read is BAD_RESPONSE_PAYLOAD", "5.5", rig="blocks"
)
async def unreadable_action(talk: BlocksTalk) -> None:
    """As the last of its block: a real peer waits for ever with whatever comes behind."""
    await talk.open()
    await talk.commit(talk.forge(), talk.forge(action=b"\xff"))
    await talk.commit(talk.forge())


@conversation("valkeys", "a written key must be text that is not empty", "5.6", "5.4", rig="blocks")
async def keys(talk: BlocksTalk) -> None:
    await talk.open()
    raw = KVRWSet(writes=[KVWrite(key="abc", value=b"v")]).SerializeToString()
    not_text = raw.replace(b"abc", b"a\xffc")
    await talk.commit(talk.effect(write_set(writes={"": "v"})))
    await talk.commit(talk.effect(write_set(writes={"": ""})))
    await talk.commit(
        talk.effect(write_set(policies={"": "Org1MSP"})),
        talk.effect(write_set(reads={"": None})),
        talk.forge(results=results(("probe", not_text))),
        talk.change(a="1"),
    )
    await talk.probe("range  ")
