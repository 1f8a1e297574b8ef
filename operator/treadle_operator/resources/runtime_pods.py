"""The pods of chaincode: one that was built, an image's own, a bridge to a server. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from treadle_operator.model import (
    ChaincodeServer,
    Manifest,
    PrebuiltImage,
    RuntimeSettings,
)
from treadle_operator.resources.runtime_parts import (
    CERTIFICATE_FOLDER,
    CHAINCODE,
    RuntimeOf,
    certificate_volume,
    container,
    empty,
    given_env,
    own_env,
    pod_spec,
)

_FOLDER: Final = "/treadle/chaincode"
_BRIDGE: Final = "/treadle/bridge"
_SERVER: Final = "/treadle/server"
_TMP: Final = "/tmp"  # noqa: S108 - a volume of the pod's own
_BRIDGED: Final = "127.0.0.1:7052"
"""Where the bridge listens that stands for the peer in the pod of an image."""
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
_DRAIN_SECONDS: Final = 10
_GRACE_SECONDS: Final = _DRAIN_SECONDS + 15
_DRAIN: Final[Manifest] = {"exec": {"command": ["/bin/sh", "-c", f"sleep {_DRAIN_SECONDS}"]}}
"""Before a pod that goes is told so, it ends what it works on: the operator tells the peer which
pods stay, and they get what begins from then on.
"""
_KNOWN: Final = {"certificate": CERTIFICATE_FOLDER}
_TLS_FILES: Final = ("ca.crt", "tls.crt", "tls.key")


def runtime_pod(
    runtime: RuntimeOf, *, ours: str, image: str, settings: RuntimeSettings, output_sha256: str
) -> Manifest:
    """The spec of the pod; *ours* is the peer's image, *image* what runs the chaincode."""
    match runtime.prebuilt:
        case PrebuiltImage():
            return _image_pod(runtime, ours=ours, image=image, settings=settings)
        case ChaincodeServer() as server:
            return _server_pod(runtime, server, ours=ours, settings=settings)
    return _built_pod(
        runtime, ours=ours, image=image, settings=settings, output_sha256=output_sha256
    )


def _built_pod(
    runtime: RuntimeOf, *, ours: str, image: str, settings: RuntimeSettings, output_sha256: str
) -> Manifest:
    output = container(
        "output",
        image=ours,
        command=("treadle-pod", "output"),
        env=own_env(runtime, TREADLE_OUTPUT_SHA256=output_sha256),
        mounts={"chaincode": _FOLDER, "tmp": _TMP},
        read_only=_KNOWN,
        resources=_OURS,
    )
    serves = runtime.language in _SERVERS
    chaincode = container(
        CHAINCODE,
        image=image,
        command=("/bin/sh", f"{_FOLDER}/start.sh"),
        env=_env(settings, own_env(runtime)),
        mounts={"tmp": _TMP},
        # The bridge has the certificate: who only listens needs none.
        read_only={"chaincode": _FOLDER} if serves else {"chaincode": _FOLDER, **_KNOWN},
        resources=settings.resources or _DEFAULT,
    )
    return _pod(
        runtime,
        settings,
        init=[output, *([_bridge(runtime, ours)] if serves else [])],
        containers=[{**chaincode, "lifecycle": {"preStop": _DRAIN}}],
        volumes=[empty("chaincode", limit="4Gi")],
    )


def _image_pod(runtime: RuntimeOf, *, ours: str, image: str, settings: RuntimeSettings) -> Manifest:
    """The image's own command, which dials the bridge beside it as it would dial a peer."""
    listen = container(
        "bridge",
        image=ours,
        command=("treadle-pod", "listen", "--address", _BRIDGED, "--folder", _BRIDGE),
        env=own_env(runtime),
        mounts={"bridge": _BRIDGE, "tmp": _TMP},
        read_only=_KNOWN,
        resources=_OURS,
    )
    begun = {
        "exec": {"command": ["test", "-s", f"{_BRIDGE}/ca.crt"]},
        "periodSeconds": 1,
        "timeoutSeconds": 5,
        "failureThreshold": 120,
    }
    chaincode = container(
        CHAINCODE,
        image=image,
        env=_image_env(runtime, settings),
        mounts={"tmp": _TMP},
        read_only={"bridge": _BRIDGE, **_KNOWN},
        resources=settings.resources or _DEFAULT,
    )
    return _pod(
        runtime,
        settings,
        init=[{**listen, "restartPolicy": "Always", "startupProbe": begun}],
        containers=[chaincode],
        volumes=[empty("bridge", limit="1Mi")],
    )


