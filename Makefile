# `make run` and `make test` need Python 3.11 or later, and nothing else.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PORT ?= 8000
export VAR_DIR ?= ./var

.DEFAULT_GOAL := help
.PHONY: help run test check bench-import bench-search messages lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The virtual environment follows the lock file: its stamp is newer, or it is made again.
$(VENV)/.stamp: requirements-dev.lock pyproject.toml .ci/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or later is needed; name it: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "Python's venv module is missing (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@echo "Installing the locked dependencies into $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .ci/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: $(VENV)/.stamp ## Start everything, with a demo community: PORT=8000 VAR_DIR=./var MEMBERS=2000
	@exec $(BIN)/filieres run --members $(or $(MEMBERS),2000)

test: $(VENV)/.stamp ## Run every check and every test
	@$(BIN)/python tests/run.py

check: $(VENV)/.stamp ## Run the static checks alone
	@$(BIN)/python tests/run.py --static

bench-import: $(VENV)/.stamp ## Measure the import of members, with baselines in the same run: SIZES="5000 50000"
	@$(BIN)/python -m benchmarks.imports --rows $(or $(SIZES),5000 50000) $(FLAGS)

bench-search: $(VENV)/.stamp ## Measure the search, with baselines in the same run: SIZES="2000 20000 100000"
	@$(BIN)/python -m benchmarks.search --members $(or $(SIZES),2000 20000 100000) $(FLAGS)

messages: $(VENV)/.stamp ## Collect the texts to translate into the catalogues
	@$(BIN)/python .ci/messages.py

lock: $(VENV)/.stamp ## Write the lock files; the newest of everything: FLAGS=--upgrade
	@$(BIN)/python .ci/lock.py $(FLAGS)

clean: ## Remove the virtual environment and the caches; the data in VAR_DIR stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
