# What a developer types. Every target installs what it needs below .venv and build/.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := build/.installed-dev
RUNTIME := build/.installed-runtime
FUZZER := build/.installed-fuzz
SECONDS ?= 60
CLUSTER_FOLDER ?= build/cluster
CLUSTER ?= local

.DEFAULT_GOAL := help

.PHONY: help demo test test-long fuzz lint format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME) ## Run both operating modes with a real Python chaincode (nothing but Python needed)
	$(BIN)/treadle demo

test: lint fabric kubernetes-binaries ## Install what is needed, check the style, run the tests
	$(BIN)/pytest -m "not long and not e2e" $(PYTEST_ARGS)

test-long: $(INSTALLED) fabric cluster-binaries ## Run the tests that take minutes (idle streams, kill -9, big data)
	$(BIN)/pytest -m long $(PYTEST_ARGS)

.PHONY: diff
diff: $(INSTALLED) ## Hold every conversation with a real Fabric peer and with ours, compare all fields
	@tools/fabric-binaries.sh >/dev/null
	$(BIN)/python tools/diff.py $(DIFF_ARGS)

fuzz: $(FUZZER) ## Fuzz the parsers, SECONDS=60 for each TARGET (default: all); see CONTRIBUTING.md
	$(BIN)/python tools/fuzz_parsers.py --seconds $(SECONDS) $(FUZZ_ARGS) $(TARGET)

lint: $(INSTALLED) build/stubs ## Formatting, lint rules, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED) ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: fabric
fabric: ## Build the real Fabric tools that tests compare with (cached outside the repository)
	@tools/fabric-binaries.sh >/dev/null || { [ "$$CI" != true ] && \
	  echo "warning: without the real Fabric tools, the tests that need them are skipped" >&2; }

.PHONY: kubernetes-binaries
kubernetes-binaries: ## Build the real API server, controllers and kubectl that tests ask (cached outside the repository)
	@tools/kubernetes-binaries.sh controllers >/dev/null || { [ "$$CI" != true ] && \
	  echo "warning: without a real API server, the tests that need one are skipped" >&2; }

.PHONY: cluster-binaries cluster-up cluster-down
cluster-binaries: ## Build every program of a real local cluster (cached outside the repository)
	@tools/kubernetes-binaries.sh all >/dev/null || { [ "$$CI" != true ] && \
	  echo "warning: without these programs, the tests that need a cluster are skipped" >&2; }

cluster-up: $(INSTALLED) cluster-binaries ## Start a real one-node cluster as root, print its kubeconfig (CLUSTER_FOLDER=build/cluster)
	@PYTHONPATH=tests $(BIN)/python -m cluster --folder $(CLUSTER_FOLDER) up

cluster-down: $(INSTALLED) ## End it: processes, mounts, links; its logs stay
	@PYTHONPATH=tests $(BIN)/python -m cluster --folder $(CLUSTER_FOLDER) down

.PHONY: images kind-load
images: $(INSTALLED) ## Build the ten container images, print the folder of their archives (BASE=debian:bookworm-slim|debootstrap NAMES=…)
	@TREADLE_IMAGES_BASE=$(BASE) tools/images.sh $(NAMES)

kind-load: $(INSTALLED) ## Build them and load them into a kind cluster (KIND_CLUSTER=kind)
	@TREADLE_IMAGES_BASE=$(BASE) tools/images.sh --kind-load $(or $(KIND_CLUSTER),kind) $(NAMES)

.PHONY: e2e
e2e: $(INSTALLED) fabric ## Install the chart on a real cluster and use it: CLUSTER=local|kind|current K=expression
	@[ "$(CLUSTER)" = current ] || tools/images.sh >/dev/null
	@[ "$(CLUSTER)" != local ] || tools/kubernetes-binaries.sh all >/dev/null
	TREADLE_E2E_CLUSTER=$(CLUSTER) $(BIN)/pytest tests/e2e -m e2e -v $(if $(K),-k "$(K)") $(PYTEST_ARGS)

lock: $(INSTALLED) ## Write the pinned requirements anew
	tools/lock.sh

clean: ## Remove everything that make made here
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): $(BIN)/python requirements/runtime.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p build && touch $@

$(INSTALLED): $(BIN)/python requirements/dev.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@mkdir -p build && touch $@ $(RUNTIME)

$(FUZZER): $(INSTALLED) requirements/fuzz.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/fuzz.txt
	@mkdir -p build && touch $@

build/stubs: $(INSTALLED) tools/proto_stubs.py
	$(BIN)/python tools/proto_stubs.py
