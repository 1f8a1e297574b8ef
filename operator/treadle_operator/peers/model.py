"""What reconciling asks of peers."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from treadle_operator.model.developing import Development, DevelopmentPolicy
from treadle_operator.model.peering import (
    Certificate,
    Definition,
    Deployment,
    Phase,
    Purpose,
    Refusal,
    Runtime,
)


class PeerLink(Protocol):
    """One peer. Every method raises PeerUnavailable (worth a retry) or PeerRefused.

    ``runtimes`` is what the peer's watch has told, by ccid, and ``synced`` whether it is complete
    and the watch is up; a peer that serves no treadle.runtime.v1 is never synced.
    """

    @property
    def runtimes(self) -> Mapping[str, Runtime]:
        """What the peer requires now, by ccid; complete when ``synced``."""
        ...

    @property
    def refusals(self) -> Collection[Refusal]:
        """The registrations that the peer has refused since its start."""
        ...

    @property
    def developments(self) -> Mapping[str, Development]:
        """The chaincodes that the peer leaves to developers, by ccid; complete when ``synced``."""
        ...

    @property
    def development_refusal(self) -> str:
        """Why the peer does not take what ``apply_policies`` asked for last; empty: it does."""
        ...

    @property
    def synced(self) -> bool:
        """Whether ``runtimes`` is complete and kept up to date."""
        ...

    async def require(self, ccid: str, execute_timeout: timedelta | None) -> Runtime:
        """Want a runtime whose transactions may take so long, None: as long as the peer lets any;
        asking again wants a failed one anew.

        Refused: NOT_FOUND when the package is not installed.
        """
        ...

    async def release(self, ccid: str) -> None:
        """Want a runtime no more; one that is not there is fine."""
        ...

    async def report(
        self,
        ccid: str,
        phase: Phase,
        message: str,
        *,
        log_tail: str = "",
        pod_addresses: Collection[str] = (),
    ) -> Runtime:
        """Tell how far a runtime is. Refused: NOT_FOUND for one that is not required."""
        ...

    async def issue(
        self, ccid: str, purpose: Purpose, lifetime: timedelta | None = None, *, holder: str = ""
    ) -> Certificate:
        """A certificate, for developers also of one holder of the policy. Refused: NOT_FOUND,
        RESOURCE_EXHAUSTED when there are too many.
        """
        ...

    async def apply_policies(self, policies: Sequence[DevelopmentPolicy]) -> None:
        """Leave these chaincodes to developers, and no others. Refused: FAILED_PRECONDITION."""
        ...

    async def retire(self, fingerprint: str) -> None:
        """End a certificate; idempotent."""
        ...

    async def channels(self) -> frozenset[str]:
        """The channels that the peer has joined."""
        ...

    async def create_channel(self, name: str, capability: str) -> None:
        """Make a channel of the embedded ordering and join it; one that is joined is fine."""
        ...

    async def installed(self) -> Mapping[str, str]:
        """The packages of the legacy lifecycle: ``name:version`` to the lower-case hex of the
        fingerprint that Fabric gives them.
        """
        ...

    async def install(self, data: bytes) -> None:
        """Install a package (CDS or signed CDS)."""
        ...

    async def definition(self, channel: str, name: str) -> Definition | None:
        """The committed definition; None when there is none. Refused: no such channel."""
        ...

    async def instantiated(self, channel: str) -> Mapping[str, str]:
        """The versions of a channel's chaincodes, by name. Refused: no such channel."""
        ...

    async def members(self, channel: str) -> tuple[str, ...]:
        """The MSP IDs of the channel's application organisations, sorted."""
        ...

    async def connected(self) -> frozenset[str]:
        """The ccids of which any process is connected, a developer's too."""
        ...

    async def deploy(
        self, channel: str, deployment: Deployment, *, upgrade: bool, within: float
    ) -> None:
        """Instantiate or upgrade, and wait for the commit. Refused with the peer's words.

        *within* seconds Init has to answer.
        """
        ...


class Peers(Protocol):
    """All peers that are spoken with."""

    async def link(self, namespace: str, peer: str) -> PeerLink:
        """The link to a Peer; raises PeerUnavailable when there is no way to it, and KubeError."""
        ...

    async def refresh(self, namespace: str, peer: str) -> PeerLink:
        """The link to a Peer as its Secrets are now: opened anew when they have changed."""
        ...

    async def drop(self, namespace: str, peer: str) -> None:
        """Close the link to a Peer that is gone."""
        ...
