"""The differences that are meant, at most fifteen; docs/differences.md lists them for users."""

from __future__ import annotations

from harness.differential.compare import Deliberate

MOST = 15

DELIBERATE: tuple[Deliberate, ...] = (
    Deliberate(
        conversation="prodbuild",
        field="install[0] details",
        ours="200",
        reason="chaincode is built at instantiate, once for all channels, not at install",
    ),
    Deliberate(
        conversation="produnsolicited",
        field="unsolicited registration[0] details",
        ours="refused",
        reason="a refusal must be seen by the process that is refused; Fabric says nothing",
    ),
)
