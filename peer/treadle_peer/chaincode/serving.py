"""Joins one connected chaincode to the rules of admission."""

from __future__ import annotations

from collections.abc import Callable

from treadle_peer.chaincode.admission import Admission, check_name
from treadle_peer.chaincode.instances import Instance


class Served:
    """The hooks of one instance; ``ccid`` is empty until it asks to be registered."""

    def __init__(
        self,
        instance: Instance,
        admission: Admission,
        stall_timeout: Callable[[str], float | None],
    ) -> None:
        self.ccid = ""
        self._instance = instance
        self._admission = admission
        self._stall_timeout = stall_timeout

    def registering(self, ccid: str) -> None:
        """See Hooks."""
        check_name(ccid)
        self.ccid = ccid
        self._instance.bound_stalls(self._stall_timeout(ccid))
        self._admission.register(self._instance, ccid)

    def ended(self) -> None:
        """See Hooks."""
        self._admission.gone(self._instance)
