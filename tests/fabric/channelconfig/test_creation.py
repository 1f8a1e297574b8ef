"""Creating channels by transaction."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import HeaderType
from treadle_fabric.channelconfig import (
    Bundle,
    ConfigError,
    config_from_creation,
    creation_update,
    propose_creation,
    update_transaction,
)
from treadle_fabric.wire import build_envelope, unpack_payload


def update_for(**changes):
    values = {
        "channel_id": "newchannel",
        "consortium": "SampleConsortium",
        "organizations": ["Org1", "Org2"],
        "capabilities": ["V1_4_2"],
    }
    return creation_update(**(values | changes))


@pytest.mark.parametrize("capability", ["V1_4_2", "V2_5"])
def test_any_admin_of_a_member_creates_a_channel(network, capability):
    envelope = update_transaction(
        update=update_for(), signers=[network.admin2], submitter=network.admin2
    )
    created = propose_creation(envelope, system=network.system(capability=capability))
    bundle = Bundle.from_config("newchannel", created.config)
    assert bundle.sequence == 1
    assert [org.name for org in bundle.application.orgs] == ["Org1", "Org2"]
    assert not bundle.application.capabilities.v2_lifecycle
    assert "/Channel/Application/LifecycleEndorsement" in bundle.policies.paths()
    assert created.last_update == envelope


@pytest.mark.parametrize("capability", ["V1_4_2", "V2_5"])
def test_a_client_creates_no_channel(network, capability):
    envelope = update_transaction(
        update=update_for(), signers=[network.client1], submitter=network.client1
    )
    with pytest.raises(ConfigError, match="requires 1 of the 'Admins' sub-policies"):
        propose_creation(envelope, system=network.system(capability=capability))


def test_an_admin_of_no_member_creates_no_channel(network):
    envelope = update_transaction(
        update=update_for(organizations=["Org1"]),
        signers=[network.admin2],
        submitter=network.admin2,
    )
    with pytest.raises(ConfigError, match="0 sub-policies were satisfied"):
        propose_creation(envelope, system=network.system())


def test_a_channel_is_not_created_under_another_name_than_its_envelopes(network):
    signed = update_transaction(
        update=update_for(), signers=[network.admin1], submitter=network.admin1
    )
    renamed = build_envelope(
        signer=network.admin1,
        header_type=HeaderType.CONFIG_UPDATE,
        channel_id="another",
        data=unpack_payload(signed).data,
    )
    with pytest.raises(ConfigError, match="mismatched channel IDs: 'newchannel' != 'another'"):
        propose_creation(renamed, system=network.system())


def test_members_are_those_the_update_names(network):
    config = config_from_creation(update_for(organizations=["Org2"]), system=network.system())
    bundle = Bundle.from_config("newchannel", config)
    assert [org.msp_id for org in bundle.application.orgs] == ["Org2MSP"]


def test_a_new_channel_starts_at_zero_whatever_the_system_channel_has_seen(network):
    system = network.system()
    fresh = config_from_creation(update_for(), system=system)
    system.template.version = 4
    system.template.groups["Orderer"].values["BatchSize"].version = 3
    system.template.policies["Admins"].version = 2
    system.organizations["Org1"].version = 5
    assert config_from_creation(update_for(), system=system) == fresh


def test_an_organisation_nobody_knows_is_refused(network):
    with pytest.raises(ConfigError, match="Attempted to include member Org3 which is not in the"):
        config_from_creation(update_for(organizations=["Org3"]), system=network.system())


def test_a_channel_without_members_is_refused(network):
    with pytest.raises(ConfigError, match="no application group members"):
        config_from_creation(update_for(organizations=[]), system=network.system())


def test_another_consortium_is_refused_where_one_is_named(network):
    system = network.system(consortium="Other")
    with pytest.raises(ConfigError, match="Unknown consortium name: SampleConsortium"):
        config_from_creation(update_for(), system=system)


@pytest.mark.parametrize(
    ("break_it", "text"),
    [
        (lambda update: update.ClearField("write_set"), "Config update has an empty writeset"),
        (
            lambda update: update.write_set.groups.pop("Application"),
            "Config update has missing application group",
        ),
        (
            lambda update: setattr(update.write_set.groups["Application"], "version", 2),
            "does not set application group version to 1, was 2",
        ),
        (
            lambda update: update.write_set.values.pop("Consortium"),
            "Consortium config value missing",
        ),
    ],
)
def test_updates_that_create_nothing_are_refused(network, break_it, text):
    update = update_for()
    break_it(update)
    with pytest.raises(ConfigError, match=text):
        config_from_creation(update, system=network.system())


def test_an_illegal_channel_name_is_refused(network):
    update = update_for()
    update.channel_id = "No"
    envelope = update_transaction(update=update, signers=[network.admin1], submitter=network.admin1)
    with pytest.raises(ConfigError, match="'No' contains illegal characters"):
        propose_creation(envelope, system=network.system())