def _server_pod(
    runtime: RuntimeOf, server: ChaincodeServer, *, ours: str, settings: RuntimeSettings
) -> Manifest:
    secret = server.secret
    files = {"server": _SERVER} if secret else {}
    dial = container(
        "dial",
        image=ours,
        command=("treadle-pod", "dial", *(("--tls", _SERVER) if secret else ())),
        env=own_env(runtime, TREADLE_SERVER=server.address),
        mounts={"tmp": _TMP},
        read_only={**_KNOWN, **files},
        resources=settings.resources or _OURS,
    )
    volumes: list[Manifest] = []
    if secret is not None:
        items = [{"key": name, "path": name} for name in _TLS_FILES]
        # A server that asks for no certificate needs ca.crt alone.
        source = {"secretName": secret.name, "items": items, "defaultMode": 0o440}
        volumes.append({"name": "server", "secret": {**source, "optional": True}})
    return _pod(runtime, settings, init=[], containers=[dial], volumes=volumes)


def _pod(
    runtime: RuntimeOf,
    settings: RuntimeSettings,
    *,
    init: Sequence[Manifest],
    containers: Sequence[Manifest],
    volumes: Sequence[Manifest],
) -> Manifest:
    spec = pod_spec(
        runtime,
        init=init,
        containers=containers,
        volumes=[*volumes, empty("tmp", limit="1Gi"), certificate_volume(runtime.name)],
        placement={
            "nodeSelector": dict(settings.node_selector),
            "tolerations": list(settings.tolerations),
            "affinity": dict(settings.affinity),
            "imagePullSecrets": list(settings.image_pull_secrets),
        },
    )
    return {"terminationGracePeriodSeconds": _GRACE_SECONDS, **spec}


def _env(settings: RuntimeSettings, ours: Iterable[Manifest]) -> list[Manifest]:
    """What people set, and ours, which holds: the API server refuses one name twice."""
    held = list(ours)
    names = {one["name"] for one in held}
    return [*(one for one in given_env(settings.env) if one["name"] not in names), *held]


def _image_env(runtime: RuntimeOf, settings: RuntimeSettings) -> list[Manifest]:
    """What Fabric gives a chaincode (fabric-wire.md §2.6); its peer is the bridge beside it."""
    folder = CERTIFICATE_FOLDER
    ours = {
        "CORE_CHAINCODE_ID_NAME": runtime.ccid,
        "CORE_PEER_ADDRESS": _BRIDGED,
        "CORE_PEER_LOCALMSPID": runtime.peer.spec.msp_id,
        "CORE_PEER_TLS_ENABLED": "true",
        "CORE_PEER_TLS_ROOTCERT_FILE": f"{_BRIDGE}/ca.crt",
        "CORE_TLS_CLIENT_KEY_PATH": f"{folder}/client.key.b64",
        "CORE_TLS_CLIENT_CERT_PATH": f"{folder}/client.crt.b64",
        "CORE_TLS_CLIENT_KEY_FILE": f"{folder}/client.key",
        "CORE_TLS_CLIENT_CERT_FILE": f"{folder}/client.crt",
    }
    given = {one.name for one in settings.env}
    # Nothing but /tmp can be written to; people may know a better place, and other levels.
    adjustable = {
        "HOME": _TMP,
        "CORE_CHAINCODE_LOGGING_LEVEL": "info",
        "CORE_CHAINCODE_LOGGING_SHIM": "warning",
    }
    ours |= {name: value for name, value in adjustable.items() if name not in given}
    return _env(settings, ({"name": name, "value": value} for name, value in ours.items()))


def _bridge(runtime: RuntimeOf, image: str) -> Manifest:
    """A native sidecar: it begins before the chaincode and ends after it."""
    sidecar = container(
        "bridge",
        image=image,
        command=("treadle-pod", "bridge"),
        env=own_env(runtime),
        mounts={"tmp": _TMP},
        read_only=_KNOWN,
        resources=_OURS,
    )
    return {**sidecar, "restartPolicy": "Always"}
