"""Fabric's messages inside messages' bytes fields, and edits anywhere in such a tower.

A fuzzer that flips bytes of a marshalled envelope breaks the outermost lengths and never reaches
what lies six messages deep. These edits keep every layer readable except the one they spoil.
"""

from __future__ import annotations

from fabric_protos.common import common_pb2 as common
from fabric_protos.common import configtx_pb2 as configtx
from fabric_protos.common import configuration_pb2 as configuration
from fabric_protos.common import policies_pb2 as policies
from fabric_protos.ledger.rwset import rwset_pb2 as rwset
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2 as kvrwset
from fabric_protos.msp import identities_pb2 as identities
from fabric_protos.msp import msp_config_pb2 as msp_config
from fabric_protos.msp import msp_principal_pb2 as principals
from fabric_protos.orderer import ab_pb2 as ab
from fabric_protos.orderer import configuration_pb2 as orderer
from fabric_protos.peer import chaincode_event_pb2 as event
from fabric_protos.peer import chaincode_pb2 as chaincode
from fabric_protos.peer import configuration_pb2 as peer
from fabric_protos.peer import proposal_pb2 as proposal
from fabric_protos.peer import proposal_response_pb2 as response
from fabric_protos.peer import signed_cc_dep_spec_pb2 as signed_package
from fabric_protos.peer import transaction_pb2 as transaction
from fuzz.octets import Octets
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

_INSIDE: dict[str, type[Message]] = {
    "common.Envelope.payload": common.Payload,
    "common.Header.channel_header": common.ChannelHeader,
    "common.Header.signature_header": common.SignatureHeader,
    "common.SignatureHeader.creator": identities.SerializedIdentity,
    "common.ChannelHeader.extension": proposal.ChaincodeHeaderExtension,
    "common.ConfigUpdateEnvelope.config_update": configtx.ConfigUpdate,
    "common.ConfigSignature.signature_header": common.SignatureHeader,
    "common.MSPPrincipal.principal": principals.MSPRole,
    "msp.MSPConfig.config": msp_config.FabricMSPConfig,
    "protos.SignedProposal.proposal_bytes": proposal.Proposal,
    "protos.Proposal.header": common.Header,
    "protos.Proposal.payload": proposal.ChaincodeProposalPayload,
    "protos.ChaincodeProposalPayload.input": chaincode.ChaincodeInvocationSpec,
    "protos.TransactionAction.header": common.SignatureHeader,
    "protos.TransactionAction.payload": transaction.ChaincodeActionPayload,
    "protos.ChaincodeActionPayload.chaincode_proposal_payload": proposal.ChaincodeProposalPayload,
    "protos.ChaincodeEndorsedAction.proposal_response_payload": response.ProposalResponsePayload,
    "protos.ProposalResponsePayload.extension": proposal.ChaincodeAction,
    "protos.ChaincodeAction.results": rwset.TxReadWriteSet,
    "protos.ChaincodeAction.events": event.ChaincodeEvent,
    "protos.Endorsement.endorser": identities.SerializedIdentity,
    "rwset.NsReadWriteSet.rwset": kvrwset.KVRWSet,
    "rwset.CollectionHashedReadWriteSet.hashed_rwset": kvrwset.HashedRWSet,
    "protos.SignedChaincodeDeploymentSpec.chaincode_deployment_spec": (
        chaincode.ChaincodeDeploymentSpec
    ),
    "protos.SignedChaincodeDeploymentSpec.instantiation_policy": policies.SignaturePolicyEnvelope,
}
_DATA: dict[int, type[Message]] = {
    common.CONFIG: configtx.ConfigEnvelope,
    common.CONFIG_UPDATE: configtx.ConfigUpdateEnvelope,
    common.ENDORSER_TRANSACTION: transaction.Transaction,
    common.DELIVER_SEEK_INFO: ab.SeekInfo,
    common.CHAINCODE_PACKAGE: signed_package.SignedChaincodeDeploymentSpec,
}
# What a configuration value holds is told by its key in the map around it.
_VALUES: dict[str, type[Message]] = {
    "HashingAlgorithm": configuration.HashingAlgorithm,
    "BlockDataHashingStructure": configuration.BlockDataHashingStructure,
    "OrdererAddresses": configuration.OrdererAddresses,
    "Endpoints": configuration.OrdererAddresses,
    "Consortium": configuration.Consortium,
    "Capabilities": configuration.Capabilities,
    "ACLs": peer.ACLs,
    "AnchorPeers": peer.AnchorPeers,
    "MSP": msp_config.MSPConfig,
    "ConsensusType": orderer.ConsensusType,
    "BatchSize": orderer.BatchSize,
    "BatchTimeout": orderer.BatchTimeout,
    "KafkaBrokers": orderer.KafkaBrokers,
    "ChannelCreationPolicy": policies.Policy,
}
_POLICIES: dict[int, type[Message]] = {
    policies.Policy.SIGNATURE: policies.SignaturePolicyEnvelope,
    policies.Policy.IMPLICIT_META: policies.ImplicitMetaPolicy,
}
_MOST_EDITS = 24
_LARGEST = 1 << 18
"""Bytes; edits that repeat something must not make an input that nobody could send."""


def edit_many(kind: type[Message], raw: bytes, octets: Octets) -> bytes:
    """*raw*, marshalled *kind*, after as many edits as *octets* has bytes for."""
    for _ in range(_MOST_EDITS):
        if not octets or len(raw) > _LARGEST:
            break
        raw = edit(kind, raw, octets)
    return raw


