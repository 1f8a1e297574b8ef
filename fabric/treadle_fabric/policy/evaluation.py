"""What policies are evaluated on: signed data, turned into distinct verified identities.

A signature set is checked once for a whole tree of policies: every policy of a channel sees the
same identities.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from treadle_fabric.identity import Signed
from treadle_fabric.msp import Identity, MSPError, MSPManager

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedData:
    """``identity`` (SerializedIdentity bytes) claims to have signed ``data``."""

    data: Signed = field(repr=False)
    identity: bytes = field(repr=False)
    signature: bytes = field(repr=False)


class Policy(Protocol):
    """Something that a set of signatures satisfies or not."""

    def evaluate(self, signed: Sequence[SignedData]) -> None:
        """Verify the signatures, then evaluate; raises PolicyError.

        Signatures that do not verify and identities that cannot be read are left out.
        """
        ...

    def evaluate_identities(self, identities: Sequence[Identity]) -> None:
        """Evaluate on identities whose signatures have been verified; raises PolicyError."""
        ...


def verified_identities(signed: Iterable[SignedData], msps: MSPManager) -> list[Identity]:
    """The distinct identities with a good signature, in order of appearance.

    A repeated identity is dropped before its signature is looked at, so that nobody can make us
    verify one signature thousands of times.
    """
    found: dict[str, Identity] = {}
    for number, item in enumerate(signed):
        try:
            identity = msps.deserialize(item.identity)
            if identity.unique_id in found:
                _log.debug("signature %d repeats an identity: left out", number)
                continue
            identity.verify(item.data, item.signature)
        except MSPError as error:
            _log.warning("signature %d does not count: %s", number, error)
            continue
        found[identity.unique_id] = identity
    return list(found.values())


def distinct(identities: Iterable[Identity]) -> list[Identity]:
    """The identities without repetitions, in order of first appearance."""
    return list({identity.unique_id: identity for identity in identities}.values())
