"""Configurations that must not load, each with Fabric's text."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import Block
from fabric_protos.common.configtx_pb2 import Config
from fabric_protos.common.configuration_pb2 import (
    BlockDataHashingStructure,
    Capabilities,
    Capability,
    HashingAlgorithm,
    OrdererAddresses,
)
from fabric_protos.msp.msp_config_pb2 import FabricMSPConfig, MSPConfig
from fabric_protos.orderer.configuration_pb2 import (
    BatchSize,
    BatchTimeout,
    ConsensusType,
    KafkaBrokers,
)
from fabric_protos.peer.configuration_pb2 import ACLs, APIResource
from treadle_fabric.channelconfig import Bundle, ConfigError, read_config_block


def put(group, key, message):
    group.values[key].value = message.SerializeToString()


def capabilities(*names):
    return Capabilities(capabilities={name: Capability() for name in names})


def hashing(root):
    put(root, "HashingAlgorithm", HashingAlgorithm(name="MD5"))


def width(root):
    put(root, "BlockDataHashingStructure", BlockDataHashingStructure(width=2))


def addresses(root):
    put(root, "OrdererAddresses", OrdererAddresses())
    put(root, "Capabilities", capabilities("V1_3"))


def unknown_value(root):
    root.values["Surprise"].value = b""


def unreadable_value(root):
    root.groups["Orderer"].values["BatchSize"].value = b"\xff"


def unknown_group(root):
    root.groups["Surprise"].mod_policy = "Admins"


def no_application(root):
    del root.groups["Application"]


def no_orderer(root):
    del root.groups["Orderer"]


def channel_capability(root):
    put(root, "Capabilities", capabilities("V2_0", "V3_0"))


def application_capability(root):
    put(root.groups["Application"], "Capabilities", capabilities("V9"))


def no_orderer_support(root):
    del root.groups["Orderer"].values["Capabilities"]


def application_without_orderer_support(root):
    del root.groups["Orderer"].values["Capabilities"]
    del root.values["Capabilities"]


def early_acls(root):
    application = root.groups["Application"]
    put(application, "Capabilities", capabilities("V1_1"))
    put(application, "ACLs", ACLs(acls={"a": APIResource(policy_ref="b")}))


def batch_count(root):
    put(root.groups["Orderer"], "BatchSize", BatchSize())


def batch_preferred(root):
    size = BatchSize(max_message_count=1, absolute_max_bytes=1, preferred_max_bytes=2)
    put(root.groups["Orderer"], "BatchSize", size)


def timeout_text(root):
    put(root.groups["Orderer"], "BatchTimeout", BatchTimeout(timeout="2 seconds"))


def timeout_zero(root):
    put(root.groups["Orderer"], "BatchTimeout", BatchTimeout(timeout="0s"))


def brokers(root):
    put(root.groups["Orderer"], "KafkaBrokers", KafkaBrokers(brokers=["no-port"]))


def bft(root):
    put(root.groups["Orderer"], "ConsensusType", ConsensusType(type="BFT"))


def nested_organisation(root):
    root.groups["Application"].groups["Org1"].groups["Deep"].mod_policy = "Admins"


def early_endpoints(root):
    put(root, "Capabilities", capabilities("V1_3"))
    organisation = root.groups["Orderer"].groups["OrdererOrg"]
    put(organisation, "Endpoints", OrdererAddresses(addresses=["a:1"]))


def two_versions(root):
    application = root.groups["Application"]
    definition = MSPConfig.FromString(application.groups["Org1"].values["MSP"].value)
    changed = FabricMSPConfig.FromString(definition.config)
    changed.tls_root_certs.append(changed.root_certs[0])
    definition.config = changed.SerializeToString()
    put(application.groups["Org2"], "MSP", definition)


def illegal_key(root):
    root.groups["Application"].groups["Org 3"].CopyFrom(root.groups["Application"].groups["Org1"])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (hashing, "Unknown hashing algorithm type: MD5"),
        (width, "BlockDataHashStructure width only supported at MaxUint32 in this version"),
        (addresses, "Must set some OrdererAddresses"),
        (unknown_value, "failed to deserialize values: Unexpected key Surprise"),
        (unreadable_value, "Orderer sub-group config: failed to deserialize values: proto: cannot"),
        (unknown_group, "Disallowed channel group: Surprise"),
        (no_application, "invalid configuration block, missing Application configuration group"),
        (no_orderer, "invalid configuration block, missing Orderer configuration group"),
        (channel_capability, "Channel capability V3_0 is required but not supported"),
        (application_capability, "Application capability V9 is required but not supported"),
        (
            no_orderer_support,
            "cannot enable channel capabilities without orderer support first",
        ),
        (
            application_without_orderer_support,
            "cannot enable application capabilities without orderer support first",
        ),
        (early_acls, "ACLs may not be specified without the required capability"),
        (batch_count, "batch size max message count to an invalid value: 0"),
        (batch_preferred, r"preferred max bytes \(2\) greater than the absolute max bytes \(1\)"),
        (timeout_text, 'batch timeout to a invalid value: time: invalid duration "2 seconds"'),
        (timeout_zero, "batch timeout to a non-positive value: 0s"),
        (brokers, "Invalid broker entry: no-port"),
        (bft, "consensus type BFT is not supported; channels ordered by one of solo, kafka"),
        (nested_organisation, "ApplicationOrg config does not allow sub-groups"),
        (early_endpoints, r"Orderer Org OrdererOrg cannot contain endpoints value until V1_4_2\+"),
        (two_versions, "Attempted to define two different versions of MSP: Org1MSP"),
        (illegal_key, "config ID 'Org 3' contains illegal characters"),
    ],
)
def test_a_broken_configuration_is_refused(network, change, text):
    config = read_config_block(network.genesis())[1].config
    change(config.channel_group)
    with pytest.raises(ConfigError, match=text):
        Bundle.from_config("mychannel", config)


def test_an_empty_configuration_is_refused():
    with pytest.raises(ConfigError, match="config must contain a channel group"):
        Bundle.from_config("mychannel", Config())


def test_a_block_without_entries_is_refused():
    with pytest.raises(ConfigError, match="malformed configuration block"):
        Bundle.from_block(Block())


def test_garbage_in_a_block_is_refused():
    block = Block()
    block.data.data.append(b"\xff\xff")
    with pytest.raises(ConfigError, match="malformed configuration block: error unmarshalling"):
        Bundle.from_block(block)


def test_endpoints_of_organisations_replace_the_channels_addresses(network):
    config = read_config_block(network.genesis())[1].config
    organisation = config.channel_group.groups["Orderer"].groups["OrdererOrg"]
    put(organisation, "Endpoints", OrdererAddresses(addresses=["own:7050"]))
    assert Bundle.from_config("mychannel", config).orderer.addresses == ("own:7050",)
