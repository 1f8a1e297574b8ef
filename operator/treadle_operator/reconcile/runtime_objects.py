"""What there is of a runtime in the cluster, and what every step of its reconcile does with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from treadle_operator.errors import Blocked, Forbidden, Rejected
from treadle_operator.kube import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    JOBS,
    PODS,
    SECRETS,
    Kube,
    Resource,
)
from treadle_operator.model import (
    GROUP,
    ChaincodeServer,
    Key,
    Manifest,
    RuntimeSettings,
    Variable,
    at,
    items_at,
    mapping_at,
    text_at,
)
from treadle_operator.model.peering import Runtime
from treadle_operator.names import build_name, runtime_name
from treadle_operator.peers import PeerLink
from treadle_operator.reconcile.children import refused
from treadle_operator.reconcile.world import World
from treadle_operator.resources import differs, secret_data, stamped
from treadle_operator.resources.runtime_parts import (
    BUILDER,
    CHAINCODE,
    RUNTIME_LABEL,
    RuntimeOf,
    is_of_runtime,
)

READABLE: Final = f"{GROUP}/runtime-env"
"""Label of Secrets that chaincode pods may read."""
NOT_READABLE: Final = "SecretNotReadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What is stored of one runtime; pods in no order."""

    name: str
    job: Manifest | None
    deployment: Manifest | None
    secret: Manifest | None
    build_secret: Manifest | None
    pods: list[Manifest]

    def of(self, component: str) -> list[Manifest]:
        """The pods of the builder or of the chaincode."""
        label = ("metadata", "labels", "app.kubernetes.io/component")
        return [pod for pod in self.pods if text_at(pod, *label) == component]

    @property
    def builders(self) -> list[Manifest]:
        """Pods of the present Job; those of an earlier one may still be there."""
        uid = text_at(self.job, "metadata", "uid")
        return [
            pod
            for pod in self.of(BUILDER)
            if text_at(pod, "metadata", "ownerReferences", 0, "uid") == uid
        ]

    @property
    def running(self) -> list[Manifest]:
        """Pods of the Deployment. Labels alone make none: whoever copies them is not admitted."""
        return [pod for pod in self.of(CHAINCODE) if _is_of_deployment(pod, self.name)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One look at a runtime that is required: what the peer says, what is wanted, what there is."""

    key: Key
    world: World
    link: PeerLink
    runtime: Runtime
    of: RuntimeOf
    settings: RuntimeSettings
    live: Live
    now: datetime


def _is_of_deployment(pod: Manifest, name: str) -> bool:
    """Whether the Deployment's ReplicaSet has made it.

    A pod cannot lie about that for long: one whose ReplicaSet is not there is collected, and one
    too many is ended.
    """
    template = text_at(pod, "metadata", "labels", "pod-template-hash")
    return any(
        at(owner, "controller") is True
        and text_at(owner, "kind") == "ReplicaSet"
        and text_at(owner, "name") == f"{name}-{template}"
        for owner in items_at(pod, "metadata", "ownerReferences")
    )


async def look(kube: Kube, namespace: str, peer: str, ccid: str) -> Live:
    """Ask for everything; raises KubeError."""
    name, build = runtime_name(peer, ccid), build_name(peer, ccid)
    job, deployment, secret, build_secret, pods = await asyncio.gather(
        kube.find(JOBS, namespace, build),
        kube.find(DEPLOYMENTS, namespace, name),
        kube.find(SECRETS, namespace, name),
        kube.find(SECRETS, namespace, build),
        kube.list(PODS, namespace, {RUNTIME_LABEL: name}),
    )
    return Live(
        name=name,
        job=job,
        deployment=deployment,
        secret=secret,
        build_secret=build_secret,
        pods=pods,
    )


async def remove(kube: Kube, live: Live, *kinds: str) -> None:
    """Delete the Job (``build``), the Deployment (``run``), with their Secrets; only our own."""
    wanted: list[tuple[Resource, Manifest | None]] = []
    if "run" in kinds:
        wanted += [(DEPLOYMENTS, live.deployment), (SECRETS, live.secret)]
    if "build" in kinds:
        wanted += [(JOBS, live.job), (SECRETS, live.build_secret)]
    for resource, body in wanted:
        if body is not None and is_of_runtime(body, live.name) and not is_leaving(body):
            await kube.delete(resource, body)


def is_leaving(body: Manifest) -> bool:
    """Whether it is being deleted."""
    return bool(mapping_at(body, "metadata").get("deletionTimestamp"))


async def ensure(kube: Kube, wanted: Manifest, live: Manifest | None, *, runtime: str) -> Manifest:
    """Apply what differs, and return what is stored. Raises Blocked and KubeError."""
    if live is not None and not is_of_runtime(live, runtime):
        name = f"{text_at(wanted, 'kind')} {text_at(wanted, 'metadata', 'name')}"
        raise Blocked(
            "NameTaken",
            f"{name} is there already and does not belong to this chaincode; delete it",
        )
    marked = stamped(wanted)
    if live is not None and not differs(marked, live):
        return live
    try:
        return await kube.apply(marked)
    except (Rejected, Forbidden) as error:
        raise refused(wanted, error) from error


async def check_readable(
    kube: Kube, namespace: str, variables: Iterable[Variable]
) -> Mapping[str, bytes]:
    """The values that variables take from Secrets, by the variables' names. Raises Blocked for a
    Secret that pods of chaincode may not read, or that is not there.
    """
    values: dict[str, bytes] = {}
    for name in sorted({one.secret.name for one in variables if one.secret is not None}):
        secret = await kube.find(SECRETS, namespace, name)
        if secret is None:
            raise Blocked("SecretMissing", f"there is no Secret {name}, which env refers to")
        if not _is_readable(secret):
            raise _not_readable(name)
        for one in variables:
            if one.secret is not None and one.secret.name == name:
                values[one.name] = _value(name, one.secret.key, secret)
    return values


async def check_server_secret(kube: Kube, namespace: str, server: ChaincodeServer) -> None:
    """Raise Blocked unless what a pod shows a chaincode server, if anything, is there for that.

    The package names it, and whoever installs one could have any Secret shown to any address.
    """
    if server.secret is None:
        return
    name = server.secret.name
    found = await kube.find(SECRETS, namespace, name)
    if found is None or not secret_data(found).get("ca.crt"):
        raise Blocked(
            "SecretMissing",
            f"there is no Secret {name} with the ca.crt of the chaincode server at "
            f"{server.address}; create it",
        )
    if not _is_readable(found):
        raise _not_readable(name)


def _is_readable(secret: Manifest) -> bool:
    return mapping_at(secret, "metadata", "labels").get(READABLE) == "true"


def _not_readable(name: str) -> Blocked:
    return Blocked(
        NOT_READABLE,
        f"Secret {name} is not for chaincode; if it is: kubectl label secret {name} "
        f"{READABLE}=true",
    )


def _value(name: str, key: str, secret: Manifest) -> bytes:
    data = secret_data(secret)
    if key not in data:
        raise Blocked("SecretInvalid", f"Secret {name} has no {key}, which env refers to")
    return data[key]


async def check_bundle(kube: Kube, namespace: str, name: str) -> None:
    """Raise Blocked unless the ConfigMap with the builder's CA bundle is there."""
    found = await kube.find(CONFIG_MAPS, namespace, name)
    if found is None or not text_at(found, "data", "ca.crt"):
        raise Blocked(
            "BundleMissing",
            f"there is no ConfigMap {name} with a ca.crt, which caBundleRef of the Peer names",
        )
