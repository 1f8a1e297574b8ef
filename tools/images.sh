#!/usr/bin/env bash
# Build the container images once, outside the repository, and print the folder they are in.
#   tools/images.sh [name…]      (all ten when nothing is said; see images/ and docs/images.md)
# What has not changed is not built again. Needs buildah (or docker), go, npm and mvn.
# TREADLE_IMAGES_BASE names the image that all others begin with: debian:bookworm-slim, or
# "debootstrap" for one made without any registry (the default where debootstrap is installed).
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
exec "$here/.venv/bin/python" "$here/tools/images.py" "$@"
