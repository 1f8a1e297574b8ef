"""Updates of a channel: who may change what, and that both sides agree."""

from __future__ import annotations

import pytest
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigGroup, ConfigUpdate
from fabric_protos.common.configuration_pb2 import Capabilities, Capability
from fabric_protos.orderer.configuration_pb2 import BatchSize, BatchTimeout, ConsensusType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from treadle_fabric.channelconfig import (
    Bundle,
    ConfigError,
    compute_update,
    organization_group,
    propose_update,
    update_transaction,
    validate_config,
)
from treadle_fabric.channelconfig.tree import flatten, unflatten
from treadle_fabric.channelconfig.updates import changes, check_complete, check_succession


def edited(bundle, change):
    config = Config()
    config.CopyFrom(bundle.config)
    change(config.channel_group)
    return config


def transaction(bundle, change, *signers):
    update = compute_update(bundle.config, edited(bundle, change), channel_id=bundle.channel_id)
    return update_transaction(update=update, signers=signers, submitter=signers[0])


def timeout(text):
    def change(root):
        value = root.groups["Orderer"].values["BatchTimeout"]
        value.value = BatchTimeout(timeout=text).SerializeToString()

    return change


def remove_organisation(root):
    del root.groups["Application"].groups["Org2"]


def anchor(root):
    root.groups["Application"].groups["Org1"].values["AnchorPeers"].value = b""


def test_an_update_by_the_right_admin_passes_both_sides(network, bundle):
    envelope = propose_update(bundle, transaction(bundle, timeout("250ms"), network.orderer_admin))
    assert envelope.config.sequence == 1
    successor = validate_config(bundle, envelope)
    assert successor.orderer.batch_timeout == 0.25
    assert successor.config.channel_group.groups["Orderer"].values["BatchTimeout"].version == 1


def test_the_admin_of_another_organisation_is_not_enough(network, bundle):
    with pytest.raises(ConfigError) as error:
        propose_update(bundle, transaction(bundle, timeout("1s"), network.admin1))
    assert str(error.value).startswith(
        "error authorizing update: error validating DeltaSet: policy for "
        "[Value]  /Channel/Orderer/BatchTimeout not satisfied: implicit policy evaluation failed"
    )


def test_an_organisation_changes_its_own_values_alone(network, bundle):
    propose_update(bundle, transaction(bundle, anchor, network.admin1))
    with pytest.raises(ConfigError, match="AnchorPeers not satisfied"):
        propose_update(bundle, transaction(bundle, anchor, network.admin2))


def test_members_leave_by_majority_only(network, bundle):
    with pytest.raises(ConfigError, match=r"policy for \[Group\]  /Channel/Application not sati"):
        propose_update(bundle, transaction(bundle, remove_organisation, network.admin1))
    both = transaction(bundle, remove_organisation, network.admin1, network.admin2)
    successor = validate_config(bundle, propose_update(bundle, both))
    assert [org.name for org in successor.application.orgs] == ["Org1"]
    assert "Org2MSP" not in successor.msps.msp_ids


def test_members_join_and_updates_follow_each_other(network, bundle):
    alone = edited(bundle, remove_organisation)
    start = Bundle.from_config("mychannel", alone)

    def join(root):
        group = organization_group(network.definitions()[1])
        root.groups["Application"].groups["Org2"].CopyFrom(group)

    first = validate_config(start, propose_update(start, transaction(start, join, network.admin1)))
    assert [org.name for org in first.application.orgs] == ["Org1", "Org2"]
    change = transaction(first, timeout("3s"), network.orderer_admin)
    assert validate_config(first, propose_update(first, change)).sequence == 2


def test_a_stale_update_is_refused(network, bundle):
    stale = transaction(bundle, timeout("3s"), network.orderer_admin)
    current = validate_config(bundle, propose_update(bundle, stale))
    with pytest.raises(ConfigError, match="to version 1, but key is at version 1"):
        propose_update(current, stale)


def test_a_stale_read_set_is_refused(network, bundle):
    both = network.admin1, network.admin2
    envelope = transaction(bundle, remove_organisation, *both)
    current = validate_config(bundle, propose_update(bundle, envelope))
    with pytest.raises(ConfigError, match="be at version 0, but it is currently at version 1"):
        propose_update(current, envelope)


def raw_transaction(network, channel_id="mychannel", **sets):
    update = ConfigUpdate(channel_id=channel_id, **sets)
    return update_transaction(update=update, signers=[network.admin1], submitter=network.admin1)


def group_with(value_version, mod_policy):
    update = ConfigUpdate()
    group = update.write_set
    group.values["OrdererAddresses"].version = value_version
    group.values["OrdererAddresses"].mod_policy = mod_policy
    return group


@pytest.mark.parametrize(
    ("version", "mod_policy", "text"),
    [
        (1, "", "mod_policy not set"),
        (1, "a//b", "path element at 1 is invalid: config ID illegal, cannot be empty"),
        (5, "Admins", "OrdererAddresses to version 5, but key is at version 0"),
        (0, "Admins", "to version 0, but key is at version 0"),
    ],
)
def test_malformed_changes_are_refused(network, bundle, version, mod_policy, text):
    root = ConfigGroup(version=0)
    change = group_with(version, mod_policy)
    envelope = raw_transaction(network, read_set=root, write_set=change)
    with pytest.raises(ConfigError, match=text):
        propose_update(bundle, envelope)


def test_a_new_element_starts_at_version_zero(network, bundle):
    group = ConfigUpdate().write_set
    group.version = 1
    group.mod_policy = "Admins"
    group.values["Consortium"].version = 3
    group.values["Consortium"].mod_policy = "Admins"
    with pytest.raises(ConfigError, match="to version 3, but key does not exist"):
        propose_update(bundle, raw_transaction(network, write_set=group))


