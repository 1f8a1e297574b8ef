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
    "$@"
}
project() {
  compile --build-deps-for=editable "$@" pyproject.toml
}
project --output-file requirements/runtime.txt
project --extra operator --constraint requirements/runtime.txt --output-file requirements/operator.txt
project --extra docker --constraint requirements/runtime.txt --output-file requirements/docker.txt
project --extra watch --constraint requirements/runtime.txt --output-file requirements/watch.txt
project --extra dev --extra operator --extra docker --extra watch --constraint requirements/runtime.txt --output-file requirements/dev.txt
compile --output-file requirements/fuzz.txt requirements/fuzz.in
