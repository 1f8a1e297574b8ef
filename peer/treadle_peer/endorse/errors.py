"""How a proposal can fail before, while and after its chaincode runs (fabric-wire.md §4.3)."""

from __future__ import annotations


class ProposalRefused(Exception):
    """The proposal itself is bad or not allowed: becomes a gRPC error UNKNOWN with this text."""


class AccessDenied(Exception):
    """A policy does not let the signer use a resource; the text is Fabric's."""


class EndorsementError(Exception):
    """The work failed: becomes a response with status 500 and this text, without payload."""
