#!/usr/bin/env bash
# Make sure the toolchains that tests drive are there (Debian 12); what is there already is kept.
set -euo pipefail

need() { # command or file, Debian package
  command -v "$1" >/dev/null && return
  echo "ci-install: installing $2 for $1"
  [ -n "${updated:-}" ] || apt-get update -qq
  updated=1
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null
}

need python3 python3
need make make
need node nodejs
need npm npm
need javac openjdk-17-jdk-headless
need mvn maven
need openssl openssl
need strace strace
need etcd etcd-server
# What the local cluster and the images are made with.
need containerd containerd
need runc runc
need /usr/lib/cni/bridge containernetworking-plugins
need iptables iptables
need conntrack conntrack
need ip iproute2
need busybox busybox
need buildah buildah
need skopeo skopeo
need dockerd docker.io
need debootstrap debootstrap
command -v go >/dev/null || { echo "ci-install: Go 1.25 or newer is not installed" >&2; exit 1; }
for tool in "python3 --version" "go version" "node --version" "npm --version" "javac --version" "mvn --version"; do
  printf '%s: %s\n' "${tool%% *}" "$($tool 2>&1 | head -n 1)"
done
