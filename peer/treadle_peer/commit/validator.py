"""Judging a block: every transaction by itself, then the rules between them (§5.4, §5.5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from fabric_protos.common.common_pb2 import Block
from fabric_protos.peer.transaction_pb2 import TxValidationCode
from treadle_fabric.channelconfig import Bundle

from treadle_peer.commit.endorsements import EndorsementRules
from treadle_peer.commit.keylevel import KeyLevelPolicies
from treadle_peer.commit.policies import PolicyEvaluator
from treadle_peer.commit.state import CommittedState
from treadle_peer.commit.transactions import Verdict, judge

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BlockVerdict:
    """One code per transaction before MVCC; ``bundle`` is the new configuration, if any."""

    codes: list[int]
    bundle: Bundle | None


def validate_block(block: Block, *, bundle: Bundle, state: CommittedState) -> BlockVerdict:
    """Judge all transactions of *block* against the configuration and state before it.

    Raises ValidationHalted when a transaction cannot be judged.
    """
    verdicts: list[Verdict] = []
    keys = KeyLevelPolicies(state)
    rules = _rules(bundle, state, keys)
    for raw in block.data.data:
        verdict = judge(raw, rules)
        if verdict.bundle is not None:
            rules = _rules(verdict.bundle, state, keys)
        verdicts.append(verdict)
    _log_invalid(block, bundle, verdicts)
    codes: list[int] = [verdict.code for verdict in verdicts]
    capabilities = bundle.application.capabilities
    if capabilities.forbids_duplicate_tx_ids:
        _mark_duplicates(verdicts, codes)
    if not capabilities.v2_validation:
        _mark_upgrade_conflicts(verdicts, codes)
    return BlockVerdict(codes, rules.bundle if rules.bundle is not bundle else None)


def _rules(bundle: Bundle, state: CommittedState, keys: KeyLevelPolicies) -> EndorsementRules:
    return EndorsementRules(bundle=bundle, state=state, policies=PolicyEvaluator(bundle), keys=keys)


def _log_invalid(block: Block, bundle: Bundle, verdicts: Sequence[Verdict]) -> None:
    for position, verdict in enumerate(verdicts):
        if verdict.code != TxValidationCode.VALID:
            _log.warning(
                "[%s] block %d transaction %d is invalid: %s: %s",
                bundle.channel_id,
                block.header.number,
                position,
                TxValidationCode.Name(verdict.code),
                verdict.reason,
            )


def _mark_duplicates(verdicts: Sequence[Verdict], codes: list[int]) -> None:
    """Of several good transactions with one id only the first counts."""
    seen: set[str] = set()
    for position, verdict in enumerate(verdicts):
        if not verdict.tx_id:
            continue
        if verdict.tx_id in seen:
            codes[position] = TxValidationCode.DUPLICATE_TXID
        seen.add(verdict.tx_id)


def _mark_upgrade_conflicts(verdicts: Sequence[Verdict], codes: list[int]) -> None:
    """The last upgrade of a chaincode wins; invokes of it in the same block conflict."""
    last: dict[str, int] = {}
    for position, verdict in enumerate(verdicts):
        if verdict.upgraded is None:
            continue
        if verdict.upgraded in last:
            codes[last[verdict.upgraded]] = TxValidationCode.CHAINCODE_VERSION_CONFLICT
        last[verdict.upgraded] = position
    for position, verdict in enumerate(verdicts):
        if verdict.chaincode in last and codes[position] == TxValidationCode.VALID:
            codes[position] = TxValidationCode.CHAINCODE_VERSION_CONFLICT
