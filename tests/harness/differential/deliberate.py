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
    Deliberate(
        conversation="registernameless",
        field="nameless[0] details",
        ours="end, end, end, end, end",
        reason="a refusal must be seen by the process that is refused; Fabric says nothing",
    ),
    Deliberate(
        conversation="registerduplicate",
        field="twice the second, then the first[0] details",
        ours="REGISTERED, READY, end",
        reason="restarting a chaincode under development is the normal loop: the newer serves",
    ),
    Deliberate(
        conversation="registerunknown",
        field="before, then twice after the install[0] details",
        ours="silence, REGISTERED, READY",
        reason="a chaincode may be started before its install, and is admitted then",
    ),
    Deliberate(
        conversation="invokeopen",
        field="the finished caller[0] details",
        ours="silence",
        reason="a Go shim exits on the answer to a request of a transaction that it has finished",
    ),
    Deliberate(
        conversation="errornochannel",
        field="the client[0] details",
        ours="error in simulation: transaction returned with failure: boom",
        reason="the Python shim's ERROR lacks the channel: the client need not wait for a timeout",
    ),
)
