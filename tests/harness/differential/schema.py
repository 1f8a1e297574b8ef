"""Which message lies inside which bytes field: what protobuf's own schema does not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from fabric_protos.common import (
    common_pb2,
    configtx_pb2,
    configuration_pb2,
    ledger_pb2,
    policies_pb2,
)
from fabric_protos.ledger.queryresult import kv_query_result_pb2
from fabric_protos.ledger.rwset import rwset_pb2
from fabric_protos.ledger.rwset.kvrwset import kv_rwset_pb2
from fabric_protos.msp import identities_pb2, msp_config_pb2, msp_principal_pb2
from fabric_protos.orderer import ab_pb2
from fabric_protos.orderer import configuration_pb2 as orderer_pb2
from fabric_protos.peer import (
    chaincode_event_pb2,
    chaincode_pb2,
    chaincode_shim_pb2,
    collection_pb2,
    events_pb2,
    proposal_pb2,
    proposal_response_pb2,
    query_pb2,
    signed_cc_dep_spec_pb2,
    transaction_pb2,
)
from fabric_protos.peer import configuration_pb2 as peer_pb2
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

_MODULES = (
    *(common_pb2, configtx_pb2, configuration_pb2, ledger_pb2, policies_pb2),
    *(kv_query_result_pb2, rwset_pb2, kv_rwset_pb2),
    *(identities_pb2, msp_config_pb2, msp_principal_pb2, ab_pb2, orderer_pb2),
    *(chaincode_event_pb2, chaincode_pb2, chaincode_shim_pb2, collection_pb2, events_pb2),
    *(proposal_pb2, proposal_response_pb2, query_pb2, signed_cc_dep_spec_pb2, transaction_pb2),
    peer_pb2,
)
TYPES: dict[str, type[Message]] = {
    descriptor.full_name: GetMessageClass(descriptor)
    for descriptor in chain.from_iterable(
        module.DESCRIPTOR.message_types_by_name.values() for module in _MODULES
    )
}

_INSIDE = {
    "protos.SignedProposal.proposal_bytes": "protos.Proposal",
    "protos.Proposal.header": "common.Header",
    "protos.Proposal.payload": "protos.ChaincodeProposalPayload",
    "protos.ChaincodeProposalPayload.input": "protos.ChaincodeInvocationSpec",
    "protos.ProposalResponse.payload": "protos.ProposalResponsePayload",
    "protos.ProposalResponsePayload.extension": "protos.ChaincodeAction",
    "protos.ChaincodeAction.results": "rwset.TxReadWriteSet",
    "protos.ChaincodeAction.events": "protos.ChaincodeEvent",
    "rwset.NsReadWriteSet.rwset": "kvrwset.KVRWSet",
    "protos.Endorsement.endorser": "msp.SerializedIdentity",
    "common.Header.channel_header": "common.ChannelHeader",
    "common.Header.signature_header": "common.SignatureHeader",
    "common.SignatureHeader.creator": "msp.SerializedIdentity",
    "common.Envelope.payload": "common.Payload",
    "common.BlockData.data": "common.Envelope",
    "common.MetadataSignature.signature_header": "common.SignatureHeader",
    "common.ConfigSignature.signature_header": "common.SignatureHeader",
    "common.ConfigUpdateEnvelope.config_update": "common.ConfigUpdate",
    "protos.TransactionAction.header": "common.SignatureHeader",
    "protos.TransactionAction.payload": "protos.ChaincodeActionPayload",
    "protos.ChaincodeActionPayload.chaincode_proposal_payload": "protos.ChaincodeProposalPayload",
    "protos.ChaincodeEndorsedAction.proposal_response_payload": "protos.ProposalResponsePayload",
    "protos.QueryResponse.metadata": "protos.QueryResponseMetadata",
    "msp.MSPConfig.config": "msp.FabricMSPConfig",
}
_CONFIG_VALUES = {
    "MSP": "msp.MSPConfig",
    "Capabilities": "common.Capabilities",
    "ACLs": "protos.ACLs",
    "AnchorPeers": "protos.AnchorPeers",
    "BatchSize": "orderer.BatchSize",
    "BatchTimeout": "orderer.BatchTimeout",
    "ConsensusType": "orderer.ConsensusType",
    "ChannelRestrictions": "orderer.ChannelRestrictions",
    "HashingAlgorithm": "common.HashingAlgorithm",
    "BlockDataHashingStructure": "common.BlockDataHashingStructure",
    "OrdererAddresses": "common.OrdererAddresses",
    "Endpoints": "common.OrdererAddresses",
    "Consortium": "common.Consortium",
}
_POLICIES = {1: "common.SignaturePolicyEnvelope", 3: "common.ImplicitMetaPolicy"}
_PAYLOADS = {
    common_pb2.CONFIG: "common.ConfigEnvelope",
    common_pb2.CONFIG_UPDATE: "common.ConfigUpdateEnvelope",
    common_pb2.ENDORSER_TRANSACTION: "protos.Transaction",
}
_TALK = {
    chaincode_shim_pb2.ChaincodeMessage.REGISTER: "protos.ChaincodeID",
    chaincode_shim_pb2.ChaincodeMessage.INIT: "protos.ChaincodeInput",
    chaincode_shim_pb2.ChaincodeMessage.TRANSACTION: "protos.ChaincodeInput",
    chaincode_shim_pb2.ChaincodeMessage.COMPLETED: "protos.Response",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a message on the way down from an event's own message.

    ``key`` is the index in a list or the key in a map.
    """

    message: Message
    field: str
    key: int | str | None = None

    @property
    def name(self) -> str:
        """``package.Message.field``."""
        return f"{self.message.DESCRIPTOR.full_name}.{self.field}"


