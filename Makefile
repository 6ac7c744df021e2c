# Needs Python >= 3.11, make and a package index; nothing else. `make help` says what there is.

ARGS ?=
STRICT ?=
# The first Python that is new enough; PYTHON=... chooses another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install
# A stamp bears the check sum of what was installed, so that a set-up is done once and again when that changes.
RUN := .venv/run-$(shell cat pyproject.toml requirements/run.txt | cksum | tr ' ' '-')
DEV := .venv/dev-$(shell cat pyproject.toml requirements/dev.txt | cksum | tr ' ' '-')
LOCK := .venv/lock-$(shell cksum < requirements/lock.txt | tr ' ' '-')
COMPILE := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test check bench chaos docs format lock clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 9

demo: $(RUN)  ## the whole chain on this machine, playing one enrolment (ARGS=--once, ARGS=--seize)
	@$(BIN)/wissel demo $(ARGS)

test: $(DEV)  ## every check and every test; STRICT=1 makes a check that could not run a failure
	@$(BIN)/python scripts/check.py --tests $(if $(STRICT),--strict) $(ARGS)

check: $(DEV)  ## format, lint, types, import contracts and budgets, without the tests
	@$(BIN)/python scripts/check.py

bench: $(RUN)  ## milliseconds of platform CPU per message, and where they go
	@PYTHONPATH=. $(BIN)/python scripts/bench.py $(ARGS)

chaos: $(DEV)  ## processes die of kill -9 while learners enrol, and the books are counted (ARGS="--seed 7 --kills 100")
	@PYTHONPATH=. $(BIN)/python scripts/chaos.py $(ARGS)

docs: $(RUN)  ## write the pages that are made from code (docs/errors.md and its like)
	@for page in scripts/docs_*.py; do $(BIN)/python $$page || exit 1; done
	@$(BIN)/python -m wissel.platform.api.document > docs/openapi.json

format: $(DEV)  ## lay out the code, and mend what the linter can mend
	@$(BIN)/ruff format src tests scripts
	@$(BIN)/ruff check --fix src tests scripts

lock: $(DEV) $(LOCK)  ## pin anew, with hashes (ARGS=--upgrade takes the newest releases)
	$(COMPILE) --group build $(ARGS) --output-file requirements/run.txt
	$(COMPILE) --group dev $(ARGS) --output-file requirements/dev.txt

clean:  ## remove what can be made again; data/ stays
	rm -rf .venv node_modules build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Wissel needs Python 3.11 or newer and finds none: install it, or say make PYTHON=/path/to/python."; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian, Ubuntu: python3-venv)."; exit 1; }

$(RUN): | .venv/bin/python
	@echo "Setting up: the packages that Wissel runs on"
	@$(PIP) --require-hashes --requirement requirements/run.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@rm -f .venv/run-* && touch $@

$(DEV): | .venv/bin/python
	@echo "Setting up: the packages that Wissel runs on and is tested with"
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@rm -f .venv/run-* .venv/dev-* && touch $@ $(RUN)

$(LOCK): | $(DEV)
	@$(PIP) --require-hashes --requirement requirements/lock.txt
	@rm -f .venv/lock-* && touch $@
