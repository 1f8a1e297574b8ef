#!/usr/bin/env bash
# Build the real Fabric 2.5.9 tools once, outside the repository, and print the folder they are in.
# Tests use them as the reference. TREADLE_FABRIC_BIN names a folder that has them already.
set -euo pipefail

version=2.5.9
module=github.com/hyperledger/fabric
tools=(peer orderer configtxgen configtxlator cryptogen osnadmin discover)
here=$(cd "$(dirname "$0")/.." && pwd)
folder=${TREADLE_FABRIC_BIN:-${XDG_CACHE_HOME:-$HOME/.cache}/treadle/fabric-$version/bin}

complete() {
  for tool in "${tools[@]}"; do [ -x "$folder/$tool" ] || return 1; done
  [ -f "$folder/../sampleconfig/core.yaml" ]
}

if ! complete; then
  command -v go >/dev/null || { echo "fabric-binaries: go is not installed; it builds the real Fabric tools" >&2; exit 1; }
  # All of it is prepared beside the final place, so that an interrupted build is never mistaken for a whole one.
  work=$(mktemp -d)
  trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
  mkdir "$work/module" "$work/bin"
  cp "$here/tests/tools/fabric/go.mod" "$work/module/"
  cd "$work/module"
  echo "fabric-binaries: building Fabric $version (about two minutes, once)" >&2
  for tool in "${tools[@]}"; do
    go build -mod=mod -o "$work/bin/$tool" "$module/cmd/$tool" >&2
  done
  samples=$(go list -mod=mod -m -f '{{.Dir}}' "$module")/sampleconfig
  mkdir -p "$folder" "$folder/../sampleconfig"
  cp -r --no-preserve=mode "$samples/." "$folder/../sampleconfig/"
  mv "$work/bin/"* "$folder/"
fi
(cd "$folder" && pwd)
