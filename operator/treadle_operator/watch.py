"""kopf as the watcher: every event of our kinds and their children becomes a Seen.

The only importer of kopf. Only ``on.event`` is used: it writes nothing, keeps nothing, and has no
say in what happens next (kopf's change handlers cannot be woken by a child's event). It runs in a
thread with a loop of its own, because kopf ends every task of its loop when it stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final

import kopf

from treadle_operator.kube import (
    CLAIMS,
    CONFIG_MAPS,
    DEPLOYMENTS,
    INSTANTIATIONS,
    JOBS,
    NETWORK_POLICIES,
    PACKAGES,
    PEERS,
    PODS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    STATEFUL_SETS,
    Resource,
)
from treadle_operator.model import CCID_ANNOTATION, GROUP, MANAGER, integer_at, mapping_at, text_at

_log: Final = logging.getLogger(__name__)

OWN: Final = (PEERS, PACKAGES, INSTANTIATIONS)
CHILDREN: Final = (
    STATEFUL_SETS,
    DEPLOYMENTS,
    JOBS,
    SERVICES,
    SERVICE_ACCOUNTS,
    NETWORK_POLICIES,
    PODS,
    CLAIMS,
)
REFERENCED: Final = (SECRETS, CONFIG_MAPS)
"""Watched whole: people make them, without our labels."""

_OURS: Final = f"app.kubernetes.io/managed-by={MANAGER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An object was there, has changed, or is gone (``gone``).

    ``ccid`` is the runtime's that it belongs to, empty for most objects.
    """

    kind: str
    namespace: str
    name: str
    generation: int
    labels: Mapping[str, str]
    ccid: str
    gone: bool


Sink = Callable[[Seen], object]


async def watch(namespaces: Collection[str], sink: Sink, *, ready: asyncio.Event) -> None:
    """Watch until cancelled; *sink* is called in the loop of the caller.

    ``ready`` is set when all watches have begun. Raises what ends kopf, for example when the
    operator may not list a kind.
    """
    loop = asyncio.get_running_loop()
    thread = _Thread(
        namespaces=frozenset(namespaces),
        tell=lambda seen: loop.call_soon_threadsafe(sink, seen),
        begun=lambda: loop.call_soon_threadsafe(ready.set),
    )
    running = asyncio.create_task(asyncio.to_thread(thread.run))
    try:
        await asyncio.shield(running)
    finally:
        thread.stop()
        await asyncio.wait([running])
        if running.exception() is not None:
            _log.error("watching has ended: %s", running.exception())


@dataclass(slots=True, kw_only=True)
class _Thread:
    """kopf in a loop of its own. All its flags are of that loop: one that a thread waits for would
    keep the loop from ending when kopf gives up by itself.
    """

    namespaces: Collection[str]
    tell: Sink
    begun: Callable[[], object]
    _flag: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=Future)

    def run(self) -> None:
        asyncio.run(self._operate())

    def stop(self) -> None:
        """Ask kopf to end; from any thread, also when it has ended or not begun."""
        self._flag.add_done_callback(_raise)

    async def _operate(self) -> None:
        stop, started = asyncio.Event(), asyncio.Event()
        self._flag.set_result((asyncio.get_running_loop(), stop))
        announcing = asyncio.create_task(self._announce(started))
        try:
            await kopf.operator(
                registry=_registry(self.tell),
                settings=_settings(),
                namespaces=self.namespaces,
                standalone=True,
                # Otherwise it asks for the user's name, and a pod's user has none. (A NewType of
                # str that kopf does not export.)
                identity="treadle-operator",  # type: ignore[arg-type]
                stop_flag=stop,
                ready_flag=started,
            )
        finally:
            announcing.cancel()

    async def _announce(self, started: asyncio.Event) -> None:
        await started.wait()
        self.begun()


def _raise(flag: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
    loop, stop = flag.result()
    with contextlib.suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(stop.set)


def _registry(tell: Sink) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_login)
    for resource in (*OWN, *CHILDREN, *REFERENCED):
        on_event = kopf.on.event(*_coordinates(resource), id="seen", registry=registry)
        on_event(_handler(resource, tell))
    return registry


def _handler(resource: Resource, tell: Sink) -> Callable[..., None]:
    def seen(*, event: Mapping[str, Any], **_: object) -> None:
        body = event["object"]
        labels = mapping_at(body, "metadata", "labels")
        tell(
            Seen(
                kind=resource.kind,
                namespace=text_at(body, "metadata", "namespace"),
                name=text_at(body, "metadata", "name"),
                generation=integer_at(body, "metadata", "generation"),
                labels={key: str(value) for key, value in labels.items()},
                ccid=text_at(body, "metadata", "annotations", CCID_ANNOTATION),
                gone=event["type"] == "DELETED",
            )
        )

    return seen


def _login(*, settings: kopf.OperatorSettings, **kwargs: Any) -> kopf.ConnectionInfo | None:
    found = kopf.login_with_service_account(settings=settings, **kwargs)
    return found or kopf.login_with_kubeconfig(settings=settings, **kwargs)


def _settings() -> kopf.OperatorSettings:
    # It runs in a thread and gets no signals; that is no news.
    logging.getLogger("kopf._core.reactor.running").setLevel(logging.ERROR)
    settings = kopf.OperatorSettings()
    settings.persistence.finalizer = f"{GROUP}/finalizer"
    settings.peering.standalone = True
    # Namespaces and kinds are given: nothing cluster-wide has to be listed.
    settings.scanning.disabled = True
    settings.posting.enabled = False
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.watching.chunk_size = 500
    for resource in CHILDREN:
        settings.watching.label_selectors[_coordinates(resource)] = _OURS
    return settings


def _coordinates(resource: Resource) -> tuple[str, str, str]:
    group, _, version = resource.api_version.rpartition("/")
    return group, version, resource.plural
