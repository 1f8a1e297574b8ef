"""The Kubernetes API: server-side apply, create, read, delete. The only importer of ``kubernetes``.

Objects are plain dicts, and paths come from a table of the few kinds we use: no discovery, so
nothing has to be cached on disk or looked up at the start. Every call has a deadline.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
from kubernetes.aio import client, config

from treadle_operator.errors import (
    Conflict,
    Forbidden,
    KubeError,
    NotFound,
    Rejected,
    Unavailable,
)
from treadle_operator.model import MANAGER, VERSION, Manifest, items_at, text_at

_DEADLINE: Final = 20.0  # seconds
_LONGEST_LOG: Final = 16 * 1024  # bytes
_APPLY: Final = "application/apply-patch+yaml"
_ERRORS: Final[Mapping[int, type[KubeError]]] = {
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    408: Unavailable,
    409: Conflict,
    429: Unavailable,
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of the API: group and version, and its name in paths."""

    api_version: str
    kind: str
    plural: str


PEERS: Final = Resource(VERSION, "Peer", "peers")
PACKAGES: Final = Resource(VERSION, "ChaincodePackage", "chaincodepackages")
INSTANTIATIONS: Final = Resource(VERSION, "ChaincodeInstantiation", "chaincodeinstantiations")
STATEFUL_SETS: Final = Resource("apps/v1", "StatefulSet", "statefulsets")
DEPLOYMENTS: Final = Resource("apps/v1", "Deployment", "deployments")
JOBS: Final = Resource("batch/v1", "Job", "jobs")
SERVICES: Final = Resource("v1", "Service", "services")
CONFIG_MAPS: Final = Resource("v1", "ConfigMap", "configmaps")
SERVICE_ACCOUNTS: Final = Resource("v1", "ServiceAccount", "serviceaccounts")
SECRETS: Final = Resource("v1", "Secret", "secrets")
PODS: Final = Resource("v1", "Pod", "pods")
CLAIMS: Final = Resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims")
NETWORK_POLICIES: Final = Resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
EVENTS: Final = Resource("v1", "Event", "events")
LEASES: Final = Resource("coordination.k8s.io/v1", "Lease", "leases")
RESOURCES: Final = {
    each.kind: each
    for each in (
        *(PEERS, PACKAGES, INSTANTIATIONS, STATEFUL_SETS, DEPLOYMENTS, JOBS, SERVICES),
        *(CONFIG_MAPS, SERVICE_ACCOUNTS, SECRETS, PODS, CLAIMS, NETWORK_POLICIES, EVENTS, LEASES),
    )
}


async def connect(kubeconfig: str | None) -> Kube:
    """A client for the cluster of this pod, or of a kubeconfig file.

    Raises Unavailable when there is none.
    """
    configuration = client.Configuration()
    try:
        if kubeconfig is None:
            load: Any = config.load_incluster_config
            load(client_configuration=configuration)
        else:
            load = config.load_kube_config
            await load(config_file=kubeconfig, client_configuration=configuration)
    except config.ConfigException as error:
        raise Unavailable(f"no way to a cluster: {error}") from error
    return Kube(client.ApiClient(configuration))