def test_an_update_without_effect_is_refused(network, bundle):
    with pytest.raises(ConfigError, match="delta set was empty -- update would have no effect"):
        propose_update(bundle, raw_transaction(network))


def test_an_update_for_another_channel_is_refused(network, bundle):
    with pytest.raises(
        ConfigError, match="ConfigUpdate for channel 'other' but envelope for channel 'mychannel'"
    ):
        propose_update(bundle, raw_transaction(network, channel_id="other"))


def test_equal_configurations_have_no_update(bundle):
    with pytest.raises(ConfigError, match="no differences detected"):
        compute_update(bundle.config, bundle.config, channel_id="mychannel")


def test_a_result_that_does_not_load_is_refused(network, bundle):
    def empty_batches(root):
        value = root.groups["Orderer"].values["BatchSize"]
        value.value = BatchSize().SerializeToString()

    with pytest.raises(ConfigError, match="max message count to an invalid value: 0"):
        propose_update(bundle, transaction(bundle, empty_batches, network.orderer_admin))


def test_an_orderer_refuses_a_capability_it_does_not_know(network, bundle):
    def raise_level(root):
        value = Capabilities(capabilities={"V2_0": Capability(), "V4_2": Capability()})
        root.groups["Orderer"].values["Capabilities"].value = value.SerializeToString()

    with pytest.raises(ConfigError, match="Orderer capability V4_2 is required but not supported"):
        propose_update(bundle, transaction(bundle, raise_level, network.orderer_admin))


def test_an_organisation_cannot_change_its_msp_id(network, bundle):
    def change(root):
        orgs = root.groups["Application"].groups
        orgs["Org1"].values["MSP"].value = orgs["Org2"].values["MSP"].value

    with pytest.raises(
        ConfigError,
        match="application org Org1 attempted to change MSP ID from Org1MSP to Org2MSP",
    ):
        propose_update(bundle, transaction(bundle, change, network.admin1))


def test_the_consensus_type_may_change_with_the_capability_only(network, bundle):
    def to_raft(root):
        value = root.groups["Orderer"].values["ConsensusType"]
        value.value = ConsensusType(type="etcdraft").SerializeToString()

    def old(root):
        value = Capabilities(capabilities={"V1_3": Capability()})
        root.values["Capabilities"].value = value.SerializeToString()

    signed = transaction(bundle, to_raft, network.orderer_admin)
    assert propose_update(bundle, signed).config.sequence == 1
    before = Bundle.from_config("mychannel", edited(bundle, old))
    after = Bundle.from_config("mychannel", edited(before, to_raft))
    text = "attempted to change consensus type from solo to etcdraft"
    with pytest.raises(ConfigError, match=text):
        check_succession(before, after)


def test_a_peer_refuses_a_result_that_the_update_does_not_give(network, bundle):
    envelope = propose_update(bundle, transaction(bundle, timeout("5s"), network.orderer_admin))
    envelope.config.channel_group.groups["Orderer"].values["BatchTimeout"].mod_policy = "Writers"
    with pytest.raises(ConfigError, match="did not produce the supplied config result"):
        validate_config(bundle, envelope)


def test_a_peer_refuses_a_gap_in_the_sequence(network, bundle):
    envelope = propose_update(bundle, transaction(bundle, timeout("5s"), network.orderer_admin))
    envelope.config.sequence = 7
    with pytest.raises(
        ConfigError, match="config currently at sequence 0, cannot validate config at sequence 7"
    ):
        validate_config(bundle, envelope)


def test_a_peer_refuses_an_envelope_without_configuration(bundle):
    with pytest.raises(ConfigError, match="config envelope has nil config"):
        validate_config(bundle, ConfigEnvelope())


def test_a_forged_signature_authorises_nothing(network, bundle):
    class Forger:
        def serialize(self):
            return network.orderer_admin.serialize()

        def sign(self, message):
            return network.admin1.sign(message)

    with pytest.raises(ConfigError, match="BatchTimeout not satisfied"):
        propose_update(bundle, transaction(bundle, timeout("5s"), Forger()))


keys = st.sampled_from(["a", "b", "c"])


@st.composite
def trees(draw, depth=2):
    update = ConfigUpdate()
    group = update.write_set
    group.mod_policy = draw(st.sampled_from(["Admins", "/Channel/Admins"]))
    for key in draw(st.sets(keys)):
        group.values[key].value = draw(st.binary(max_size=2))
        group.values[key].mod_policy = "Admins"
    for key in draw(st.sets(keys)):
        group.policies[key].policy.type = draw(st.integers(1, 3))
        group.policies[key].mod_policy = "Admins"
    if depth:
        for key in draw(st.sets(keys)):
            group.groups[key].CopyFrom(draw(trees(depth=depth - 1)))
    return group


def without_versions(group):
    copy = ConfigGroup()
    copy.CopyFrom(group)
    copy.version = 0
    for element in (*copy.values.values(), *copy.policies.values()):
        element.version = 0
    for name in copy.groups:
        copy.groups[name].CopyFrom(without_versions(copy.groups[name]))
    return copy


@given(original=trees(), updated=trees())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_computed_update_leads_from_any_tree_to_any_other(original, updated):
    if original == updated:
        return
    update = compute_update(
        Config(channel_group=original), Config(channel_group=updated), channel_id="ch"
    )
    current = flatten(original)
    delta, write_set = changes(update, current)
    proposed = {**current, **delta}
    check_complete(write_set, proposed)
    assert without_versions(unflatten(proposed)) == updated
