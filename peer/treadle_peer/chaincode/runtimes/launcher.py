"""The launcher ``operator``: launching means requiring; somebody else builds and starts.

Implements ``chaincode.launching.Launcher``. What was started outlives a launch, a failed one and
the peer itself: only a release ends it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.launch import admission
from treadle_peer.chaincode.runtimes.model import Origin, host_of
from treadle_peer.chaincode.runtimes.required import RequiredRuntimes
from treadle_peer.chaincode.streams import StreamPeer
from treadle_peer.execution import ExecutionError

_NO_OPERATOR = (
    "; no operator is connected to treadle.runtime.listenAddress, so nobody would build or start it"
)


class OperatorLauncher:
    """Times in seconds. *committed(ccid)*: whether a channel's definition names it."""

    def __init__(
        self,
        *,
        required: RequiredRuntimes,
        authority: ChaincodeAuthority,
        committed: Callable[[str], bool],
        build_timeout: float,
        startup_timeout: float,
    ) -> None:
        self._required = required
        self._authority = authority
        self._committed = committed
        self._build_timeout = build_timeout
        self._startup_timeout = startup_timeout

    async def launch(self, ccid: str) -> None:
        """Require *ccid*; returns when its build is over. Raises ExecutionError."""
        origin = Origin.COMMITTED if self._committed(ccid) else Origin.CLIENT
        self._required.begin(ccid, origin)
        try:
            async with asyncio.timeout(self._build_timeout):
                await self._required.built(ccid)
        except TimeoutError:
            sentence = (
                f"the build took longer than {self._build_timeout:.0f} s "
                f"(treadle.chaincode.buildTimeout){self._absent()}"
            )
            self._required.give_up(ccid, sentence)
            text = f"error building chaincode: error building image: {sentence}"
            raise ExecutionError(text) from None

    async def stop(self, ccid: str, *, withdrawn: bool = False) -> None:
        """A launch was given up. What the operator started stays: it may yet recover."""
        if withdrawn:
            return  # the operator sees by itself that it is not required any more
        sentence = f"no process registered within {self._startup_timeout:g} s"
        self._required.give_up(ccid, sentence)

    async def close(self) -> None:
        """Nothing of this peer's ends with it."""

    def patience(self, ccid: str) -> str:
        """See Launcher."""
        told = self._required.patience(ccid)
        return f"{told}{self._absent()}" if told else ""

    def admit(self, ccid: str, caller: StreamPeer) -> str | None:
        """None when *caller* holds a certificate that was issued for *ccid*, else the refusal."""
        if caller.fingerprint is None:
            return admission.no_certificate(ccid)
        if self._authority.owner(caller.fingerprint) != ccid:
            return admission.wrong_certificate(ccid, caller.fingerprint, self._authority)
        runtime = self._required.get(ccid)
        if runtime is None or runtime.record.stopped:
            return admission.not_launched(ccid)
        return admission.foreign_pod(ccid, caller) if self.is_leaving(ccid, caller) else None

    def is_leaving(self, ccid: str, caller: StreamPeer) -> bool:
        """Whether the operator counts its pod no more among those that stay."""
        runtime = self._required.get(ccid)
        pods = () if runtime is None else runtime.record.pods
        return bool(pods) and host_of(caller.remote) not in pods

    def _absent(self) -> str:
        return "" if self._required.watched else _NO_OPERATOR