def edit(kind: type[Message], raw: bytes, octets: Octets, key: str = "") -> bytes:
    """*raw* with one change somewhere in it or in the layers below."""
    message = kind()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        return spoil(raw, octets)
    if octets.below(16) == 0:
        return spoil(raw, octets)
    if message.DESCRIPTOR.fields:
        _edit_field(message, octets.pick(message.DESCRIPTOR.fields), octets, key)
    return message.SerializeToString(deterministic=True)


def spoil(raw: bytes, octets: Octets) -> bytes:
    """*raw* cut, overwritten, or with fields behind it that nobody knows."""
    place = octets.below(len(raw) + 1)
    match octets.below(5):
        case 0:
            return raw[:place]
        case 1:
            return raw[:place] + octets.short() + raw[place:]
        case 2:
            new = octets.short()
            return raw[:place] + new + raw[place + len(new) :]
        case 3:
            return raw + raw[place:]
        case _:
            return raw + octets.short()


def _edit_field(message: Message, field: FieldDescriptor, octets: Octets, key: str) -> None:
    if octets.below(8) == 0:
        message.ClearField(field.name)
    elif field.message_type is not None and field.message_type.GetOptions().map_entry:
        _edit_map(message, field, octets)
    elif field.label == FieldDescriptor.LABEL_REPEATED:
        _edit_repeated(message, field, octets)
    elif field.message_type is not None:
        _edit_message(getattr(message, field.name), octets, key)
    else:
        old = getattr(message, field.name)
        setattr(message, field.name, _scalar(message, field, old, octets=octets, key=key))


def _edit_message(inner: Message, octets: Octets, key: str) -> None:
    changed = edit(type(inner), inner.SerializeToString(deterministic=True), octets, key)
    inner.SetInParent()
    _parse_into(inner, changed)


def _parse_into(inner: Message, raw: bytes) -> None:
    # A field of message type cannot hold rubbish; layers in bytes fields can.
    fresh = type(inner)()
    try:
        fresh.ParseFromString(raw)
    except DecodeError:
        return
    inner.CopyFrom(fresh)


def _edit_map(message: Message, field: FieldDescriptor, octets: Octets) -> None:
    entries = getattr(message, field.name)
    names = sorted(entries)
    value_field = field.message_type.fields_by_name["value"]
    name = octets.pick(names) if names and octets.below(4) else octets.text()
    if value_field.message_type is None:
        entries[name] = octets.short()
    elif octets.below(8) == 0:
        entries[octets.text()].CopyFrom(entries[name])
    elif octets.below(8) == 0 and name in entries:
        del entries[name]
    else:
        _edit_message(entries[name], octets, name)


def _edit_repeated(message: Message, field: FieldDescriptor, octets: Octets) -> None:
    values = getattr(message, field.name)
    action = octets.below(6)
    if len(values) and action == 0:
        del values[octets.below(len(values))]
    elif len(values) and action == 1:
        values.extend([values[octets.below(len(values))]] * (1 + octets.below(3)))
    elif field.message_type is not None:
        inner = values[octets.below(len(values))] if len(values) and action > 2 else values.add()
        _edit_message(inner, octets, "")
    elif len(values) and action > 2:
        place = octets.below(len(values))
        values[place] = _scalar(message, field, values[place], octets=octets, key="")
    else:
        values.append(_scalar(message, field, _nothing(field), octets=octets, key=""))


def _nothing(field: FieldDescriptor) -> object:
    if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        return 0
    return b"" if field.type == FieldDescriptor.TYPE_BYTES else ""


def _scalar(
    message: Message, field: FieldDescriptor, old: object, *, octets: Octets, key: str
) -> object:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
            assert isinstance(old, bytes)
            return _bytes(message, field, old, octets=octets, key=key)
        case FieldDescriptor.CPPTYPE_STRING:
            assert isinstance(old, str)
            return octets.pick((octets.text(), old + octets.text(), "", old * 3))
        case FieldDescriptor.CPPTYPE_BOOL:
            return not old
        case FieldDescriptor.CPPTYPE_ENUM:
            return octets.below(16)
        case FieldDescriptor.CPPTYPE_INT32 | FieldDescriptor.CPPTYPE_INT64:
            bits = 32 if field.cpp_type == FieldDescriptor.CPPTYPE_INT32 else 64
            value = octets.number() % (1 << bits)
            return value - (1 << bits) if value >> (bits - 1) else value
        case FieldDescriptor.CPPTYPE_UINT32:
            return octets.number() % (1 << 32)
        case _:
            return octets.number() % (1 << 64)


def _bytes(
    message: Message, field: FieldDescriptor, old: bytes, *, octets: Octets, key: str
) -> bytes:
    kind = _kind_inside(message, field, key)
    if kind is not None and octets.below(8):
        return edit(kind, old, octets)
    match octets.below(4):
        case 0:
            return octets.short()
        case 1:
            return bytes([octets.byte()]) * octets.pick((1, 64, 2000, 70_000))
        case _:
            return spoil(old, octets)


def _kind_inside(message: Message, field: FieldDescriptor, key: str) -> type[Message] | None:
    if isinstance(message, common.Payload) and field.name == "data":
        try:
            header = common.ChannelHeader.FromString(message.header.channel_header)
        except DecodeError:
            return None
        return _DATA.get(header.type)
    if isinstance(message, configtx.ConfigValue):
        return _VALUES.get(key)
    if isinstance(message, policies.Policy) and field.name == "value":
        return _POLICIES.get(message.type)
    return _INSIDE.get(field.full_name)
