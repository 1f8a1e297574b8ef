#!/usr/bin/env bash
# Build real Kubernetes programs once, outside the repository, and print the folder they are in.
#   tools/kubernetes-binaries.sh [control-plane|controllers|node|all]     (control-plane when nothing is said)
# TREADLE_KUBERNETES_BIN names a folder that has them already.
# An interrupted run goes on where it was: each program is put in place when it is whole.
set -euo pipefail

version=v1.35.4
here=$(cd "$(dirname "$0")/.." && pwd)
folder=${TREADLE_KUBERNETES_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/treadle/kubernetes-$version/bin}
info=k8s.io/component-base/version
stamp="-X $info.gitVersion=$version -X $info.gitMajor=1 -X $info.gitMinor=35 -X $info.gitTreeState=clean"

control_plane=(kube-apiserver kubectl helm)
controllers=(kube-controller-manager kube-scheduler)
node=(kubelet kube-proxy coredns local-path-provisioner)
case ${1:-control-plane} in
  control-plane) programs=("${control_plane[@]}") ;;
  controllers) programs=("${control_plane[@]}" "${controllers[@]}") ;;
  node) programs=("${controllers[@]}" "${node[@]}") ;;
  all) programs=("${control_plane[@]}" "${controllers[@]}" "${node[@]}") ;;
  *) echo "kubernetes-binaries: unknown part $1; say control-plane, controllers, node or all" >&2; exit 2 ;;
esac

package_of() { # program: the folder of its go.mod below tests/tools/kubernetes, its Go package
  case $1 in
    coredns) echo coredns github.com/coredns/coredns ;;
    local-path-provisioner) echo local-path-provisioner github.com/rancher/local-path-provisioner ;;
    helm) echo helm helm.sh/helm/v3/cmd/helm ;;
    *) echo kubernetes "k8s.io/kubernetes/cmd/$1" ;;
  esac
}

build() { # program; prepared beside the final place, so that half a program is never mistaken for a whole one
  local recipe package
  read -r recipe package <<<"$(package_of "$1")"
  # Go writes the sums of everything it chose beside go.mod: not into the repository.
  mkdir -p "$work/$recipe"
  cp "$here/tests/tools/kubernetes/$recipe/go.mod" "$work/$recipe/"
  echo "kubernetes-binaries: building $1" >&2
  local begun=$SECONDS
  (cd "$work/$recipe" && CGO_ENABLED=0 go build -mod=mod -trimpath -ldflags "-s -w $stamp" -o "$folder/$1.part" "$package") >&2
  mv "$folder/$1.part" "$folder/$1"
  echo "kubernetes-binaries: $1 took $((SECONDS - begun)) s" >&2
}

missing() { for program in "${programs[@]}"; do [ -x "$folder/$program" ] || echo "$program"; done; }

if [ -n "$(missing)" ]; then
  command -v go >/dev/null || {
    echo "kubernetes-binaries: go is not installed; it builds the real Kubernetes programs" >&2
    exit 1
  }
  mkdir -p "$folder"
  exec 9>"$folder/.lock"
  flock 9
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  for program in $(missing); do build "$program"; done
fi
(cd "$folder" && pwd)
