"""The container engine, spoken to through its socket. The only place that imports ``docker``.

Every call blocks and may take seconds: callers use threads. Docker and Podman both answer here,
and nothing is mounted from this machine, so that the engine may be on another one.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import BinaryIO, Concatenate, Final, ParamSpec, Protocol, TypeVar, cast

from treadle_fabric.redaction import without_credentials

from treadle_peer.config import ContainersConfig

USER: Final = "10001:10001"
"""Who runs in containers: nobody that an image knows."""

QUICK_SECONDS: Final = 10.0
"""For what an engine does at once, and for what a peer's start and stop wait for."""

_SECONDS: Final = 120.0
_MOST_WORDS: Final = 500
_P = ParamSpec("_P")
_R = TypeVar("_R")


class EngineError(Exception):
    """The engine cannot be reached, or refused; the text says which, and why."""


class EngineMissingError(Exception):
    """The Python package that speaks with engines is not installed."""


class MissingImageError(EngineError):
    """There is no such image, and it cannot be fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerPlan:
    """A container before it exists. ``environment`` comes on top of the image's own."""

    image: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)


class Output(Protocol):
    """What a container prints, piece by piece."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class _Library(Protocol):
    """The low-level client of the package ``docker``, as far as it is used here."""

    def create_host_config(self, **options: object) -> object: ...
    def create_container(self, image: str, **options: object) -> Mapping[str, str]: ...
    def put_archive(self, container: str, path: str, data: BinaryIO | bytes) -> bool: ...
    def get_archive(self, container: str, path: str) -> tuple[Iterator[bytes], object]: ...
    def attach(self, container: str, *, stream: bool) -> Output: ...
    def start(self, container: str) -> None: ...
    def stop(self, container: str, timeout: int) -> None: ...
    def wait(self, container: str, timeout: float | None) -> Mapping[str, int]: ...
    def remove_container(self, container: str, *, v: bool, force: bool) -> None: ...
    def containers(self, *, all: bool, filters: Mapping[str, str]) -> list[Mapping[str, str]]: ...
    def inspect_container(self, container: str) -> Mapping[str, Mapping[str, object]]: ...
    def inspect_image(self, image: str) -> Mapping[str, str]: ...
    def pull(self, repository: str) -> str: ...
    def close(self) -> None: ...


def _told(
    method: Callable[Concatenate[Engine, _P], _R],
) -> Callable[Concatenate[Engine, _P], _R]:
    """Whatever the library and what lies below it raise becomes an EngineError."""

    @wraps(method)
    def wrapper(self: Engine, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self.errors():
            return method(self, *args, **kwargs)

    return wrapper


class Engine:
    """One engine. All methods block and raise EngineError; any thread may call them."""

    def __init__(self, settings: ContainersConfig) -> None:
        """Connects only when it is first needed. Raises EngineMissingError."""
        self._settings = settings
        self._libraries: dict[float, _Library] = {}
        try:
            self._package = importlib.import_module("docker")
        except ModuleNotFoundError as error:
            raise EngineMissingError(str(error)) from error

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turns what the library raises into EngineError."""
        import requests  # comes with docker
        import urllib3

        known = self._package.errors
        try:
            yield
        except known.APIError as error:
            raise EngineError(_short(str(error.explanation or error))) from error
        except (known.DockerException, OSError, requests.RequestException) as error:
            raise self._unreachable(error) from error
        except urllib3.exceptions.HTTPError as error:
            raise self._unreachable(error) from error

    @_told
    def image(self, name: str) -> str:
        """The id of the image *name*, fetched unless it is there; raises MissingImageError."""
        missing = self._package.errors.ImageNotFound
        with contextlib.suppress(missing):
            return self._quick().inspect_image(name)["Id"]
        library = self._connected()
        try:
            library.pull(name)
            return library.inspect_image(name)["Id"]
        except self._package.errors.APIError as error:
            told = _short(str(error.explanation or error))
            raise MissingImageError(
                f"the engine at {self._settings.endpoint} has no image {name} and cannot fetch "
                f"it ({told})"
            ) from error

    @_told
    def create(self, plan: ContainerPlan) -> str:
        """Make a container that does not run yet; its id."""
        library = self._connected()
        made = library.create_container(
            plan.image,
            entrypoint=[plan.arguments[0]],
            command=[*plan.arguments[1:]],
            environment=dict(plan.environment),
            labels=dict(plan.labels),
            user=USER,
            working_dir="/",
            use_config_proxy=False,
            host_config=self._host_config(library),
        )
        return made["Id"]

    @_told
    def put(self, container: str, *, folder: str, archive: BinaryIO | bytes) -> None:
        """Unpack the tar *archive* in *folder*, which must be there."""
        self._connected().put_archive(container, folder, archive)

    @_told
    def get(self, container: str, *, path: str, into: BinaryIO, most: int) -> None:
        """Write the tar of *path* to *into*; EngineError when it has more than *most* bytes."""
        chunks, _ = self._connected().get_archive(container, path)
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise EngineError(f"the output of the build is larger than {most} bytes")
            into.write(chunk)

    @_told
    def output(self, container: str) -> Output:
        """What *container* prints from now on, until it ends; also of one not yet started."""
        return self._connected().attach(container, stream=True)

    @_told
    def start(self, container: str) -> None:
        """Start it."""
        self._connected().start(container)

    @_told
    def wait(self, container: str) -> int:
        """Wait for its end, however long; its exit code."""
        return self._connected().wait(container, timeout=None)["StatusCode"]

    @_told
    def stop(self, container: str, *, grace: float) -> None:
        """SIGTERM, and SIGKILL after *grace* seconds; fine when it is gone, or refused.

        Who wants to be sure removes it.
        """
        with contextlib.suppress(self._package.errors.APIError):
            self._quick().stop(container, timeout=round(grace))

    @_told
    def remove(self, container: str) -> None:
        """Kill and forget it; fine when it is gone."""
        with contextlib.suppress(self._package.errors.NotFound):
            self._quick().remove_container(container, v=True, force=True)

    @_told
    def labelled(self, label: str) -> Sequence[str]:
        """The ids of all containers with *label* (name=value), running or not."""
        found = self._quick().containers(all=True, filters={"label": label})
        return [each["Id"] for each in found]

    @_told
    def address(self, container: str) -> str:
        """The running container's address in its network; empty in the host's."""
        networks = self._quick().inspect_container(container)["NetworkSettings"]["Networks"]
        attached = cast("Mapping[str, Mapping[str, str]]", networks)
        return next((each["IPAddress"] for each in attached.values() if each["IPAddress"]), "")

    def close(self) -> None:
        """Close idle connections."""
        for library in self._libraries.values():
            library.close()

    def _quick(self) -> _Library:
        """For calls that somebody's start or stop waits for."""
        return self._connected(QUICK_SECONDS)

    def _connected(self, seconds: float = _SECONDS) -> _Library:
        """A client that waits so long for each answer; raises what the library raises."""
        if seconds not in self._libraries:
            given = self._settings.tls
            tls = (
                False
                if given is None
                else self._package.tls.TLSConfig(
                    client_cert=(str(given.certificate), str(given.key)),
                    ca_cert=str(given.authority),
                    verify=True,
                )
            )
            # It asks for the engine's version first: a question that is answered at once.
            client = self._package.APIClient(
                base_url=self._settings.endpoint, version="auto", timeout=QUICK_SECONDS, tls=tls
            )
            client.timeout = seconds
            self._libraries[seconds] = cast("_Library", client)
        return self._libraries[seconds]

    def _host_config(self, library: _Library) -> object:
        told = self._settings
        given = {
            "network_mode": told.network,
            "mem_limit": told.memory_bytes,
            # Without it a container may take as much again in swap.
            "memswap_limit": told.memory_bytes,
            "pids_limit": told.processes,
            "cpu_shares": told.cpu_shares,
            "cpu_quota": told.cpu_quota,
            "cpu_period": told.cpu_period,
            "cgroup_parent": told.cgroup_parent,
            "dns": list(told.name_servers),
            "dns_search": list(told.search_domains),
            "extra_hosts": list(told.extra_hosts),
        }
        return library.create_host_config(
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            # What it prints is kept by the peer, in files of bounded size.
            log_config={"Type": "none", "Config": {}},
            **{name: value for name, value in given.items() if value},
        )

    def _unreachable(self, error: Exception) -> EngineError:
        told = _short(str(error))
        return EngineError(f"the engine at {self._settings.endpoint} does not answer: {told}")


def _short(text: str) -> str:
    return " ".join(without_credentials(text).split())[:_MOST_WORDS]