def inner_type(way: Sequence[Place], hints: Sequence[str]) -> type[Message] | None:
    """What lies inside the bytes field at the end of *way*; None: just bytes.

    *hints* are full names, taken for what only the conversation knows: the payload of a Response
    or of a RESPONSE, and behind it the rows of a query.
    """
    here = way[-1]
    known = _INSIDE.get(here.name) or _depending(way, hints)
    return TYPES[known] if known else None


def _depending(way: Sequence[Place], hints: Sequence[str]) -> str | None:
    here, message = way[-1], way[-1].message
    match here.name:
        case "common.Payload.data":
            return _PAYLOADS.get(_header_type(message.header.channel_header))
        case "common.ChannelHeader.extension" if message.type == common_pb2.ENDORSER_TRANSACTION:
            return "protos.ChaincodeHeaderExtension"
        case "common.BlockMetadata.metadata" if here.key in (
            common_pb2.SIGNATURES,
            common_pb2.LAST_CONFIG,
        ):
            return "common.Metadata"
        case "common.Metadata.value":
            return "common.OrdererBlockMetadata"
        case "common.ConfigValue.value":
            return _CONFIG_VALUES.get(str(way[-2].key))
        case "common.Policy.value":
            return _POLICIES.get(message.type)
        case "common.MSPPrincipal.principal":
            return "common.MSPRole" if message.principal_classification == 0 else None
        case "protos.ChaincodeMessage.payload":
            known = _TALK.get(message.type)
            answered = message.type == chaincode_shim_pb2.ChaincodeMessage.RESPONSE
            return known or (_hint(hints, 0) if answered else None)
        case "protos.Response.payload":
            return _hint(hints, 1 if _of_callee(way) else 0)
        case "protos.QueryResultBytes.resultBytes":
            return _hint(hints, 1) or "queryresult.KV"
    return None


def _of_callee(way: Sequence[Place]) -> bool:
    """Whether this Response was given to another chaincode: the hint before is of its envelope."""
    names = [place.name for place in way]
    return names.count("protos.ChaincodeMessage.payload") > 1


def _header_type(channel_header: bytes) -> int:
    try:
        return common_pb2.ChannelHeader.FromString(channel_header).type
    except DecodeError:
        return -1


def _hint(hints: Sequence[str], index: int) -> str | None:
    return hints[index] if len(hints) > index and hints[index] else None
