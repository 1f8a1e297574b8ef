"""Who may register a chaincode, and who has to go (design §1, fabric-wire.md §1.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from treadle_peer.chaincode.errors import Ending, RegistrationRefused, StreamEnded
from treadle_peer.chaincode.launching import Launcher, Launches
from treadle_peer.chaincode.modes import Mode, Modes
from treadle_peer.chaincode.registry import Connected, Registration, Registry, RuntimeState
from treadle_peer.chaincode.replacing import Replaced, holder_of, replaced_by
from treadle_peer.chaincode.streams import StreamPeer
from treadle_peer.logs import Repeats

log = logging.getLogger(__name__)

_LONGEST_NAME: Final = 256
_CROWDED: Final = (
    "too many streams have not sent their REGISTER message yet; this one made room for another"
)

_OVER: Final = "the development certificate of this stream has ended; come back with a newer one"


def check_name(ccid: str) -> None:
    """Raise RegistrationRefused for what no log line and no table should have to show."""
    if len(ccid) > _LONGEST_NAME or not ccid.isprintable():
        raise RegistrationRefused(
            f"a chaincode name has at most {_LONGEST_NAME} characters, all of them printable",
            Ending.INVALID_ARGUMENT,
        )


def anyone(ccid: str, caller: StreamPeer) -> str | None:
    """Development without certificates: whoever reaches the port may register."""
    return None


def _stays(ccid: str, caller: StreamPeer) -> bool:
    """Nobody else ends processes."""
    return False


def _untold(ccid: str, instances: int) -> None:
    """Nobody wants to know."""


def _unseen(ccid: str, registration: Registration | None) -> None:
    """Nobody wants to know."""


def _lasting(caller: StreamPeer) -> datetime | None:
    """What it came with has no end."""
    return None


def _uncounted(ccid: str, sentence: str, remote: str) -> None:
    """Nobody counts who was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionRules:
    """What the rules depend on.

    ``is_known(ccid)``: an installed package or a definition has this name.
    ``admit_developer(ccid, caller)``: ``None`` or the sentence of refusal.
    ``developer_until(caller)``: when what a developer's process came with ends; ``None``: never.
    ``changed(ccid, n)`` is told how many managed processes of it are at work from now on,
    ``developed(ccid, registration)`` which developer's does, ``refused(ccid, sentence, remote)``
    who was not let in. ``is_leaving(ccid, caller)``: whether a managed process is soon ended.
    Timeouts in seconds: until REGISTER arrives, until a parked chaincode is installed, until a
    managed process whose chaincode is now a developer's has finished what it works on.
    ``max_instances``: managed processes that may share one ccid. ``max_waiting``: parked
    chaincodes of the whole peer, ``max_nameless``: streams that have not sent REGISTER yet; one
    more ends the oldest.
    """

    is_known: Callable[[str], bool]
    admit_developer: Callable[[str, StreamPeer], str | None] = anyone
    developer_until: Callable[[StreamPeer], datetime | None] = _lasting
    changed: Callable[[str, int], None] = _untold
    developed: Callable[[str, Registration | None], None] = _unseen
    refused: Callable[[str, str, str], None] = _uncounted
    is_leaving: Callable[[str, StreamPeer], bool] = _stays
    register_timeout: float = 60.0
    install_timeout: float = 300.0
    handover_timeout: float = 30.0
    max_instances: int = 1
    max_waiting: int = 64
    max_nameless: int = 256


