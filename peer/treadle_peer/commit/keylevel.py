"""Endorsement policies of single keys, and their changes within a block (fabric-wire.md §5.5).

Transactions are judged in block order. A key whose policy an earlier transaction of the same
block changes may not be written: the endorsers could not know the new policy. Earlier here means
judged well for that namespace, whatever became of the transaction afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from treadle_fabric.policy import SignedData

from treadle_peer.commit.errors import EndorsementFailure
from treadle_peer.commit.rwset import NamespaceSet
from treadle_peer.commit.state import CommittedState

VALIDATION_PARAMETER = "VALIDATION_PARAMETER"

Require = Callable[[bytes, Sequence[SignedData]], None]


class KeyLevelPolicies:
    """The key-level rules of one block; ``changed`` grows as its transactions are judged."""

    def __init__(self, state: CommittedState) -> None:
        self._state = state
        self._changed: set[tuple[str, str, str]] = set()

    def require(
        self,
        namespace: NamespaceSet | None,
        *,
        name: str,
        policy: bytes,
        signed: Sequence[SignedData],
        evaluate: Require,
        evaluate_key: Require,
    ) -> None:
        """Judge what a transaction writes to namespace *name*; ``None`` when it has no part of it.

        Keys with a policy of their own need that; any other key needs the chaincode's *policy*,
        which is evaluated at least when nothing else was. Raises EndorsementFailure.
        """
        own_policy_used = False
        chaincode_policy_used = False
        for collection, key in namespace.written_keys() if namespace else ():
            parameter = self._parameter(name, collection, key)
            if parameter:
                evaluate_key(parameter, signed)
                own_policy_used = True
            elif not chaincode_policy_used:
                evaluate(policy, signed)
                chaincode_policy_used = True
        if not own_policy_used and not chaincode_policy_used:
            evaluate(policy, signed)

    def record(self, namespace: NamespaceSet | None) -> None:
        """Remember whose policies a transaction changes, once *namespace* is judged well."""
        if namespace is not None:
            keys = namespace.metadata_keys()
            self._changed.update((namespace.name, collection, key) for collection, key in keys)

    def _parameter(self, namespace: str, collection: str, key: str) -> bytes:
        if (namespace, collection, key) in self._changed:
            raise EndorsementFailure(
                f"validation parameters for key [{key}] in namespace [{namespace}:{collection}] "
                "have been changed in an earlier transaction of this block"
            )
        if collection:
            # Policies of private keys are kept with the private data's hashes (not stored yet).
            return b""
        return self._state.get_state_metadata(namespace, key).get(VALIDATION_PARAMETER, b"")
