"""From a delivered block to a committed one: verification, validation, the committer.

Validation is pure: a block, the channel's configuration and its committed state give one code
per transaction. The committer is the only writer of a ledger.
"""

from treadle_peer.commit.committer import Committer
from treadle_peer.commit.errors import BlockRefused, ValidationHalted
from treadle_peer.commit.state import CommittedState
from treadle_peer.commit.validator import BlockVerdict, validate_block
from treadle_peer.commit.verification import verify_block

__all__ = [
    "BlockRefused",
    "BlockVerdict",
    "CommittedState",
    "Committer",
    "ValidationHalted",
    "validate_block",
    "verify_block",
]
