"""The Deployment that runs a chaincode. Pure."""

from __future__ import annotations

from typing import Final

from treadle_operator.model import Manifest, RuntimeSettings
from treadle_operator.resources.images import Images
from treadle_operator.resources.runtime_parts import (
    CERTIFICATE_FOLDER,
    CHAINCODE,
    RUNTIME_LABEL,
    RuntimeOf,
    certificate_volume,
    container,
    empty,
    given_env,
    own_env,
    pod_spec,
    runtime_metadata,
)
from treadle_operator.resources.runtime_secret import CERTIFICATE

_FOLDER: Final = "/treadle/chaincode"
_TMP: Final = "/tmp"  # noqa: S108 - a volume of the pod's own
_SERVERS: Final = frozenset({"python"})
"""Languages whose shim only listens: a bridge beside it dials the peer."""
_OURS: Final[Manifest] = {
    "requests": {"cpu": "20m", "memory": "64Mi"},
    "limits": {"memory": "512Mi"},
}
_DEFAULT: Final[Manifest] = {
    "requests": {"cpu": "50m", "memory": "128Mi"},
    "limits": {"memory": "1Gi"},
}
_GRACE_SECONDS: Final = 15
_SETTLED_SECONDS: Final = 5  # a process has registered by then, before an old one goes


def runtime_image(runtime: RuntimeOf, images: Images) -> str | None:
    """Which image runs it; None when nobody has named one for its language."""
    return images.runtimes.get(runtime.language)


def runtime_deployment(
    runtime: RuntimeOf,
    *,
    images: Images,
    image: str,
    settings: RuntimeSettings,
    output_sha256: str,
    certificate: str,
) -> Manifest:
    """The Deployment. ``certificate`` is the fingerprint of the one in the Secret: another one
    replaces the pods, old ones last.
    """
    metadata = runtime_metadata(runtime, name=runtime.name, component=CHAINCODE)
    labels = metadata["labels"]
    own = metadata["annotations"]
    annotations = {**settings.pod_annotations, **(own if isinstance(own, dict) else {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {
            "replicas": settings.replicas or 1,
            "minReadySeconds": _SETTLED_SECONDS,
            "revisionHistoryLimit": 1,
            "selector": {"matchLabels": _selector(runtime)},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "template": {
                "metadata": {
                    "labels": labels,
                    "annotations": {**annotations, CERTIFICATE: certificate},
                },
                "spec": _pod(
                    runtime,
                    images=images,
                    image=image,
                    settings=settings,
                    output_sha256=output_sha256,
                ),
            },
        },
    }


def _selector(runtime: RuntimeOf) -> Manifest:
    """Immutable: nothing that a later version may want to change."""
    return {
        "app.kubernetes.io/name": "treadle-chaincode",
        "app.kubernetes.io/component": CHAINCODE,
        RUNTIME_LABEL: runtime.name,
    }


def _pod(
    runtime: RuntimeOf,
    *,
    images: Images,
    image: str,
    settings: RuntimeSettings,
    output_sha256: str,
) -> Manifest:
    ours = runtime.peer.spec.pod.image or images.peer
    folder = {"chaincode": _FOLDER, "tmp": _TMP}
    known = {"certificate": CERTIFICATE_FOLDER}
    output = container(
        "output",
        image=ours,
        command=("treadle-pod", "output"),
        env=own_env(runtime, TREADLE_OUTPUT_SHA256=output_sha256),
        mounts=folder,
        read_only=known,
        resources=_OURS,
    )
    serves = runtime.language in _SERVERS
    chaincode = container(
        CHAINCODE,
        image=image,
        command=("/bin/sh", f"{_FOLDER}/start.sh"),
        env=_env(runtime, settings),
        mounts={"tmp": _TMP},
        # The bridge has the certificate: who only listens needs none.
        read_only={"chaincode": _FOLDER} if serves else {"chaincode": _FOLDER, **known},
        resources=settings.resources or _DEFAULT,
    )
    spec = pod_spec(
        runtime,
        init=[output, *([_bridge(runtime, ours)] if serves else [])],
        containers=[chaincode],
        volumes=[
            empty("chaincode", limit="4Gi"),
            empty("tmp", limit="1Gi"),
            certificate_volume(runtime.name),
        ],
        placement={
            "nodeSelector": dict(settings.node_selector),
            "tolerations": list(settings.tolerations),
            "affinity": dict(settings.affinity),
            "imagePullSecrets": list(settings.image_pull_secrets),
        },
    )
    return {"terminationGracePeriodSeconds": _GRACE_SECONDS, **spec}


def _env(runtime: RuntimeOf, settings: RuntimeSettings) -> list[Manifest]:
    """What people set, and ours, which holds: the API server refuses one name twice."""
    ours = own_env(runtime)
    names = {one["name"] for one in ours}
    return [*(one for one in given_env(settings.env) if one["name"] not in names), *ours]


def _bridge(runtime: RuntimeOf, image: str) -> Manifest:
    """A native sidecar: it begins before the chaincode and ends after it."""
    sidecar = container(
        "bridge",
        image=image,
        command=("treadle-pod", "bridge"),
        env=own_env(runtime),
        mounts={"tmp": _TMP},
        read_only={"certificate": CERTIFICATE_FOLDER},
        resources=_OURS,
    )
    return {**sidecar, "restartPolicy": "Always"}
