# What can be made here: setup run test check format bench chaos fuzz eval fit lock sbom audit clean
# The environment is made in .venv, from the lock files alone; nothing is installed again while they stay as they are.

# python3 if it is new enough, else the newest that is.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$name" && break; done)
PIP_INSTALL = .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes
BIN = .venv/bin/python
ARGS ?=

.PHONY: setup run test check format bench chaos fuzz eval fit lock sbom audit clean
.DELETE_ON_ERROR:
.DEFAULT_GOAL := setup

# A moved or updated Python leaves an environment that cannot run: it is made anew.
$(shell test -x .venv/bin/python || rm -rf .venv)

setup: .venv/.development

run: .venv/.runtime
	@exec $(BIN) -m bot $(ARGS)

test: .venv/.development
	$(BIN) -m pytest --numprocesses=auto $(ARGS)

check: .venv/.development
	$(BIN) -m ruff format --check .
	$(BIN) -m ruff check .
	$(BIN) -m mypy
	.venv/bin/lint-imports
	$(BIN) -m bot check
	$(MAKE) --no-print-directory test

format: .venv/.development
	$(BIN) -m ruff check --fix-only .
	$(BIN) -m ruff format .

bench: .venv/.development
	$(BIN) -m tests.benchmarks $(ARGS)

chaos: .venv/.development
	$(BIN) -m tests.chaos $(ARGS)

fuzz: .venv/.development
	$(BIN) -m tests.fuzz $(ARGS)

eval: .venv/.development
	$(BIN) -m tests.evals.report

fit: .venv/.development
	$(BIN) -m tests.evals.fit

# Versions stay as they are where they still fit; `make lock ARGS=--upgrade` takes the newest.
lock:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found." >&2; exit 1; }
	@set -e; tool=$$(mktemp -d); trap 'rm -rf "$$tool"' EXIT; \
	$(PYTHON) -m venv "$$tool"; \
	"$$tool/bin/python" -m pip install --quiet --disable-pip-version-check uv; \
	set -- --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate $(ARGS); \
	"$$tool/bin/uv" pip compile "$$@" --output-file requirements.txt pyproject.toml; \
	"$$tool/bin/uv" pip compile "$$@" --output-file requirements-dev.txt --constraint requirements.txt --group dev pyproject.toml

# The bill of materials of what is locked, CycloneDX in JSON.
sbom: .venv/.development
	$(BIN) -m tests.supply_chain.sbom dist/genai-roles-bot.cdx.json

# Asks PyPI for what is known against the locked versions; not a part of check, which needs no network.
audit:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found." >&2; exit 1; }
	@set -e; tool=$$(mktemp -d); trap 'rm -rf "$$tool"' EXIT; \
	$(PYTHON) -m venv "$$tool"; \
	"$$tool/bin/python" -m pip install --quiet --disable-pip-version-check pip-audit; \
	"$$tool/bin/pip-audit" --strict --require-hashes --disable-pip --requirement requirements.txt $(ARGS)

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist *.egg-info

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found. Name one: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Making the environment in .venv, once …" >&2
	@$(PYTHON) -m venv --clear .venv || { rm -rf .venv; exit 1; }

.venv/.runtime: requirements.txt | .venv/bin/python
	@$(PIP_INSTALL) --requirement requirements.txt
	@touch $@

.venv/.development: requirements-dev.txt | .venv/bin/python
	@$(PIP_INSTALL) --requirement requirements-dev.txt
	@touch .venv/.runtime $@
