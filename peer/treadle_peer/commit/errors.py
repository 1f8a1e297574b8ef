"""What can keep a block or a transaction from being committed."""

from __future__ import annotations

from fabric_protos.peer.transaction_pb2 import TxValidationCode


class BlockRefused(Exception):
    """The block is not the one the channel waits for, or nobody entitled signed it.

    The ledger is unchanged; another orderer may send a better one.
    """


class ValidationHalted(Exception):
    """The block cannot be judged at all, as with a config transaction that does not apply.

    Committing anything could leave this peer's state different from all others', so the channel
    stops here, as Fabric's does.
    """


class InvalidTransaction(Exception):
    """One transaction is invalid; ``code`` is what the block records for it."""

    def __init__(self, code: TxValidationCode.ValueType, text: str) -> None:
        super().__init__(text)
        self.code = code


class EndorsementFailure(InvalidTransaction):
    """A policy or a rule of the endorsement plugin is not satisfied."""

    def __init__(self, text: str) -> None:
        super().__init__(TxValidationCode.ENDORSEMENT_POLICY_FAILURE, text)
