"""The Deployment that runs a chaincode. Pure."""

from __future__ import annotations

from typing import Final

from treadle_operator.model import ChaincodeServer, Manifest, PrebuiltImage, RuntimeSettings
from treadle_operator.resources.images import Images
from treadle_operator.resources.runtime_parts import (
    CHAINCODE,
    RUNTIME_LABEL,
    RuntimeOf,
    runtime_metadata,
)
from treadle_operator.resources.runtime_pods import runtime_pod
from treadle_operator.resources.runtime_secret import CERTIFICATE

_SETTLED_SECONDS: Final = 5  # a process has registered by then, before an old one goes


def runtime_image(runtime: RuntimeOf, images: Images) -> str | None:
    """Which image runs it; None when nobody has named one for its language."""
    match runtime.prebuilt:
        case PrebuiltImage(image):
            return image
        case ChaincodeServer():
            return _ours(runtime, images)
    return images.runtimes.get(runtime.language)


def _ours(runtime: RuntimeOf, images: Images) -> str:
    return runtime.peer.spec.pod.image or images.peer


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
                "spec": runtime_pod(
                    runtime,
                    ours=_ours(runtime, images),
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
