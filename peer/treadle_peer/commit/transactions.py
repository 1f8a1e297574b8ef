"""Judging one transaction from its envelope to its endorsements (fabric-wire.md §5.4)."""

from __future__ import annotations

from dataclasses import dataclass

from fabric_protos.common.common_pb2 import HeaderType
from fabric_protos.common.configtx_pb2 import ConfigEnvelope
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.channelconfig import Bundle, ConfigError, validate_config
from treadle_fabric.msp import MSPError
from treadle_fabric.wire import (
    TransactionError,
    UnpackedPayload,
    WireError,
    parse,
    unpack_endorsed,
    unpack_envelope,
)

from treadle_peer.channels import LEGACY_NAMESPACE
from treadle_peer.commit.dispatch import unpack_invocation
from treadle_peer.commit.endorsements import EndorsementRules
from treadle_peer.commit.errors import InvalidTransaction, ValidationHalted
from treadle_peer.commit.lscc_rules import upgraded_chaincode


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one transaction; ``reason`` is for the log.

    ``chaincode`` (called), ``upgraded`` and ``tx_id`` are set for valid endorsed transactions,
    ``bundle`` for a config transaction.
    """

    code: TxValidationCode.ValueType
    reason: str = ""
    tx_id: str = ""
    chaincode: str = ""
    upgraded: str | None = None
    bundle: Bundle | None = None


def judge(raw: bytes, rules: EndorsementRules) -> Verdict:
    """The verdict on one entry of a block's data, but for its neighbours in the block.

    Raises ValidationHalted when a config transaction does not apply.
    """
    try:
        envelope = unpack_envelope(raw)
        _require_creator(envelope, rules.bundle)
        if envelope.channel_header.type == HeaderType.CONFIG:
            return _judge_config(envelope, rules.bundle)
        return _judge_endorsed(envelope, rules)
    except (TransactionError, InvalidTransaction) as error:
        return Verdict(code=error.code, reason=str(error))


def _require_creator(envelope: UnpackedPayload, bundle: Bundle) -> None:
    """The creator is a valid member of the channel and signed the payload."""
    code = TxValidationCode.BAD_CREATOR_SIGNATURE
    if envelope.channel_id != bundle.channel_id:
        text = f"could not get msp for channel [{envelope.channel_id}]"
        raise InvalidTransaction(code, text)
    try:
        creator = bundle.msps.deserialize(envelope.creator)
        bundle.msps.get(creator.msp_id).validate(creator)
        creator.verify(envelope.raw, envelope.signature)
    except MSPError as error:
        raise InvalidTransaction(code, str(error)) from error


def _judge_config(envelope: UnpackedPayload, bundle: Bundle) -> Verdict:
    if not envelope.data:
        return Verdict(code=TxValidationCode.INVALID_CONFIG_TRANSACTION, reason="nil arguments")
    try:
        updated = validate_config(bundle, parse(ConfigEnvelope, envelope.data))
    except (ConfigError, WireError) as error:
        raise ValidationHalted(
            f"[{bundle.channel_id}] error validating config which passed initial validity "
            f"checks: {error}"
        ) from error
    return Verdict(code=TxValidationCode.VALID, bundle=updated)


def _judge_endorsed(envelope: UnpackedPayload, rules: EndorsementRules) -> Verdict:
    transaction = unpack_endorsed(envelope)
    tx_id = envelope.channel_header.tx_id
    if rules.state.has_transaction(tx_id):
        return Verdict(code=TxValidationCode.DUPLICATE_TXID, reason=f"txid {tx_id} is committed")
    invocation = unpack_invocation(transaction, rules.bundle.application.capabilities)
    rules.require(invocation)
    is_lscc = invocation.chaincode == LEGACY_NAMESPACE
    return Verdict(
        code=TxValidationCode.VALID,
        tx_id=tx_id,
        chaincode=invocation.chaincode,
        upgraded=upgraded_chaincode(transaction) if is_lscc else None,
    )
