"""Agreement with blocks and transactions of the real Fabric tools (golden/README.md)."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import Envelope, Payload
from fabric_protos.common.configtx_pb2 import ConfigEnvelope, ConfigUpdate
from treadle_fabric.channelconfig import (
    Bundle,
    ConfigError,
    compute_update,
    config_from_creation,
    creation_update,
    propose_creation,
    propose_update,
    read_update,
    read_update_envelope,
    validate_config,
)
from treadle_fabric.msp import MSPVersion
from treadle_fabric.wire import block_data_hash, block_header_hash, parse


def update_of(envelope: ConfigEnvelope) -> ConfigUpdate:
    return read_update(read_update_envelope(envelope.last_update))


def test_a_block_of_configtxgen_loads_with_its_organisations_and_capabilities(golden):
    bundle = Bundle.from_block(golden.block("whole"))
    assert bundle.channel_id == f"{golden.level}-whole"
    assert bundle.sequence == 0
    assert [(org.name, org.msp_id) for org in bundle.application.orgs] == [
        ("Org1", "Org1MSP"),
        ("Org2", "Org2MSP"),
    ]
    assert bundle.application.orgs[0].anchor_peers == ("peer0.org1.example.com:7051",)
    assert bundle.application.capabilities.v2_lifecycle is (golden.level == "current")
    assert bundle.application.capabilities.purge_private_data is (golden.level == "current")
    assert bundle.application.capabilities.key_level_endorsement
    assert bundle.capabilities.msp_version is MSPVersion.V1_4_3


def test_batch_settings_of_configtxgen_are_read(golden):
    orderer = Bundle.from_block(golden.block("whole")).orderer
    assert orderer.consensus_type == "solo"
    assert orderer.max_message_count == 500
    assert orderer.absolute_max_bytes == 10 * 1024 * 1024
    assert orderer.preferred_max_bytes == 2 * 1024 * 1024
    assert orderer.batch_timeout == 2.0
    assert orderer.addresses == ("127.0.0.1:37250",)


def test_acls_become_absolute_policy_paths(golden):
    acls = Bundle.from_block(golden.block("created")).application.acls
    expected = {
        "event/Block": "/Channel/Application/Readers",
        "peer/Propose": "/Channel/Application/Writers",
    }
    assert acls == (expected if golden.level == "current" else {})


def test_the_creation_transaction_of_configtxgen_gives_the_orderers_configuration(golden):
    update = read_update(read_update_envelope(golden.creation()))
    config = config_from_creation(update, system=golden.system())
    assert config == golden.envelope("created").config
    assert config.sequence == 1


def test_the_signed_creation_transaction_is_authorised_as_by_the_orderer(golden):
    created = golden.envelope("created")
    assert propose_creation(created.last_update, system=golden.system()) == created


def test_the_unsigned_creation_transaction_is_refused(golden):
    with pytest.raises(ConfigError, match="0 sub-policies were satisfied, but this policy"):
        propose_creation(golden.creation(), system=golden.system())


def test_our_creation_update_is_the_one_of_configtxgen(golden):
    theirs = read_update(read_update_envelope(golden.creation()))
    if golden.level == "current":
        del theirs.write_set.groups["Application"].values["ACLs"]
    ours = creation_update(
        channel_id=golden.level,
        consortium="SampleConsortium",
        organizations=["Org1", "Org2"],
        capabilities=["V2_5" if golden.level == "current" else "V1_4_2"],
    )
    assert ours == theirs


def test_an_update_signed_by_the_real_cli_gives_the_orderers_next_configuration(golden):
    updated = golden.envelope("updated")
    bundle = Bundle.from_block(golden.block("created"))
    assert propose_update(bundle, updated.last_update) == updated


def test_the_orderers_update_validates_on_the_peers_side(golden):
    bundle = Bundle.from_block(golden.block("created"))
    successor = validate_config(bundle, golden.envelope("updated"))
    assert successor.sequence == 2
    assert successor.application.acls == {"qscc/GetChainInfo": "/Channel/Application/Writers"}


def test_an_update_by_one_admin_of_two_is_refused(golden):
    last_update = golden.envelope("updated").last_update
    content = read_update_envelope(last_update)
    del content.signatures[1:]
    single = repacked(last_update, content)
    bundle = Bundle.from_block(golden.block("created"))
    with pytest.raises(ConfigError, match="1 sub-policies were satisfied, but this policy requ"):
        propose_update(bundle, single)


def test_compute_update_agrees_with_configtxlator(golden):
    original = golden.envelope("created").config
    updated = golden.envelope("updated").config
    theirs = update_of(golden.envelope("updated"))
    assert compute_update(original, updated, channel_id=golden.level) == theirs


def test_hashes_of_real_blocks_agree(golden):
    created, updated = golden.block("created"), golden.block("updated")
    assert block_header_hash(created.header) == updated.header.previous_hash
    assert block_data_hash(updated.data.data) == updated.header.data_hash


def repacked(envelope, content):
    payload = parse(Payload, envelope.payload)
    payload.data = content.SerializeToString()
    return Envelope(payload=payload.SerializeToString(), signature=envelope.signature)
