"""The real controllers and scheduler beside an API server: Jobs, Deployments, claims, deletion."""

from __future__ import annotations

from harness.kubernetes.control_plane import ControlPlane

# What lets nodes of other machines go, hands out addresses or signs is not needed here.
_UNUSED = (
    "node-ipam-controller",
    "node-route-controller",
    "service-lb-controller",
    "cloud-node-lifecycle-controller",
)


def start_controllers(plane: ControlPlane) -> None:
    """kube-controller-manager and kube-scheduler beside *plane*; they end with it."""
    plane.start("kube-controller-manager", _manager(plane))
    plane.start("kube-scheduler", _common(plane, "kube-scheduler"))


def _manager(plane: ControlPlane) -> list[str]:
    _, private = plane.service_accounts
    return [
        *_common(plane, "kube-controller-manager"),
        f"--root-ca-file={plane.certificates.authority}",
        f"--service-account-private-key-file={private}",
        "--allocate-node-cidrs=false",
    ]


def _common(plane: ControlPlane, name: str) -> list[str]:
    return [
        str(plane.binaries / name),
        f"--kubeconfig={plane.kubeconfig}",
        f"--authentication-kubeconfig={plane.kubeconfig}",
        f"--authorization-kubeconfig={plane.kubeconfig}",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ]
