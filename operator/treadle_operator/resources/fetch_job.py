"""The Job that gets the sources of a ChaincodePackage, packs them and hands them over. Pure.

Nothing in it is known to a peer or to the API server. The sources come from a container of their
own image, or from the network; only the last container, ours, sees the certificate by which the
operator and it know each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from treadle_operator.model import (
    MANAGER,
    PACKAGE_LABEL,
    VERSION,
    ArchiveSource,
    ChaincodePackage,
    ImageFiles,
    Kind,
    Manifest,
    Peer,
    items_at,
    text_at,
)
from treadle_operator.names import fetch_name
from treadle_operator.resources.images import Images
from treadle_operator.resources.runtime_parts import container, empty, nobodys_pod

SERVE: Final = "serve"
PORT: Final = 8443

_CERTIFICATE: Final = "/treadle/certificate"
_TOOL: Final = "/treadle/tool"
_WORK: Final = "/treadle/work"
_TMP: Final = "/tmp"  # noqa: S108 - a volume of the pod's own
_SECONDS: Final = 900
_KEPT: Final = 300  # after a failure, for people to look at; then it is tried again
_READ_ONLY: Final = 0o440
_RESOURCES: Final[Manifest] = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"memory": "2Gi"},
}


def fetch_labels(package: str) -> dict[str, object]:
    """Labels of the Job, its pods and its Secret."""
    return {
        "app.kubernetes.io/name": "treadle-fetch",
        "app.kubernetes.io/part-of": "treadle",
        "app.kubernetes.io/managed-by": MANAGER,
        PACKAGE_LABEL: package,
    }


def fetch_job(package: ChaincodePackage, peer: Peer, images: Images) -> Manifest:
    """The Job; *peer* is one that shall get the package: its image and its registry are used."""
    labels = fetch_labels(package.meta.name)
    owner = {"apiVersion": VERSION, "kind": Kind.PACKAGE.value, "controller": True}
    identity = {"name": package.meta.name, "uid": package.meta.uid}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": fetch_name(package.meta.name),
            "namespace": package.meta.namespace,
            "labels": labels,
            "ownerReferences": [{**owner, **identity}],
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": _SECONDS,
            "ttlSecondsAfterFinished": _KEPT,
            "template": {"metadata": {"labels": labels}, "spec": _pod(package, peer, images)},
        },
    }


def handover_metadata(package: ChaincodePackage, job: Manifest) -> Manifest:
    """Metadata of the Secret with the certificate of *job*; it goes with it."""
    name, uid = (text_at(job, "metadata", key) for key in ("name", "uid"))
    return {
        "name": name,
        "namespace": package.meta.namespace,
        "labels": fetch_labels(package.meta.name),
        "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid}],
    }


def is_of_package(live: Manifest, package: ChaincodePackage) -> bool:
    """Whether a stored Job was made for this very object, not for one before it."""
    owners = items_at(live, "metadata", "ownerReferences")
    return any(text_at(owner, "uid") == package.meta.uid for owner in owners)


def _pod(package: ChaincodePackage, peer: Peer, images: Images) -> Manifest:
    ours = peer.spec.pod.image or images.peer
    name = fetch_name(package.meta.name)
    handover = {"secretName": name, "defaultMode": _READ_ONLY}
    spec = nobodys_pod(
        init=[*_getting(package, ours), _own("freeze", ours, _naming(package))],
        containers=[_serving(ours)],
        volumes=[
            empty("work", limit="2Gi"),
            empty("tmp", limit="2Gi"),
            empty("tool", limit="16Mi"),
            {"name": "certificate", "secret": handover},
        ],
        placement={"imagePullSecrets": list(peer.spec.pod.image_pull_secrets)},
    )
    return {"restartPolicy": "Never", **spec}


def _getting(package: ChaincodePackage, ours: str) -> list[Manifest]:
    source = package.spec.source
    if isinstance(source, ArchiveSource):
        env = {"TREADLE_ARCHIVE_URL": source.url}
        if source.sha256 is not None:
            env["TREADLE_ARCHIVE_SHA256"] = source.sha256
        return [_own("fetch", ours, env)]
    if isinstance(source, ImageFiles):
        copying = container(
            "copy",
            image=source.image,
            command=(f"{_TOOL}/busybox", "cp", "-R", f"{source.path}/.", f"{_WORK}/source/"),
            env=(),
            mounts={"work": _WORK},
            read_only={"tool": _TOOL},
            resources=_RESOURCES,
        )
        return [_own("tool", ours, {}), copying]
    raise TypeError(f"{type(source).__name__} needs no Job")


def _own(step: str, image: str, env: Mapping[str, str]) -> Manifest:
    places = {"work": _WORK, "tmp": _TMP, **({"tool": _TOOL} if step == "tool" else {})}
    return container(
        step,
        image=image,
        command=("treadle-pod", step),
        env=[{"name": name, "value": value} for name, value in env.items()],
        mounts=places,
        read_only={},
        resources=_RESOURCES,
    )


def _serving(image: str) -> Manifest:
    serving = container(
        SERVE,
        image=image,
        command=("treadle-pod", SERVE),
        env=(),
        mounts={"tmp": _TMP},
        read_only={"work": _WORK, "certificate": _CERTIFICATE},
        resources=_RESOURCES,
    )
    return {
        **serving,
        "ports": [{"name": "handover", "containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
    }


def _naming(package: ChaincodePackage) -> Mapping[str, str]:
    spec = package.spec
    language = spec.language.value if spec.language else ""
    return {
        "TREADLE_NAME": spec.name,
        "TREADLE_VERSION": spec.version,
        "TREADLE_LANGUAGE": language,
    }
