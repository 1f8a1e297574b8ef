"""Signing configuration updates for a channel's creation or change."""

from __future__ import annotations

import pytest
from fabric_protos.common.common_pb2 import Envelope, HeaderType
from fabric_protos.common.configtx_pb2 import ConfigUpdateEnvelope
from treadle_fabric.channelconfig import V1_4_2, creation_update, update_transaction
from treadle_fabric.client import InvalidUpdate, read_config_update, sign_config_update
from treadle_fabric.identity import GeneratedOrganization, SigningIdentity
from treadle_fabric.wire import build_envelope, parse, unpack_payload


@pytest.fixture(scope="module")
def admin() -> SigningIdentity:
    organization = GeneratedOrganization.generate(msp_id="Org1MSP", domain="org1.test")
    return organization.issue_identity("admin", "admin")


@pytest.fixture
def update(admin: SigningIdentity) -> Envelope:
    wanted = creation_update(
        channel_id="ch", consortium="c", organizations=["Org1MSP"], capabilities=[V1_4_2]
    )
    return update_transaction(update=wanted, signers=[admin], submitter=admin)


def test_every_signer_adds_one_signature_to_the_same_update(
    update: Envelope, admin: SigningIdentity
) -> None:
    signed = sign_config_update(update, signer=admin, channel_id="ch")
    before = parse(ConfigUpdateEnvelope, unpack_payload(update).data)
    after = parse(ConfigUpdateEnvelope, unpack_payload(signed).data)
    assert after.config_update == before.config_update
    assert len(after.signatures) == len(before.signatures) + 1
    assert unpack_payload(signed).creator == admin.serialize()


def test_an_update_for_another_channel_is_refused(update: Envelope, admin: SigningIdentity) -> None:
    with pytest.raises(InvalidUpdate, match="mismatched channel ID ch != other"):
        sign_config_update(update, signer=admin, channel_id="other")


def test_garbage_and_other_envelopes_are_refused(admin: SigningIdentity) -> None:
    with pytest.raises(InvalidUpdate, match="not a configuration transaction"):
        read_config_update(Envelope(payload=b"\xff\xff"))
    other = build_envelope(
        signer=admin, header_type=HeaderType.ENDORSER_TRANSACTION, channel_id="ch", data=b""
    )
    with pytest.raises(InvalidUpdate, match="bad type"):
        read_config_update(other)
    nameless = build_envelope(
        signer=admin, header_type=HeaderType.CONFIG_UPDATE, channel_id="", data=b""
    )
    with pytest.raises(InvalidUpdate, match="empty channel id"):
        read_config_update(nameless)
