#!/usr/bin/env bash
# Pin every dependency by version and hash, without download addresses, so that any index serves.
set -euo pipefail
cd "$(dirname "$0")/.."
python=.venv/bin/python
"$python" -m pip install --quiet --disable-pip-version-check "pip-tools>=7.4,<8"
export CUSTOM_COMPILE_COMMAND="make lock"
compile() {
  "$python" -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
    --build-deps-for=editable "$@"
}
compile --output-file requirements/runtime.txt pyproject.toml
compile --extra dev --constraint requirements/runtime.txt --output-file requirements/dev.txt pyproject.toml
