"""Honest configuration updates of the fuzzed channel, and edited ones signed anew."""

from __future__ import annotations

from functools import cache

from fabric_protos.common.common_pb2 import (
    ChannelHeader,
    Envelope,
    Header,
    HeaderType,
    Payload,
    SignatureHeader,
)
from fabric_protos.common.configtx_pb2 import Config, ConfigUpdateEnvelope
from fabric_protos.orderer.configuration_pb2 import BatchSize
from fuzz.forging import NONCE, THEN
from fuzz.world import CHANNEL, bundle, consortium
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from treadle_fabric.channelconfig import (
    OrganizationDefinition,
    SystemChannel,
    compute_update,
    creation_update,
    propose_update,
    sign_update,
    system_channel,
)
from treadle_fabric.identity import SigningIdentity
from treadle_fabric.wire import serialize


def envelope(
    kind: HeaderType.ValueType, data: bytes, *, signer: SigningIdentity, channel_id: str = CHANNEL
) -> Envelope:
    """A signed envelope that is the same each time but for its signature."""
    channel = ChannelHeader(type=kind, channel_id=channel_id, timestamp=Timestamp(seconds=THEN))
    creator = SignatureHeader(creator=signer.serialize(), nonce=NONCE)
    header = Header(channel_header=serialize(channel), signature_header=serialize(creator))
    payload = serialize(Payload(header=header, data=data))
    return Envelope(payload=payload, signature=signer.sign(payload))


def _signed(update: bytes) -> bytes:
    people = consortium()
    signers = (people.orderer_admin, people.admin, people.admin2)
    signatures = [sign_update(each, update) for each in signers]
    return serialize(ConfigUpdateEnvelope(config_update=update, signatures=signatures))


@cache
def updates(capability: str) -> tuple[Envelope, ...]:
    """CONFIG_UPDATEs that the channel accepts, and one that creates another channel."""
    before, after = bundle(capability).config, Config()
    after.CopyFrom(before)
    size = BatchSize(max_message_count=7, absolute_max_bytes=1 << 20, preferred_max_bytes=1 << 19)
    orderer = after.channel_group.groups["Orderer"]
    orderer.values["BatchSize"].value = serialize(size)
    change = compute_update(before, after, channel_id=CHANNEL)
    del after.channel_group.groups["Application"].groups["Org2MSP"]
    removal = compute_update(before, after, channel_id=CHANNEL)
    creation = creation_update(
        channel_id="newone",
        consortium="Any",
        organizations=["Org1MSP"],
        capabilities=[capability],
    )
    return tuple(
        envelope(
            HeaderType.CONFIG_UPDATE,
            _signed(serialize(update)),
            signer=consortium().admin,
            channel_id=update.channel_id,
        )
        for update in (change, removal, creation)
    )


@cache
def next_config(capability: str) -> Envelope:
    """The CONFIG transaction that an orderer makes of the first update."""
    proposed = propose_update(bundle(capability), updates(capability)[0])
    return envelope(HeaderType.CONFIG, serialize(proposed), signer=consortium().orderer)


@cache
def system(capability: str) -> SystemChannel:
    """What new channels start from."""
    people = consortium()
    organizations = (people.org1, people.org2)
    definitions = [OrganizationDefinition(org.msp_id, org.msp_config()) for org in organizations]
    orderers = OrganizationDefinition("OrdererMSP", people.orderer_org.msp_config())
    return system_channel(
        organizations=definitions,
        orderer_organization=orderers,
        orderer_addresses=["127.0.0.1:7050"],
        application_capability=capability,
    )


def refit_update(raw: bytes) -> bytes:
    """An edited CONFIG_UPDATE whose update the admins have signed as it is now."""
    try:
        whole = Envelope.FromString(raw)
        payload = Payload.FromString(whole.payload)
        content = ConfigUpdateEnvelope.FromString(payload.data)
    except DecodeError:
        return raw
    payload.data = _signed(content.config_update)
    whole.payload = serialize(payload)
    return serialize(whole)
