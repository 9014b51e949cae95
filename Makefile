# Needs make and Python 3.11 or newer, nothing else.

PYTHON ?= python3
BIN := .venv/bin
ENVIRONMENT_OF := $(PYTHON) scripts/environment.py
LOCK := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links

GATEWAY := --extra amqp --extra grpc --extra nats --extra nginx --extra otel

.DEFAULT_GOAL := help
.PHONY: help run example test test-systems test-image lint fmt check bench docs lock

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 19

run: ## the gateway with a demo, on http://127.0.0.1:8000
	@$(ENVIRONMENT_OF) requirements.lock
	@exec $(BIN)/python manage.py quickstart $(ARGS)

example: ## an example system with its services, such as SYSTEM=isaas
	@$(ENVIRONMENT_OF) requirements-examples.lock
	@VAR_DIR="$${VAR_DIR:-var/examples/$(SYSTEM)}" exec $(BIN)/python manage.py quickstart --example "$(SYSTEM)" $(ARGS)

test: ## every test (ARGS="tests/routing -x" for some of them)
	@$(ENVIRONMENT_OF) requirements-dev.lock requirements-docs.lock
	@exec $(BIN)/python tests/support/run.py $(ARGS)

test-systems: ## the example systems alone, from outside
	@$(ENVIRONMENT_OF) requirements-dev.lock
	@exec $(BIN)/python -m pytest -q tests/systems $(ARGS)

test-image: ## build the image's steps without a container engine and ask it (root, minutes)
	@$(ENVIRONMENT_OF) requirements-dev.lock
	@IMAGE=1 exec $(BIN)/python -m pytest -q tests/architecture/test_dockerfile.py $(ARGS)

lint: ## style, types and the direction of imports
	@$(ENVIRONMENT_OF) requirements-dev.lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: ## rewrite the code in the project's style
	@$(ENVIRONMENT_OF) requirements-dev.lock
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test ## what continuous integration does

bench: ## the gateway beside its peers (QUICK=1: beside Caddy only, under a minute)
	@$(ENVIRONMENT_OF) requirements.lock requirements-bench.lock
	@exec $(BIN)/python -m benchmarks $(ARGS)

docs: ## the documentation site, in var/site
	@$(ENVIRONMENT_OF) requirements-docs.lock
	@NO_MKDOCS_2_WARNING=1 exec $(BIN)/python -m mkdocs build --strict --quiet $(ARGS)

lock: ## compile the lock files from pyproject.toml (needs uv)
	$(LOCK) $(GATEWAY) pyproject.toml -o requirements.lock
	$(LOCK) --all-extras pyproject.toml -c requirements.lock -o requirements-examples.lock
	$(LOCK) --all-extras pyproject.toml --group dev -c requirements-examples.lock -o requirements-dev.lock
	$(LOCK) $(GATEWAY) pyproject.toml --group bench -c requirements-examples.lock -o requirements-bench.lock
	$(LOCK) $(GATEWAY) pyproject.toml --group docs -c requirements-dev.lock -o requirements-docs.lock
	$(LOCK) --group sbom -o requirements-sbom.lock
