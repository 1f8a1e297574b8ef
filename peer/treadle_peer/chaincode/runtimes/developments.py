"""Chaincodes that developers run on a peer of an operator: opened, closed, and who is connected.

What closes is durable before it takes effect, and everything that follows from the set is done
again at the next start: a crash in between leaves no certificate that counts without a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from treadle_fabric.identity import IssuedCertificate

from treadle_peer.chaincode.authority import ChaincodeAuthority
from treadle_peer.chaincode.certificates import LastingCertificate, Purpose
from treadle_peer.chaincode.modes import Mode
from treadle_peer.chaincode.registry import Registration
from treadle_peer.chaincode.runtimes.policies import Policies, Policy
from treadle_peer.chaincode.streams import StreamPeer


class NotAllowed(Exception):
    """This peer's configuration opens nothing for development; the sentence says so."""


class NotOpen(Exception):
    """The chaincode is not open for development."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Development:
    """One chaincode, as an operator sees it; ``since`` is when it was connected or was not (UTC),
    None for one that is not open. Certificates count for one ``opening`` only."""

    ccid: str
    open: bool
    connected: bool = False
    developer: str = ""
    remote: str = ""
    since: datetime | None = None
    opening: str = ""
    holders: tuple[str, ...] = ()


class Developments:
    """*allowed*: whether the peer opens anything. *set_mode* puts a chaincode into a mode, None for
    the peer's own; *evict_retired* ends the streams whose certificates are retired; *changed* is
    called with each ccid that is to be told anew.
    """

    def __init__(
        self,
        *,
        policies: Policies,
        authority: ChaincodeAuthority,
        allowed: bool,
        set_mode: Callable[[str, Mode | None], None],
        evict_retired: Callable[[], None],
        changed: Callable[[str], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._policies = policies
        self._authority = authority
        self._allowed = allowed
        self._set_mode = set_mode
        self._evict_retired = evict_retired
        self._changed = changed
        self._now = now
        self._rows: dict[str, Development] = {}

    def take_up(self) -> None:
        """Open what was open before a restart; nothing where that is not allowed any more."""
        if not self._allowed:
            self._policies.replace({})
        self._authority.retire_unless(self._is_held, Purpose.DEVELOPMENT)
        for ccid in self._policies.known:
            self._open(ccid)

    def apply(self, policies: Mapping[str, Policy]) -> None:
        """These are open, and no others. Raises NotAllowed for any where none is."""
        if policies and not self._allowed:
            raise NotAllowed(
                "this peer opens no chaincode for development: "
                "treadle.chaincode.allowDevelopment is false"
            )
        # Not what is stored: an earlier try may have failed between that and its effect.
        before = frozenset(self._rows)
        self._policies.replace(policies)
        self._authority.retire_unless(self._is_held, Purpose.DEVELOPMENT)
        for ccid in sorted(before - policies.keys()):
            self._close(ccid)
        self._evict_retired()
        for ccid in sorted(policies.keys() - before):
            self._open(ccid)
        for ccid, row in sorted(self._rows.items()):
            self._tell(replace(row, holders=policies[ccid].holders))

    def is_open(self, ccid: str) -> bool:
        """Whether developers run it."""
        return ccid in self._policies.known

    def policy(self, ccid: str) -> Policy | None:
        """What holds for it; None: it is not open."""
        return self._policies.get(ccid)

    def get(self, ccid: str) -> Development:
        """As it is now."""
        return self._rows.get(ccid, Development(ccid=ccid, open=False))

    def rows(self) -> list[Development]:
        """All that are open, ordered by ccid."""
        return [self._rows[ccid] for ccid in sorted(self._rows)]

    def issue(
        self, ccid: str, lifetime: timedelta | None, *, holder: str
    ) -> tuple[IssuedCertificate, datetime]:
        """A certificate for its developers, and its end. Raises NotOpen, also for a *holder* that
        the policy does not name.
        """
        policy = self._policies.get(ccid)
        if policy is None:
            raise NotOpen(f"chaincode {ccid} is not open for development")
        if holder not in policy.holders:
            raise NotOpen(f"chaincode {ccid} is open for development, but not for {holder}")
        made = self._authority.issue_lasting(ccid, Purpose.DEVELOPMENT, lifetime, holder=holder)
        self._evict_retired()
        return made

    def ends_at(self, caller: StreamPeer) -> datetime | None:
        """When the certificate that *caller* shows ends; None for one that was not issued."""
        issued = self._authority.lasting(caller.fingerprint or "")
        return None if issued is None else issued.not_after

    def connected(self, ccid: str, registration: Registration | None) -> None:
        """A developer's process of *ccid* takes transactions from now on, or none does."""
        row = self._rows.get(ccid)
        if row is None:
            return
        if registration is None:
            if row.connected:
                # Not ``_opened``: after a try that failed half way it may be no policy any more.
                self._tell(
                    replace(row, connected=False, developer="", remote="", since=self._now())
                )
            return
        caller = registration.instance.caller
        self._tell(
            replace(
                row,
                connected=True,
                developer=caller.who,
                remote=caller.remote,
                since=registration.since,
            )
        )

    def _open(self, ccid: str) -> None:
        self._rows[ccid] = self._opened(ccid)
        self._set_mode(ccid, Mode.DEVELOPMENT)
        self._changed(ccid)

    def _opened(self, ccid: str) -> Development:
        """Open, and nobody is connected."""
        # Without the authority that signed them the certificates are as dead as by a closing.
        content = self._policies.opening(ccid).encode() + self._authority.certificate_pem
        opening = sha256(content).hexdigest()[:32]
        policy = self._policies.known[ccid]
        return Development(
            ccid=ccid, open=True, since=self._now(), opening=opening, holders=policy.holders
        )

    def _is_held(self, one: LastingCertificate) -> bool:
        """Whether anybody may still show it."""
        policy = self._policies.get(one.ccid)
        return policy is not None and one.holder in policy.holders

    def _close(self, ccid: str) -> None:
        del self._rows[ccid]
        self._set_mode(ccid, None)
        self._changed(ccid)

    def _tell(self, row: Development) -> None:
        if self._rows[row.ccid] != row:
            self._rows[row.ccid] = row
            self._changed(row.ccid)
