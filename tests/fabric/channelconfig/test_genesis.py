"""Genesis blocks of our own making."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from fabric_protos.common.common_pb2 import ChannelHeader, SignatureHeader
from treadle_fabric.channelconfig import (
    V1_4_2,
    V2_0,
    V2_5,
    BatchOptions,
    Bundle,
    ConfigError,
    genesis_block,
)
from treadle_fabric.policy import PolicyError, SignedData
from treadle_fabric.wire import (
    block_data_hash,
    channel_id_of,
    compute_tx_id,
    first_payload,
    is_config_block,
    last_config_index,
    parse,
)


def signed(signer, data=b"data"):
    return [SignedData(data=data, identity=signer.serialize(), signature=signer.sign(data))]


@pytest.mark.parametrize("capability", [V1_4_2, V2_0, V2_5])
def test_a_genesis_block_loads_as_its_own_channel(network, capability):
    bundle = Bundle.from_block(network.genesis(capability=capability))
    assert bundle.channel_id == "mychannel"
    assert bundle.application.capabilities.names == {capability}
    assert bundle.application.capabilities.v2_lifecycle is (capability != V1_4_2)
    assert sorted(bundle.msps.msp_ids) == ["OrdererMSP", "Org1MSP", "Org2MSP"]
    assert bundle.application.orgs[0].anchor_peers == ("peer0:7051",)


def test_the_same_input_gives_the_same_bytes(network):
    first, second = network.genesis(), network.genesis()
    assert first.SerializeToString() == second.SerializeToString()


def test_channels_differ_in_transaction_id(network):
    one, other = (first_payload(network.genesis(channel_id=name)) for name in ("one", "other"))
    ids = [parse(ChannelHeader, payload.header.channel_header).tx_id for payload in (one, other)]
    assert ids[0] != ids[1]


def test_a_genesis_block_has_the_shape_that_configtxgen_gives_it(network, golden):
    ours, theirs = network.genesis(), golden.block("whole")
    assert ours.header.number == 0
    assert ours.header.previous_hash == b""
    assert ours.header.data_hash == block_data_hash(ours.data.data)
    assert list(ours.metadata.metadata) == list(theirs.metadata.metadata)
    assert last_config_index(ours) == 0
    assert is_config_block(ours)
    assert channel_id_of(ours) == "mychannel"


def test_its_transaction_id_is_computed_without_a_creator(network):
    header = first_payload(network.genesis()).header
    signature_header = parse(SignatureHeader, header.signature_header)
    channel_header = parse(ChannelHeader, header.channel_header)
    assert signature_header.creator == b""
    assert channel_header.tx_id == compute_tx_id(signature_header.nonce, b"")
    assert channel_header.version == 1


def test_the_time_in_the_header_can_be_given(network):
    created = datetime(2026, 11, 23, tzinfo=UTC)
    block = genesis_block(
        channel_id="mychannel",
        organizations=network.definitions(),
        orderer_organization=network.orderer_definition(),
        orderer_addresses=["127.0.0.1:7050"],
        created=created,
    )
    header = parse(ChannelHeader, first_payload(block).header.channel_header)
    assert header.timestamp.ToDatetime(tzinfo=UTC) == created


def test_batch_options_reach_the_orderer_configuration(network):
    block = genesis_block(
        channel_id="mychannel",
        organizations=network.definitions(),
        orderer_organization=network.orderer_definition(),
        orderer_addresses=["a:1", "b:2"],
        batch=BatchOptions(max_message_count=7, timeout=0.25),
    )
    orderer = Bundle.from_block(block).orderer
    assert (orderer.max_message_count, orderer.batch_timeout) == (7, 0.25)
    assert orderer.addresses == ("a:1", "b:2")


@pytest.mark.parametrize(
    ("path", "allowed", "refused"),
    [
        ("/Channel/Writers", "client1", None),
        ("/Channel/Application/Writers", "client1", "orderer_admin"),
        ("/Channel/Application/Org1/Admins", "admin1", "client1"),
        ("/Channel/Application/Org2/Writers", "admin2", "client1"),
        ("/Channel/Orderer/BlockValidation", "orderer_admin", "client1"),
        ("/Channel/Application/Endorsement", None, "client1"),
        ("/Channel/Application/LifecycleEndorsement", None, "admin2"),
        ("/Channel/Application/Admins", None, "admin1"),
    ],
)
def test_the_default_policies_let_in_whom_fabrics_do(network, bundle, path, allowed, refused):
    policy = bundle.policies.policy(path)
    if allowed:
        policy.evaluate(signed(getattr(network, allowed)))
    if refused:
        with pytest.raises(PolicyError):
            policy.evaluate(signed(getattr(network, refused)))


def test_majority_policies_are_satisfied_by_both_organisations(network, bundle):
    both = signed(network.admin1) + signed(network.admin2)
    for name in ("Admins", "Endorsement", "LifecycleEndorsement"):
        bundle.policies.policy(f"/Channel/Application/{name}").evaluate(both)


@pytest.mark.parametrize(
    ("channel_id", "text"),
    [
        ("", "channel ID illegal, cannot be empty"),
        ("a" * 250, "cannot be longer than 249"),
        ("Upper", "'Upper' contains illegal characters"),
        ("with_underscore", "contains illegal characters"),
    ],
)
def test_illegal_channel_names_are_refused(network, channel_id, text):
    with pytest.raises(ConfigError, match=text):
        network.genesis(channel_id=channel_id)


def test_an_unknown_capability_is_refused(network):
    with pytest.raises(ConfigError, match="V3_0 is not one of V1_4_2, V2_0, V2_5"):
        network.genesis(capability="V3_0")