class Admission:
    """Decides on registrations and keeps the registry true to them."""

    def __init__(
        self,
        *,
        rules: AdmissionRules,
        modes: Modes,
        registry: Registry,
        launcher: Launcher | None,
        launches: Launches | None,
        now: Callable[[], datetime],
    ) -> None:
        self._rules = rules
        self._modes = modes
        self._registry = registry
        self._launcher = launcher
        self._launches = launches
        self._now = now
        self._timers: dict[Connected, asyncio.TimerHandle] = {}
        self._nameless: dict[Connected, None] = {}
        self._replaced = Replaced()
        self._finishing: dict[Connected, str] = {}
        self._repeats = Repeats(log)

    def connected(self, instance: Connected) -> None:
        """A stream is there; it has to register in time."""
        seconds = self._rules.register_timeout
        refusal = f"no REGISTER message arrived within {seconds:g} s"
        self._watch(instance, seconds, RegistrationRefused(refusal, Ending.DEADLINE_EXCEEDED))
        self._nameless[instance] = None
        if len(self._nameless) > self._rules.max_nameless:
            oldest = next(iter(self._nameless))
            del self._nameless[oldest]
            oldest.close(RegistrationRefused(_CROWDED, Ending.RESOURCE_EXHAUSTED))

    def register(self, instance: Connected, ccid: str) -> None:
        """Admit or park *instance*, or raise RegistrationRefused."""
        self._nameless.pop(instance, None)
        if self._modes.of(ccid) is Mode.PRODUCTION:
            self._register_managed(instance, ccid)
        else:
            self._register_developer(instance, ccid)

    def installed(self, ccid: str) -> None:
        """A package arrived: admit who waited for it."""
        for registration in self._registry.waiting(ccid):
            self._admit(registration.instance, ccid, Mode.DEVELOPMENT)

    def gone(self, instance: Connected) -> None:
        """The stream ended by itself; only what *instance* owns is removed."""
        self._nameless.pop(instance, None)
        self._unwatch(instance)
        finished = self._finishing.pop(instance, None)
        if finished is not None:
            self._tell(finished)
        now = self._now()
        registration = self._registry.remove(instance, now=now)
        if registration is None or registration.state is not RuntimeState.REGISTERED:
            return
        self._tell(registration.ccid)
        if self._launches is not None and registration.owner == Mode.PRODUCTION.owner:
            lived = (now - registration.since).total_seconds()
            self._launches.died(registration.ccid, lived=lived)

    def evict(self, registration: Registration, reason: StreamEnded) -> None:
        """End a registered or waiting stream with *reason*."""
        self._leave(registration)
        registration.instance.close(reason)

    def end(self, chosen: Callable[[str, StreamPeer], bool], reason: StreamEnded) -> None:
        """End the streams that *chosen* names, also of those that only finish their work."""
        for one in self._registry.all():
            if chosen(one.ccid, one.instance.caller):
                self.evict(one, reason)
        for instance, ccid in [*self._finishing.items()]:
            if chosen(ccid, instance.caller):
                instance.close(reason)

    def _leave(self, registration: Registration) -> None:
        self._unwatch(registration.instance)
        self._registry.remove(registration.instance, now=self._now())
        self._tell(registration.ccid)

    def mode_changed(self, ccid: str) -> None:
        """End the streams and launches that the new mode of *ccid* does not allow.

        A managed process may finish what it works on; it gets nothing new.
        """
        mode = self._modes.of(ccid)
        sentence = f"chaincode {ccid} is now in {mode.value} mode"
        reason = RegistrationRefused(sentence, Ending.PERMISSION_DENIED)
        if mode is Mode.DEVELOPMENT and self._launches is not None:
            self._launches.give_up(ccid, sentence)
        for one in [*self._registry.ready(ccid), *self._registry.waiting(ccid)]:
            if one.owner == mode.owner:
                continue
            if mode is Mode.DEVELOPMENT:
                self._finishing[one.instance] = ccid
                self._leave(one)
                one.instance.finish(reason, within=self._rules.handover_timeout)
            else:
                self.evict(one, reason)
        self._replaced.forget(ccid)
        self._tell(ccid)

    def _register_managed(self, instance: Connected, ccid: str) -> None:
        refusal = self._refusal(ccid, instance.caller)
        if refusal is not None:
            raise RegistrationRefused(refusal, Ending.PERMISSION_DENIED)
        self._replace_same_process(instance, ccid)
        if len(self._registry.ready(ccid)) >= self._rules.max_instances:
            raise RegistrationRefused(f"duplicate chaincodeID: {ccid}", Ending.ALREADY_EXISTS)
        self._admit(instance, ccid, Mode.PRODUCTION)

    def _refusal(self, ccid: str, caller: StreamPeer) -> str | None:
        if self._launcher is None:
            return f"peer will not accept external chaincode connection {ccid} (except in dev mode)"
        return self._launcher.admit(ccid, caller)

    def _replace_same_process(self, instance: Connected, ccid: str) -> None:
        """The holder of a certificate may come back before its old stream is seen dead.

        Pods share a certificate; their addresses tell them apart.
        """
        mine = holder_of(instance.caller)
        for one in self._registry.ready(ccid):
            if mine is not None and holder_of(one.instance.caller) == mine:
                self.evict(one, self._replacement(instance))

    def _register_developer(self, instance: Connected, ccid: str) -> None:
        refusal = self._rules.admit_developer(ccid, instance.caller)
        if refusal is not None:
            raise RegistrationRefused(refusal, Ending.PERMISSION_DENIED)
        present = [*self._registry.ready(ccid), *self._registry.waiting(ccid)]
        self._replaced.check(ccid, instance.caller, present)
        for one in present:
            if one.state is RuntimeState.REGISTERED:
                self._replaced.note(ccid, one.instance.caller, by=instance.caller)
            self.evict(one, self._replacement(instance))
        if self._rules.is_known(ccid):
            self._admit(instance, ccid, Mode.DEVELOPMENT)
        else:
            self._park(instance, ccid)

    def _admit(self, instance: Connected, ccid: str, mode: Mode) -> None:
        self._unwatch(instance)
        self._enter(instance, ccid, RuntimeState.REGISTERED, mode)
        if mode is Mode.DEVELOPMENT:
            self._end_in_time(instance)
        instance.admit()
        self._tell(ccid)
        if self._launches is not None:
            self._launches.registered(ccid)

    def _end_in_time(self, instance: Connected) -> None:
        """A stream lasts no longer than what it came with; the tool comes back with a newer one."""
        end = self._rules.developer_until(instance.caller)
        if end is not None:
            seconds = max((end - self._now()).total_seconds(), 0.0)
            self._watch(instance, seconds, RegistrationRefused(_OVER, Ending.UNAVAILABLE))

    def _tell(self, ccid: str) -> None:
        ready = self._registry.ready(ccid)
        developed = [one for one in ready if one.owner == Mode.DEVELOPMENT.owner]
        finishing = list(self._finishing.values()).count(ccid)
        self._rules.changed(ccid, len(ready) - len(developed) + finishing)
        self._rules.developed(ccid, developed[0] if developed else None)

    def _park(self, instance: Connected, ccid: str) -> None:
        seconds, limit = self._rules.install_timeout, self._rules.max_waiting
        remedy = "install its package, then start the chaincode again"
        if self._registry.all_waiting >= limit:
            raise RegistrationRefused(
                f"chaincode {ccid} is not installed, and {limit} others wait for their packages "
                f"already: {remedy}",
                Ending.RESOURCE_EXHAUSTED,
            )
        refusal = f"chaincode {ccid} was not installed within {seconds:g} s: {remedy}"
        text = f"chaincode {ccid} ({instance.caller.remote}) waits for its package"
        self._repeats.log(logging.INFO, text)
        self._enter(instance, ccid, RuntimeState.WAITING, Mode.DEVELOPMENT)
        self._watch(instance, seconds, RegistrationRefused(refusal, Ending.FAILED_PRECONDITION))

    def _enter(self, instance: Connected, ccid: str, state: RuntimeState, mode: Mode) -> None:
        self._registry.add(ccid, instance, state=state, owner=mode.owner, now=self._now())

    def _replacement(self, newcomer: Connected) -> RegistrationRefused:
        return replaced_by(newcomer.caller, self._now())

    def _watch(self, instance: Connected, seconds: float, refusal: RegistrationRefused) -> None:
        self._unwatch(instance)
        loop = asyncio.get_running_loop()
        self._timers[instance] = loop.call_later(seconds, instance.close, refusal)

    def _unwatch(self, instance: Connected) -> None:
        timer = self._timers.pop(instance, None)
        if timer is not None:
            timer.cancel()
