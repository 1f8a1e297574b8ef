"""The programs of a node: their configuration files, and the commands that start them."""

from __future__ import annotations

import json
from typing import Any

import yaml
from cluster.layout import DNS_SERVICE, NODE, PODS, SERVICES, TOOLS_IMAGE, Layout
from harness.kubernetes.control_plane import ControlPlane

_CRI = '[plugins."io.containerd.grpc.v1.cri"'
_DISABLED = ["aufs", "btrfs", "devmapper", "zfs"]

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


def containerd(layout: Layout) -> list[str]:
    """Its own root, state and socket; pods get addresses of a bridge."""
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": PODS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    network = {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, portmap]}
    networks = layout.folder / "cni"
    networks.mkdir()
    (networks / "10-pods.conflist").write_text(json.dumps(network))
    disabled = [f"io.containerd.snapshotter.v1.{name}" for name in _DISABLED]
    lines = [
        "version = 2",
        f'root = "{layout.folder}/containerd/root"',
        f'state = "{layout.folder}/containerd/state"',
        f"disabled_plugins = {json.dumps(disabled)}",
        "[grpc]",
        f'address = "{layout.containerd_socket}"',
        '[plugins."io.containerd.internal.v1.opt"]',
        f'path = "{layout.folder}/containerd/opt"',
        f"{_CRI}]",
        f'sandbox_image = "{TOOLS_IMAGE}"',
        # Without CAP_SYS_RESOURCE a process cannot be protected more than containerd is.
        "restrict_oom_score_adj = true",
        f"{_CRI}.cni]",
        'bin_dir = "/usr/lib/cni"',
        f'conf_dir = "{networks}"',
        f"{_CRI}.containerd.runtimes.runc]",
        'runtime_type = "io.containerd.runc.v2"',
    ]
    return ["containerd", "--config", str(layout.write("containerd.toml", "\n".join(lines)))]


def kubelet(layout: Layout, plane: ControlPlane) -> list[str]:
    """The node's agent, as the identity that the API server's Node authorizer knows."""
    identity = plane.certificates.issue(f"system:node:{NODE}", groups=["system:nodes"])
    kubeconfig = layout.folder / "kubelet.kubeconfig"
    plane.write_kubeconfig(kubeconfig, identity)
    certificate, key = plane.certificates.issue("kubelet", hosts=[NODE, layout.node_address])
    names = layout.write("resolv.conf", f"nameserver {layout.node_address}\n")
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.node_address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(plane.certificates.authority)},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(certificate),
        "tlsPrivateKeyFile": str(key),
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "resolvConf": str(names),
        "volumePluginDir": str(layout.folder / "volume-plugins"),
        "podLogsDir": str(layout.folder / "pod-logs"),
        "nodeStatusUpdateFrequency": "5s",
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "50Mi"},
        **_of_a_guest(layout),
    }
    file = layout.write("kubelet.yaml", yaml.safe_dump(config))
    return [
        str(layout.binaries / "kubelet"),
        f"--config={file}",
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NODE}",
        f"--node-ip={layout.node_address}",
    ]


def _of_a_guest(layout: Layout) -> dict[str, Any]:
    """What a kubelet needs to be content with a machine that is not its own."""
    return {
        "failCgroupV1": False,
        "failSwapOn": False,
        "featureGates": {"KubeletInUserNamespace": True},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{layout.name}",
        "enforceNodeAllocatable": [],
        "localStorageCapacityIsolation": False,
    }


def kube_proxy(layout: Layout, plane: ControlPlane) -> list[str]:
    """Services, by rules of the cluster's own network namespace."""
    identity = plane.certificates.issue("system:kube-proxy")
    kubeconfig = layout.folder / "kube-proxy.kubeconfig"
    plane.write_kubeconfig(kubeconfig, identity)
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": PODS,
        "hostnameOverride": NODE,
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "conntrack": {"maxPerCore": 0, "min": 0},
        "iptables": {"minSyncPeriod": "100ms", "syncPeriod": "10s"},
    }
    file = layout.write("kube-proxy.yaml", yaml.safe_dump(config))
    return [str(layout.binaries / "kube-proxy"), f"--config={file}"]


def coredns(layout: Layout, plane: ControlPlane) -> list[str]:
    """Names of Services and pods; every other name does not exist."""
    zones = f"cluster.local {SERVICES} {PODS}"
    corefile = f"""
{zones} {{
  bind {layout.node_address}
  errors
  ready {layout.node_address}:8181
  kubernetes {zones} {{
    kubeconfig {plane.kubeconfig}
    pods insecure
    ttl 5
  }}
}}
. {{
  bind {layout.node_address}
  errors
  template IN ANY . {{
    rcode NXDOMAIN
  }}
}}
"""
    return [str(layout.binaries / "coredns"), "-conf", str(layout.write("Corefile", corefile))]


def provisioner(layout: Layout, plane: ControlPlane) -> list[str]:
    """Folders of the node as volumes of claims."""
    paths = {"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [f"{layout.folder}/volumes"]}
    file = layout.write("local-path.json", json.dumps({"nodePathMap": [paths]}))
    return [
        str(layout.binaries / "local-path-provisioner"),
        "start",
        f"--config={file}",
        f"--kubeconfig={plane.kubeconfig}",
        "--namespace=kube-system",
        "--service-account-name=default",
        f"--helper-image={TOOLS_IMAGE}",
    ]
