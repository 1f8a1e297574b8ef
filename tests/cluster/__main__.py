"""A local Kubernetes cluster for people: up, down, load ARCHIVE…, kill NAME, start NAME."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cluster.layout import default_binaries, default_folder
from cluster.running import Cluster, up


def main() -> int:
    """Do what the command line says; the exit code."""
    parser = argparse.ArgumentParser(prog="cluster", description=__doc__)
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--binaries", type=Path, default=default_binaries())
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("up", help="start it and print the path of its kubeconfig")
    actions.add_parser("down", help="end it; its logs stay")
    loading = actions.add_parser("load", help="import images; prints their names")
    loading.add_argument("archives", nargs="+", type=Path)
    for action, done in (
        ("kill", "end a program of it as a crash would"),
        ("start", "start it again"),
    ):
        named = actions.add_parser(action, help=done)
        named.add_argument("name", help="as in cluster.json: kube-apiserver, containerd, kubelet …")
    said = parser.parse_args()
    if said.action == "up":
        print(up(said.folder, said.binaries).layout.kubeconfig)
        return 0
    try:
        cluster = Cluster.read(said.folder, said.binaries)
    except FileNotFoundError:
        print(f"there is no cluster in {said.folder}", file=sys.stderr)
        return 0 if said.action == "down" else 1
    if said.action == "load":
        for archive in said.archives:
            print("\n".join(cluster.load(archive)))
        return 0
    if said.action in ("kill", "start"):
        (cluster.kill if said.action == "kill" else cluster.start)(said.name)
        return 0
    left = cluster.down()
    for one in left:
        print(f"left: {one}", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