class Kube:
    """The API server, as the field manager ``treadle-operator``; an async context manager.

    Every method raises a KubeError. ``observe`` is called with verb, resource and status (0: no
    answer) of every call. ``allow`` says how many seconds a write to a namespace may take; it
    raises NotLeading, and is not asked about Leases.
    """

    def __init__(self, api: Any) -> None:
        self._api = api
        self.observe: Callable[[str, str, int], None] = lambda verb, resource, status: None
        self.allow: Callable[[str], float] = lambda namespace: _DEADLINE

    async def __aenter__(self) -> Kube:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._api.close()

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest:
        """One object; raises NotFound."""
        return await self._call("GET", resource, namespace, name)

    async def find(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """One object, or None."""
        try:
            return await self.get(resource, namespace, name)
        except NotFound:
            return None

    async def list(
        self, resource: Resource, namespace: str, labels: Mapping[str, object] | None = None
    ) -> list[Manifest]:
        """All objects with these labels."""
        selector = ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items()))
        query = {"labelSelector": selector} if selector else {}
        answer = await self._call("GET", resource, namespace, query=query)
        return [dict(item) for item in items_at(answer, "items") if isinstance(item, Mapping)]

    async def create(self, manifest: Manifest) -> Manifest:
        """Make an object that is not there yet; raises Conflict when it is."""
        resource = RESOURCES[text_at(manifest, "kind")]
        namespace = text_at(manifest, "metadata", "namespace")
        query = {"fieldManager": MANAGER}
        return await self._call("POST", resource, namespace, body=manifest, query=query)

    async def apply(self, manifest: Manifest, *, part: str = "") -> Manifest:
        """Make the fields of *manifest* so, and give up those that an earlier one had.

        ``part`` is a subresource such as ``status``.
        """
        resource = RESOURCES[text_at(manifest, "kind")]
        metadata = ("metadata", "namespace"), ("metadata", "name")
        namespace, name = (text_at(manifest, *path) for path in metadata)
        query = {"fieldManager": MANAGER, "force": "true"}
        return await self._call(
            "PATCH", resource, namespace, f"{name}/{part}" if part else name, manifest, query
        )

    async def delete(self, resource: Resource, live: Manifest) -> None:
        """Delete this very object, not a later one of its name; one that is gone is fine."""
        metadata = ("metadata", "namespace"), ("metadata", "name"), ("metadata", "uid")
        namespace, name, uid = (text_at(live, *path) for path in metadata)
        options: Manifest = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        try:
            await self._call("DELETE", resource, namespace, name, options)
        except NotFound:
            return

    async def logs(self, namespace: str, pod: str, container: str, *, tail: int) -> str:
        """The last *tail* lines of a container, 16 KiB at most; raises Rejected without any."""
        query = {"container": container, "tailLines": str(tail), "limitBytes": str(_LONGEST_LOG)}
        status, content = await self._send("GET", PODS, namespace, f"{pod}/log", query=query)
        if status >= 400:
            _read(status, content)
        return content.decode(errors="replace")

    async def _call(
        self,
        method: str,
        resource: Resource,
        namespace: str,
        name: str = "",
        body: Manifest | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Manifest:
        return _read(*await self._send(method, resource, namespace, name, body, query))

    async def _send(
        self,
        method: str,
        resource: Resource,
        namespace: str,
        name: str = "",
        body: Manifest | None = None,
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        path = _path(resource, namespace, name)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if method == "PATCH":
            headers["Content-Type"] = _APPLY
        limit = _DEADLINE
        if method != "GET" and resource is not LEASES:
            # A request that is still on its way when others may work is given up.
            limit = min(limit, self.allow(namespace))
        status = 0
        try:
            _, url, headers, body, _ = await self._api.param_serialize(
                method, path, header_params=headers, body=body, auth_settings=["BearerToken"]
            )
            address = f"{url}?{urlencode(query)}" if query else url
            answer = await self._api.call_api(
                method, address, headers, body, _request_timeout=limit
            )
            status, content = answer.status, await answer.read()
        except (OSError, TimeoutError, aiohttp.ClientError) as error:
            raise Unavailable(f"no answer from the API server: {error!r}") from error
        finally:
            self.observe(method, resource.plural, status)
        return status, content


def _path(resource: Resource, namespace: str, name: str) -> str:
    root = "api" if "/" not in resource.api_version else "apis"
    parts = (root, resource.api_version, "namespaces", namespace, resource.plural, name)
    return "/" + "/".join(quote(part) for part in parts if part)


def _read(status: int, content: bytes) -> Manifest:
    try:
        answer = json.loads(content)
    except ValueError:
        answer = {}
    if status < 400 and isinstance(answer, dict):
        return answer
    message = text_at(answer, "message") or content[:200].decode(errors="replace")
    kind = _ERRORS.get(status, Rejected if status < 500 else Unavailable)
    raise kind(f"{message} ({status})")
