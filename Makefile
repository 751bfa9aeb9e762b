# The Asynchronism Workbook. Targets are thin; the work is in the `workbook` command.
# Works with GNU make 3.81 (macOS) and later. Another Python: make lab PYTHON=python3.13

PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin

# Cheap ones first, so that a small mistake is told early. A new folder under tests/ joins by itself.
SLOW_TESTS := $(wildcard tests/faults tests/notebooks tests/browser tests/install)
FAST_TESTS := $(wildcard tests/test_*.py) \
  $(filter-out $(SLOW_TESTS) tests/__pycache__,$(patsubst %/.,%,$(wildcard tests/*/.)))
TESTS := $(FAST_TESTS) $(SLOW_TESTS)
PYTEST := $(BIN)/python -m pytest

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup setup-test lab demo test lint notebooks bench lock clean FORCE

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(VENV)/.installed  ## Create .venv and install everything the lessons need
	@echo "Ready: $(BIN)/workbook"

lab: $(VENV)/.installed  ## Open the workbook in JupyterLab
	@$(BIN)/workbook lab

demo: $(VENV)/.installed  ## Collapse and rescue without a browser: a table and a picture, under a minute
	@$(BIN)/workbook demo

# Pure tests run on all cores. Those that start processes of ours mostly wait for them: two files of them at a time. The
# rest has the machine for itself: it kills at random, draws for a browser, plays notebooks, installs, compares durations.
test: lint  ## Lint, types and the whole suite; one part: make test ARGS="-k ledger"
	@codes=; \
	$(PYTEST) --part pure -n logical $(TESTS) $(ARGS) || codes=$$codes$$?; \
	$(PYTEST) --part live -n 2 --dist loadfile $(TESTS) $(ARGS) || codes=$$codes$$?; \
	$(PYTEST) --part alone $(TESTS) $(ARGS) || codes=$$codes$$?; \
	case $$codes in ''|5|55) ;; *) exit 1 ;; esac  # 5: nothing of this part was asked for

lint: setup-test  ## Lint, format check and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

notebooks: $(VENV)/.installed  ## Run every notebook anew and store its outputs
	@$(BIN)/python tests/notebooks/store_outputs.py

bench: $(VENV)/.installed-bench  ## Run every benchmark and print each figure with its bar (see benchmarks/README.md)
	@$(BIN)/workbook bench

# Build tools are locked with the rest, so that installing the project downloads nothing unpinned.
lock:  ## Maintainers: write both lock files anew from pyproject.toml (needs uv and Python 3.11 or later)
	@mkdir -p build
	@$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  > build/requires.in
	$(UV) pip compile $(LOCK_OPTIONS) pyproject.toml build/requires.in -o requirements.lock $(ARGS)
	$(UV) pip compile $(LOCK_OPTIONS) pyproject.toml --extra test -c requirements.lock -o requirements-test.lock $(ARGS)
	$(UV) pip compile $(LOCK_OPTIONS) pyproject.toml --extra bench -c requirements.lock -c requirements-test.lock \
	  -o requirements-bench.lock $(ARGS)

LOCK_OPTIONS := --quiet --universal --no-strip-extras --generate-hashes --no-header --no-annotate --python-version 3.11 --no-emit-index-url

clean:  ## Remove .venv and all caches; your recorded runs stay
	rm -rf $(VENV) build .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the virtual environment ------------------------------------------------------------------
# A stamp is written last: an interrupted set-up leaves none and is done again. A changed lock is newer than
# its stamp. `.made` holds the folder it was made in: after a move, or when its Python is gone, it is made anew.

ifneq ($(shell $(BIN)/python -c pass 2>/dev/null && cat $(VENV)/.made 2>/dev/null),$(CURDIR))
$(VENV)/.made: FORCE
endif

$(VENV)/.made:
	@command -v $(firstword $(PYTHON)) >/dev/null 2>&1 || { \
	  echo "No $(PYTHON) on PATH: the workbook needs Python 3.11 or later." \
	       "Install it, or name one you have: make setup PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  "Found Python %d.%d ($(PYTHON)): the workbook needs 3.11 or later. Install one, or name one you have:" \
	  " make setup PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: its venv module is missing." \
	       "On Debian and Ubuntu: sudo apt install python3-venv. Then run make again." >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv --clear $(VENV)
	@pwd -P > $@

$(VENV)/.installed: $(VENV)/.made requirements.lock pyproject.toml
	@echo "Installing the packages of requirements.lock (a minute or two the first time)"
	@$(BIN)/python -m pip install --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.lock
	@echo "Installing the test tools of requirements-test.lock"
	@$(BIN)/python -m pip install --require-hashes -r requirements-test.lock
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed-test requirements-bench.lock
	@echo "Installing what the benchmarks measure against (requirements-bench.lock)"
	@$(BIN)/python -m pip install --require-hashes -r requirements-bench.lock
	@touch $@

setup-test: $(VENV)/.installed-test
FORCE:
