"""Proposals: what is built unpacks, and what is broken is named as Fabric names it."""

from __future__ import annotations

import hashlib

import pytest
from fabric_protos.common.common_pb2 import ChannelHeader, Header, HeaderType
from fabric_protos.peer.chaincode_pb2 import ChaincodeID, ChaincodeInvocationSpec, ChaincodeSpec
from fabric_protos.peer.proposal_pb2 import (
    ChaincodeHeaderExtension,
    ChaincodeProposalPayload,
    Proposal,
    SignedProposal,
)
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.wire import (
    WireError,
    build_proposal,
    compute_tx_id,
    new_nonce,
    payload_for_transaction,
    proposal_hash,
    serialize,
    unpack_proposal,
)


def proposal(signer, **changes):
    values = {"channel_id": "ch", "chaincode_name": "cc", "args": [b"f", b"a"]}
    return build_proposal(signer=signer, **(values | changes))


def test_what_is_built_unpacks(signer):
    built = proposal(signer, transient={"k": b"v"}, is_init=True, tls_cert_hash=b"hash")
    unpacked = unpack_proposal(built.signed)
    assert (unpacked.channel_id, unpacked.tx_id) == ("ch", built.tx_id)
    assert unpacked.chaincode_name == "cc"
    assert list(unpacked.input.args) == [b"f", b"a"]
    assert unpacked.input.is_init
    assert unpacked.spec.type == ChaincodeSpec.GOLANG
    assert dict(unpacked.payload.TransientMap) == {"k": b"v"}
    assert unpacked.creator == signer.serialize()
    assert unpacked.tx_id == compute_tx_id(unpacked.nonce, unpacked.creator)
    assert unpacked.channel_header.tls_cert_hash == b"hash"
    assert unpacked.channel_header.type == HeaderType.ENDORSER_TRANSACTION
    assert unpacked.channel_header.HasField("timestamp")
    assert unpacked.raw == built.proposal_bytes
    assert unpacked.signature == signer.sign(built.proposal_bytes)


def test_two_proposals_never_share_an_id(signer):
    assert proposal(signer).tx_id != proposal(signer).tx_id
    assert len(new_nonce()) == 24


def test_the_transaction_id_is_the_hash_of_nonce_and_creator():
    assert compute_tx_id(b"nonce", b"creator") == hashlib.sha256(b"noncecreator").hexdigest()


@given(st.dictionaries(st.text(max_size=5), st.binary(max_size=5), max_size=4))
def test_the_proposal_hash_ignores_the_transient_map(transient):
    payload = ChaincodeProposalPayload(input=b"input", TransientMap=transient)
    plain = ChaincodeProposalPayload(input=b"input")
    assert payload_for_transaction(serialize(payload)) == serialize(plain)
    expected = hashlib.sha256(b"ch" + b"sh" + serialize(plain)).digest()
    assert proposal_hash(b"ch", b"sh", serialize(payload)) == expected


def test_header_bytes_are_kept_as_received(signer):
    built = proposal(signer)
    parsed = Proposal.FromString(built.proposal_bytes)
    header = Header.FromString(parsed.header)
    # An unknown field: whoever serialises the header anew in another order changes the hash.
    header.channel_header = b"\xfa\x3f\x01x" + header.channel_header
    parsed.header = header.SerializeToString()
    unpacked = unpack_proposal(SignedProposal(proposal_bytes=parsed.SerializeToString()))
    assert unpacked.channel_header_bytes == header.channel_header
    assert unpacked.channel_header.SerializeToString() != header.channel_header
    expected = hashlib.sha256(
        header.channel_header + header.signature_header + unpacked.payload_bytes
    ).digest()
    assert unpacked.hash == expected


def rebuilt(built, *, extension=None, invocation=None):
    parsed = Proposal.FromString(built.proposal_bytes)
    header = Header.FromString(parsed.header)
    channel_header = ChannelHeader.FromString(header.channel_header)
    if extension is not None:
        channel_header.extension = extension
    header.channel_header = channel_header.SerializeToString()
    parsed.header = header.SerializeToString()
    if invocation is not None:
        parsed.payload = ChaincodeProposalPayload(input=invocation).SerializeToString()
    return SignedProposal(proposal_bytes=parsed.SerializeToString())


NAMELESS = ChaincodeHeaderExtension(chaincode_id=ChaincodeID()).SerializeToString()
NO_INPUT = ChaincodeInvocationSpec(chaincode_spec=ChaincodeSpec(type=1)).SerializeToString()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"extension": b""}, "ChaincodeHeaderExtension.ChaincodeId is nil"),
        ({"extension": NAMELESS}, "ChaincodeHeaderExtension.ChaincodeId.Name is empty"),
        (
            {"extension": b"\xff"},
            "error unmarshalling ChaincodeHeaderExtension: "
            "proto: cannot parse invalid wire-format data",
        ),
        ({"invocation": b""}, "chaincode invocation spec did not contain chaincode spec"),
        ({"invocation": NO_INPUT}, "chaincode input did not contain any input"),
        (
            {"invocation": b"\xff"},
            "error unmarshalling ChaincodeInvocationSpec: "
            "proto: cannot parse invalid wire-format data",
        ),
    ],
)
def test_broken_proposals_are_named_as_fabric_names_them(signer, changes, text):
    with pytest.raises(WireError) as error:
        unpack_proposal(rebuilt(proposal(signer), **changes))
    assert str(error.value) == text


def test_an_empty_proposal_has_no_chaincode_id():
    with pytest.raises(WireError, match="ChaincodeId is nil"):
        unpack_proposal(SignedProposal())


@given(st.binary(max_size=60))
def test_garbage_raises_nothing_but_the_wire_error(data):
    try:
        unpack_proposal(SignedProposal(proposal_bytes=data))
    except WireError:
        return
