"""Config blocks taken apart, so that what is the network's own does not stand in the way."""

from __future__ import annotations

import asyncio
import time

from cryptography.x509 import load_pem_x509_certificate
from fabric_protos.common.common_pb2 import Block, Envelope, Payload
from fabric_protos.common.configtx_pb2 import Config, ConfigEnvelope, ConfigGroup, ConfigUpdate
from fabric_protos.msp.identities_pb2 import SerializedIdentity
from harness.differential.channels import orderer_name
from harness.differential.ordering import config_update, hear_answers
from harness.differential.talk import Talk
from harness.differential.targets import CONSORTIUM
from treadle_fabric.channelconfig import creation_update
from treadle_fabric.identity.signatures import verify_signature
from treadle_fabric.wire import block_data_hash, block_header_hash, unpack_payload

_PATIENCE = 20.0
_CLOCKS_SECONDS = 2.0  # a header has whole seconds


def creation(name: str, *, capability: str = "V1_4_2") -> ConfigUpdate:
    """What asks for a channel *name* of Org1 alone."""
    return creation_update(
        channel_id=name,
        consortium=CONSORTIUM,
        organizations=["Org1MSP"],
        capabilities=[capability],
    )


async def created(talk: Talk, suffix: str = "only") -> str:
    """A channel that the orderer has and the peer has not joined; the answer is recorded."""
    name = f"{talk.key}{suffix}"
    await hear_answers(talk, config_update(talk, creation(name), channel=name).build())
    zero = await first_block(talk, name)
    talk.recording.names |= orderer_name(zero)
    name_hashes(talk, zero, f"block 0 of {name}")
    return name


async def first_block(talk: Talk, channel: str) -> Block:
    """Block 0 of the orderer, who makes it some time after its answer."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while True:
        try:
            return await talk.links.ordered(talk.cast.admin, channel, 0)
        except AssertionError:
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.05)


def config_of(block: Block) -> Config:
    """The configuration in a config block."""
    payload = Payload.FromString(Envelope.FromString(block.data.data[0]).payload)
    return ConfigEnvelope.FromString(payload.data).config


def hear_config_block(talk: Talk, block: Block, label: str) -> None:
    """Record a config block without the ordering organisation and the policies of the network."""
    envelope = Envelope.FromString(block.data.data[0])
    payload = Payload.FromString(envelope.payload)
    talk.recording.names |= orderer_name(block)
    name_hashes(talk, block, label)
    content = ConfigEnvelope.FromString(payload.data)
    talk.note(f"{label}: entries", len(block.data.data))
    talk.hear_message(f"{label}: frame", Block(header=block.header, metadata=block.metadata))
    _hear_header(talk, envelope, label)
    talk.hear_message(f"{label}: content", _without_the_networks_own(content))


def _hear_header(talk: Talk, envelope: Envelope, label: str) -> None:
    """Record the header without what differs each time, and what is known of that."""
    unpacked = unpack_payload(envelope)
    channel, signature = unpacked.channel_header, unpacked.signature_header
    age = time.time() - channel.timestamp.seconds
    talk.note(f"{label}: made now", -_CLOCKS_SECONDS < age < _PATIENCE * 3)
    talk.note(f"{label}: parts of a second", channel.timestamp.nanos)
    talk.note(f"{label}: bytes of nonce", len(signature.nonce))
    identity = SerializedIdentity.FromString(signature.creator)
    key = load_pem_x509_certificate(identity.id_bytes).public_key()
    verify_signature(key, envelope.payload, envelope.signature)
    talk.note(f"{label}: valid signature by", identity.mspid)
    channel.timestamp.Clear()
    signature.nonce = b""
    talk.hear_message(f"{label}: channel header", channel)
    talk.hear_message(f"{label}: signature header", signature)


def name_hashes(talk: Talk, block: Block, label: str) -> None:
    """Give the hashes of a block that holds an orderer's signatures names."""
    names = talk.recording.names
    names[block_header_hash(block.header)] = f"<hash of {label}>"
    names[block_data_hash(block.data.data)] = f"<hash of the data of {label}>"


def _without_the_networks_own(content: ConfigEnvelope) -> ConfigEnvelope:
    # Who orders and how, and which policies its founders wrote, is no doing of an orderer.
    root = content.config.channel_group
    root.values["OrdererAddresses"].value = b""
    for organization in root.groups["Orderer"].groups.values():
        organization.Clear()
    for value in ("BatchSize", "BatchTimeout"):
        root.groups["Orderer"].values[value].value = b""
    for group in (root, root.groups["Orderer"], root.groups["Application"]):
        _clear_policies(group)
    return content


def _clear_policies(group: ConfigGroup) -> None:
    for policy in group.policies.values():
        policy.policy.Clear()
    for organization in group.groups.values():
        organization.policies.pop("Endorsement", None)
