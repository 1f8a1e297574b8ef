"""Hand-written encodings, held against protobuf's own."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import ChannelHeader
from fabric_protos.gateway.gateway_pb2 import ErrorDetail
from fabric_protos.peer.chaincode_pb2 import CDSData, ChaincodeID
from fabric_protos.peer.proposal_pb2 import ChaincodeHeaderExtension
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.any_pb2 import Any
from hypothesis import given
from hypothesis import strategies as st
from treadle_fabric.wire import (
    WireError,
    encode_signed_cds_data,
    encode_status,
    has_payload_visibility,
    length_delimited_fields,
)


def status_class():
    """google.rpc.Status, built here because no package brings it."""
    file = descriptor_pb2.FileDescriptorProto(
        name="status.proto",
        package="rpc",
        syntax="proto3",
        dependency=["google/protobuf/any.proto"],
    )
    message = file.message_type.add(name="Status")
    field = descriptor_pb2.FieldDescriptorProto
    message.field.add(name="code", number=1, type=field.TYPE_INT32, label=1)
    message.field.add(name="message", number=2, type=field.TYPE_STRING, label=1)
    message.field.add(
        name="details",
        number=3,
        type=field.TYPE_MESSAGE,
        type_name=".google.protobuf.Any",
        label=field.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    any_file = descriptor_pb2.FileDescriptorProto()
    Any.DESCRIPTOR.file.CopyToProto(any_file)
    pool.Add(any_file)
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("rpc.Status"))


@given(st.integers(0, 2**31 - 1), st.text(max_size=200), st.lists(st.text(max_size=5), max_size=3))
def test_a_status_reads_back_by_protobuf(code, message, addresses):
    details = [ErrorDetail(address=address, msp_id="Org1MSP") for address in addresses]
    status = status_class().FromString(encode_status(code, message, details))
    assert (status.code, status.message) == (code, message)
    assert [detail.type_url for detail in status.details] == (
        ["type.googleapis.com/gateway.ErrorDetail"] * len(details)
    )
    assert [ErrorDetail.FromString(detail.value) for detail in status.details] == details


@given(st.binary(max_size=40), st.binary(max_size=40), st.binary(max_size=200))
def test_signed_package_data_extends_that_of_plain_packages(code_hash, metadata_hash, signatures):
    encoded = encode_signed_cds_data(code_hash, metadata_hash, signatures)
    plain = CDSData(hash=code_hash, metadatahash=metadata_hash).SerializeToString()
    assert encoded.startswith(plain)
    expected = [(1, code_hash), (2, metadata_hash), (3, signatures)]
    assert list(length_delimited_fields(encoded)) == [pair for pair in expected if pair[1]]


def test_payload_visibility_is_found_where_it_is():
    plain = ChaincodeHeaderExtension(chaincode_id=ChaincodeID(name="cc")).SerializeToString()
    assert not has_payload_visibility(plain)
    assert not has_payload_visibility(b"\x0a\x00" + plain)
    assert has_payload_visibility(b"\x0a\x01x" + plain)


def test_other_wire_types_are_skipped():
    header = ChannelHeader(type=3, epoch=300, channel_id="ch")
    fixed = b"\x79" + b"12345678" + b"\x7d" + b"1234"
    data = header.SerializeToString() + fixed
    assert list(length_delimited_fields(data)) == [(4, b"ch")]


@pytest.mark.parametrize("data", [b"\x0a\x05x", b"\x0a", b"\xff" * 11, b"\x0b", b"\x7d12"])
def test_malformed_bytes_are_refused(data):
    with pytest.raises(WireError):
        list(length_delimited_fields(data))
