"""How a proposal can fail before, while and after its chaincode runs (fabric-wire.md §4.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Fault(Enum):
    """The kinds of failure that Fabric's metrics tell apart."""

    INVALID = auto()
    UNKNOWN_CHANNEL = auto()
    DUPLICATE = auto()
    FORBIDDEN = auto()
    SIMULATION = auto()
    INIT = auto()
    PLUGIN = auto()
    CHAINCODE_STATUS = auto()
    """The chaincode answered with a status from 400 to 499, which is not endorsed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A fault and what it is about; both names are empty for a proposal that is not genuine."""

    fault: Fault
    channel_id: str = ""
    chaincode_name: str = ""


class ProposalRefused(Exception):
    """The proposal itself is bad or not allowed: becomes a gRPC error UNKNOWN with this text.

    ``failure`` is ``None`` where Fabric counts none: for an expired certificate.
    """

    def __init__(self, text: str, failure: Failure | None = None) -> None:
        super().__init__(text)
        self.failure = failure


class AccessDenied(Exception):
    """A policy does not let the signer use a resource; the text is Fabric's."""


class EndorsementError(Exception):
    """The work failed: becomes a response with status 500 and this text, without payload.

    ``failure`` is ``None`` where Fabric counts none: for a chaincode that is not defined.
    """

    def __init__(self, text: str, failure: Failure | None = None) -> None:
        super().__init__(text)
        self.failure = failure
