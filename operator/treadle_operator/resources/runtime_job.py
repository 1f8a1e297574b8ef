"""The Job that builds a chaincode. Pure.

Three containers share a folder: ours fetches the package, the toolchain's image builds, ours
stores what came of it. Only ours see the certificate; the toolchain runs what people wrote.
"""

from __future__ import annotations

from typing import Final

from treadle_operator.model import CCID_ANNOTATION, GROUP, Manifest
from treadle_operator.names import build_name
from treadle_operator.resources.durations import seconds
from treadle_operator.resources.images import Images
from treadle_operator.resources.runtime_parts import (
    BUILDER,
    CERTIFICATE_FOLDER,
    RuntimeOf,
    certificate_volume,
    container,
    digest,
    empty,
    given_env,
    own_env,
    pod_spec,
    runtime_metadata,
)

BUILD: Final = f"{GROUP}/build"
"""Annotation: hash of the pod that builds; another one is another build."""
ATTEMPT: Final = f"{GROUP}/attempt"
"""Annotation: how often the runtime had been wanted when the Job was made."""

_WORK: Final = "/treadle/work"
_AUTHORITY: Final = "/treadle/ca"
_TMP: Final = "/tmp"  # noqa: S108 - a volume of the pod's own
_DEFAULT_TIMEOUT: Final = 600.0
_MARGIN: Final = 60  # the peer gives up first, and says why
_KEPT: Final = 600  # after its end, for people to look at
_KILLED: Final = [137, 143]  # by a signal: the node's doing, not the source's
_OURS: Final[Manifest] = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "512Mi"},
}
_TOOLCHAIN: Final[Manifest] = {
    "requests": {"cpu": "250m", "memory": "512Mi"},
    "limits": {"cpu": "4", "memory": "4Gi"},
}


def builder_image(runtime: RuntimeOf, images: Images) -> str | None:
    """Which image builds it; None when nobody has named one for its language."""
    settings = runtime.peer.spec.chaincode.builders.get(runtime.language)
    own = settings.image if settings is not None else None
    return own or images.builders.get(runtime.language)


def builder_job(runtime: RuntimeOf, *, images: Images, image: str, attempt: int) -> Manifest:
    """The Job. A source that does not build is not tried again; a lost node is."""
    name = build_name(runtime.peer.meta.name, runtime.ccid)
    pod = _pod(runtime, images=images, image=image)
    annotations = {BUILD: digest(pod), ATTEMPT: str(attempt)}
    metadata = runtime_metadata(runtime, name=name, component=BUILDER, annotations=annotations)
    timeout = seconds(runtime.peer.spec.chaincode.build_timeout) or _DEFAULT_TIMEOUT
    # Nothing in here may change with the attempt: a Job's template is immutable.
    of_pod = {"labels": metadata["labels"], "annotations": {CCID_ANNOTATION: runtime.ccid}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 2,
            "activeDeadlineSeconds": int(timeout) + _MARGIN,
            "ttlSecondsAfterFinished": _KEPT,
            "podFailurePolicy": {"rules": _rules()},
            "template": {"metadata": of_pod, "spec": pod},
        },
    }


def _rules() -> list[Manifest]:
    lost: Manifest = {"type": "DisruptionTarget", "status": "True"}
    source: Manifest = {"containerName": "build", "operator": "NotIn", "values": _KILLED}
    return [
        {"action": "Ignore", "onPodConditions": [lost]},
        {"action": "FailJob", "onExitCodes": source},
    ]


def _pod(runtime: RuntimeOf, *, images: Images, image: str) -> Manifest:
    peer = runtime.peer.spec
    settings = peer.chaincode.builders[runtime.language]
    ours = peer.pod.image or images.peer
    work = {"work": _WORK, "tmp": _TMP}
    known = {"certificate": CERTIFICATE_FOLDER}

    def own(step: str) -> Manifest:
        return container(
            step,
            image=ours,
            command=("treadle-pod", step),
            env=own_env(runtime),
            mounts=work,
            read_only=known,
            resources=_OURS,
        )

    build = container(
        "build",
        image=image,
        command=("/bin/sh", f"{_WORK}/build.sh"),
        env=given_env(settings.env),
        mounts=work,
        read_only={"authority": _AUTHORITY} if settings.ca_bundle else {},
        resources=_TOOLCHAIN,
    )
    name = build_name(runtime.peer.meta.name, runtime.ccid)
    volumes = [empty("work", limit="8Gi"), empty("tmp", limit="2Gi"), certificate_volume(name)]
    if settings.ca_bundle is not None:
        items = [{"key": "ca.crt", "path": "ca.crt"}]
        bundle = {"name": settings.ca_bundle.name, "items": items}
        volumes.append({"name": "authority", "configMap": bundle})
    spec = pod_spec(
        runtime,
        init=[own("package"), build],
        containers=[own("store")],
        volumes=volumes,
        placement=_placement(runtime),
    )
    return {"restartPolicy": "Never", **spec}


def _placement(runtime: RuntimeOf) -> Manifest:
    """Where the pods of its language run by default, there it is built, too."""
    settings = runtime.peer.spec.chaincode.runtime_defaults
    return {
        "nodeSelector": dict(settings.node_selector),
        "tolerations": list(settings.tolerations),
        "affinity": dict(settings.affinity),
        "imagePullSecrets": list(settings.image_pull_secrets),
    }
