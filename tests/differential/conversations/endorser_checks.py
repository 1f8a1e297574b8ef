"""What the endorser checks of a proposal, in which order, with which texts (wire §4.2, §4.3)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec, utils
from fabric_protos.common.common_pb2 import ChannelHeader, Header, SignatureHeader
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from fabric_protos.peer.chaincode_pb2 import (
    ChaincodeID,
    ChaincodeInput,
    ChaincodeInvocationSpec,
    ChaincodeSpec,
)
from fabric_protos.peer.proposal_pb2 import ChaincodeHeaderExtension, ChaincodeProposalPayload
from harness.differential.catalog import conversation
from harness.differential.talk import Talk
from treadle_fabric.identity.signatures import curve_order
from treadle_fabric.wire import serialize

RUBBISH = b"\xff\xff"


async def _draft(talk: Talk, channel: str, **parts: object) -> None:
    """A proposal that is as it should be but for *parts*, to a chaincode nobody has."""
    signer = parts.pop("signer", None)
    draft = talk.draft("nobody", "go", channel=channel, signer=signer, **parts)
    await talk.endorse(draft.build())


@conversation("checkempty", "an empty proposal is refused, layer by layer", "4.2", "4.3")
async def empty_layers(talk: Talk) -> None:
    channel = await talk.channel()
    for part in (
        *("proposal", "header", "payload", "channel_header", "signature_header"),
        *("extension", "input", "signature"),
    ):
        await _draft(talk, channel, **{part: b""})


@conversation("checkrubbish", "each layer of a proposal must be readable", "4.2", "4.3")
async def unreadable_layers(talk: Talk) -> None:
    channel = await talk.channel()
    for part in (
        *("proposal", "header", "payload", "channel_header", "signature_header"),
        *("extension", "input", "signature"),
    ):
        for rubbish in (RUBBISH, b"rubbish", b"\x0a\x05a"):
            await _draft(talk, channel, **{part: rubbish})


@conversation("checkdoubly", "the outermost unreadable layer is the one that is named", "4.2")
async def doubly_unreadable(talk: Talk) -> None:
    channel = await talk.channel()
    await _draft(talk, channel, channel_header=RUBBISH, signature_header=RUBBISH)
    await _draft(talk, channel, signature_header=RUBBISH, extension=RUBBISH)
    await _draft(talk, channel, extension=RUBBISH, payload=RUBBISH)
    await _draft(talk, channel, extension=b"", payload=RUBBISH)
    await _draft(talk, channel, payload=RUBBISH, header_type=99)
    await _draft(talk, "nowhere", input=RUBBISH)


@conversation("checkextension", "the header extension names a chaincode", "4.2")
async def extension(talk: Talk) -> None:
    channel = await talk.channel()
    for chaincode_id in (ChaincodeID(), ChaincodeID(path="p", version="1")):
        content = serialize(ChaincodeHeaderExtension(chaincode_id=chaincode_id))
        await _draft(talk, channel, extension=content)
    visible = serialize(ChaincodeHeaderExtension(chaincode_id=ChaincodeID(name="nobody")))
    await _draft(talk, channel, extension=b"\x0a\x01v" + visible)


@conversation("checkinput", "the payload holds a specification with an input", "4.2")
async def chaincode_input(talk: Talk) -> None:
    channel = await talk.channel()
    named = ChaincodeSpec(chaincode_id=ChaincodeID(name="nobody"))
    await _draft(talk, channel, input=serialize(ChaincodeInvocationSpec(chaincode_spec=named)))
    bare = ChaincodeInvocationSpec(chaincode_spec=ChaincodeSpec(input=ChaincodeInput()))
    await _draft(talk, channel, input=serialize(bare))
    await _draft(talk, channel, payload=serialize(ChaincodeProposalPayload(input=b"\x0a\x00")))


@conversation("checktypes", "only transactions and configurations are proposed", "4.2")
async def header_types(talk: Talk) -> None:
    channel = await talk.channel()
    for number in (0, 1, 2, 4, 5, 6, 7, 8, 99, -1):
        await _draft(talk, channel, header_type=number)
        await _draft(talk, "", header_type=number)


@conversation("checkepoch", "the epoch is zero", "4.2")
async def epoch(talk: Talk) -> None:
    channel = await talk.channel()
    for number in (1, 2**64 - 1):
        await _draft(talk, channel, epoch=number)
    await _draft(talk, channel, epoch=1, header_type=2)


@conversation("checktxid", "the transaction id is the hash of nonce and creator", "4.2")
async def tx_id(talk: Talk) -> None:
    channel = await talk.channel()
    for text in ("", "x", "0" * 64):
        await _draft(talk, channel, tx_id=text)
        await _draft(talk, "", tx_id=text)
    good = talk.draft("nobody", "go", channel=channel).build()
    await _draft(talk, channel, tx_id=good.tx_id.upper())
    await _draft(talk, channel, tx_id="x", epoch=1)
    await _draft(talk, channel, tx_id="x", signature=b"x")
    await _draft(talk, channel, tx_id="x", signature=b"")


@conversation("checknonce", "there is a nonce, of any length, and a creator", "4.2")
async def nonce(talk: Talk) -> None:
    channel = await talk.channel()
    for given in (b"", b"n", b"n" * 1000):
        await _draft(talk, channel, nonce=given)
    await _draft(talk, channel, creator=b"")
    await _draft(talk, channel, creator=b"", nonce=b"")
    await _draft(talk, channel, creator=b"", nonce=b"n", tx_id="x")
    await _draft(talk, channel, nonce=b"", epoch=1)


@conversation("checkcreators", "the creator is an identity that the channel knows", "4.2")
async def creators(talk: Talk) -> None:
    channel = await talk.channel()
    certificate = SerializedIdentity.FromString(talk.cast.client.serialize()).id_bytes
    second = certificate + SerializedIdentity.FromString(talk.cast.admin.serialize()).id_bytes
    for creator in (
        RUBBISH,
        b"rubbish",
        serialize(SerializedIdentity(mspid="Org1MSP")),
        serialize(SerializedIdentity(mspid="Org1MSP", id_bytes=b"no certificate")),
        serialize(SerializedIdentity(mspid="Org1MSP", id_bytes=certificate[:-40])),
        serialize(SerializedIdentity(mspid="Org1MSP", id_bytes=second)),
        serialize(SerializedIdentity(mspid="Org1MSP", id_bytes=b"\n" + certificate)),
        serialize(SerializedIdentity(mspid="Org1MSP", id_bytes=b"x" + certificate)),
        serialize(SerializedIdentity(mspid="NobodyMSP", id_bytes=certificate)),
        serialize(SerializedIdentity(mspid="OrdererMSP", id_bytes=certificate)),
        serialize(SerializedIdentity(mspid="", id_bytes=certificate)),
        serialize(SerializedIdentity(id_bytes=certificate)),
    ):
        await _draft(talk, channel, creator=creator)
        await _draft(talk, "", creator=creator)


@conversation("checksigners", "whose certificate the channel does not accept is refused", "4.2")
async def signers(talk: Talk) -> None:
    channel = await talk.channel()
    cast = talk.cast
    for signer in (cast.stranger, cast.false_admin, cast.client2, cast.admin2):
        await _draft(talk, channel, signer=signer)
        await _draft(talk, "", signer=signer)
    await _draft(talk, "", signer=cast.orderer)


@conversation("checkexpired", "an expired identity is refused before anything is looked at", "4.2")
async def expired(talk: Talk) -> None:
    channel = await talk.channel()
    signer = talk.cast.expired
    for where in (channel, "", "nowhere"):
        await _draft(talk, where, signer=signer)
    for part in ("payload", "channel_header", "extension", "signature"):
        await _draft(talk, channel, signer=signer, **{part: RUBBISH})
    await _draft(talk, channel, signer=signer, signature_header=RUBBISH)


@conversation("checksignature", "the signature is the creator's over the proposal, low-S", "4.2")
async def signature(talk: Talk) -> None:
    channel = await talk.channel()
    good = talk.draft("nobody", "go", channel=channel).build()
    client, proposal = talk.cast.client, good.proposal_bytes
    signed = client.sign(proposal)
    for wrong in (
        b"x",
        client.sign(b"something else"),
        talk.cast.admin.sign(proposal),
        signed[:-1],
        signed + b"\0",
        _high_s(signed),
    ):
        await _draft(talk, channel, proposal=proposal, signature=wrong)
    await _draft(talk, channel, proposal=proposal)


def _high_s(signature: bytes) -> bytes:
    r, s = utils.decode_dss_signature(signature)
    return utils.encode_dss_signature(r, curve_order(ec.SECP256R1()) - s)


@conversation("checkchannel", "an unknown channel is an answer, not a failed call", "4.2", "4.3")
async def unknown_channel(talk: Talk) -> None:
    for name in ("nowhere", "bad channel", "NOWHERE", "\n"):
        await _draft(talk, name)
    await _draft(talk, "nowhere", epoch=1)
    await _draft(talk, "nowhere", tx_id="x")
    await _draft(talk, "nowhere", signature=b"")
    await _draft(talk, "nowhere", signer=talk.cast.stranger)


@conversation("checkduplicate", "a committed transaction is not proposed again", "4.2", "4.3")
async def duplicate(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel)
    for _ in range(2):
        async with chaincode.transaction(proposal) as call:
            await call.complete()
    await talk.commit(proposal, call.answer)
    await talk.endorse(proposal)
    question = talk.proposal("lscc", "getid", channel, talk.name(), channel=channel)
    await talk.commit(question, await talk.endorse(question))
    await talk.endorse(question)
    await chaincode.line.hear_nothing()


@conversation("checkwriters", "who may not write to the channel may not propose", "4.2", "4.3")
async def writers(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for name in (talk.name(), "nobody"):
        proposal = talk.proposal(name, "go", channel=channel, signer=talk.cast.orderer)
        await talk.endorse(proposal)
    await chaincode.line.hear_nothing()


@conversation("checkconfigtype", "a proposal of type CONFIG is endorsed", "4.2", "4.5")
async def config_type(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    proposal = talk.proposal(talk.name(), "go", channel=channel, header_type=1)
    async with chaincode.transaction(proposal) as call:
        await call.complete()


@conversation("checkloose", "version, time, TLS hash and types of a proposal are not judged", "4.2")
async def loose(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    for parts in (
        {"version": 7},
        {"version": -1},
        {"seconds": 0},
        {"seconds": -1},
        {"seconds": 2**40},
        {"tls_cert_hash": b"some hash"},
        {"nonce": b"short"},
    ):
        proposal = talk.proposal(talk.name(), "go", channel=channel, **parts)
        async with chaincode.transaction(proposal) as call:
            await call.complete()


@conversation("checknames", "the header's extension says which chaincode is called", "4.2", "4.5")
async def names(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    other = ChaincodeSpec(
        chaincode_id=ChaincodeID(path="p", name="other", version="9"),
        input=ChaincodeInput(args=[b"go"]),
    )
    content = serialize(ChaincodeInvocationSpec(chaincode_spec=other))
    routed = ChaincodeID(path="path", name=talk.name(), version="99")
    header = serialize(ChaincodeHeaderExtension(chaincode_id=routed))
    draft = talk.draft("other", channel=channel, extension=header, input=content)
    async with chaincode.transaction(draft.build()) as call:
        await call.complete()


@conversation("checkunknownfields", "unknown fields are kept in hash and block", "4.2", "4.5")
async def unknown_fields(talk: Talk) -> None:
    chaincode = await talk.deployed("probe")
    channel = await talk.channel()
    draft = talk.draft(talk.name(), "go", channel=channel, transient={"t": b"1"})
    extra = b"\xa2\x06\x01x"  # field 100
    creator = talk.cast.client.serialize()
    tx_id = draft.build().tx_id
    draft.channel_header = serialize(draft._channel_header(tx_id)) + extra
    names = SignatureHeader(creator=creator, nonce=draft._nonce())
    draft.signature_header = serialize(names) + extra
    parts = Header(channel_header=draft.channel_header, signature_header=draft.signature_header)
    draft.header = serialize(parts) + extra
    draft.payload = serialize(draft._payload()) + extra
    proposal = draft.build()
    async with chaincode.transaction(proposal) as call:
        await call.complete()
    await talk.commit(proposal, call.answer)
    await talk.block(channel, talk.height(channel) - 1)
    assert ChannelHeader.FromString(draft.channel_header).tx_id == tx_id
