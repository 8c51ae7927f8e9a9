# Every target does its own set-up; all it needs is Python 3.11+ with venv, and make.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo run test chaos fuzz fuzz-coverage fuzz-api security bench lint setup setup-dev clean
.DEFAULT_GOAL := help

help:
	@echo "make demo   start the studio and run the iris LightGBM sweep in it"
	@echo "make run    start the studio"
	@echo "make test   run every test and check"
	@echo "make security  run the long security tests, and look for known vulnerabilities (AUDIT=required)"
	@echo "make bench  measure everything beside its peers, 25 minutes (QUICK=1 ONLY=start,tutorial)"
	@echo "make fuzz   read broken job files and watch (N=100000 SEED=0)"
	@echo "make fuzz-coverage  breed broken job files by the code that they reach (SECONDS=600 SEED=0)"
	@echo "make fuzz-api  send made-up requests to the REST API (N=10000 SEED=0 DATABASE=sqlite)"
	@echo "make chaos  kill, freeze and fill everything (SEEDS=10 KILLS=60 MINUTES= ONLY=R1,R3)"

demo: setup
	@$(BIN)/python manage.py studio --then "demo"

run: setup
	@$(BIN)/python manage.py studio

test: setup-dev
	@$(BIN)/python -m tests.run

# SEEDS: how many, or which (3,7). MINUTES: start no drill after so long. ONLY: R1,R3,…
SEEDS ?= 10
KILLS ?= 60
chaos: setup-dev
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.chaos --seeds "$(SEEDS)" \
	  --kills $(KILLS) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(ONLY),--only "$(ONLY)")

# N: how many broken job files; SEED: which.
N ?= 100000
SEED ?= 0
fuzz: setup-dev
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.fuzz --inputs $(N) --seed $(SEED)

# SECONDS: how long; SEED: which search.
SECONDS ?= 600
fuzz-coverage: setup-dev $(VENV)/.setup-fuzz
	@DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m tests.fuzz.coverage_guided \
	  --seconds $(SECONDS) --seed $(SEED)

# N: how many requests; SEED: which; DATABASE: sqlite or postgresql, which is brought.
fuzz-api: N := 10000
DATABASE ?= sqlite
fuzz-api: setup-dev
	@$(BIN)/python -m tests.api.fuzz --requests $(N) --seed $(SEED) --database $(DATABASE)

# AUDIT=required: fail where the database of known vulnerabilities cannot be asked.
security: setup-dev $(VENV)/.setup-audit
	@$(BIN)/python -m tests.security

# QUICK=1: small sizes, for trying. ONLY: start,tutorial,…
bench: setup $(VENV)/.setup-dev $(VENV)/bench/.complete
	@$(BIN)/python bench/run.py $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

lint: setup-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

setup: $(VENV)/.setup
setup-dev: $(VENV)/.setup-dev $(VENV)/.setup-azure

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "Python is missing: install Python 3.11 or newer, then run make again."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$($(PYTHON) --version) is too old: install Python 3.11 or newer (or make PYTHON=python3.12 …)."; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Python's venv module is missing: install it (on Debian: apt install python3-venv), then run make again."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.setup: requirements.txt | $(VENV)/bin/python
	@echo "Installing the studio's packages (about a minute, once) …"
	@$(BIN)/python -m pip install --quiet --requirement requirements.txt
	@touch $@

$(VENV)/.setup-dev: requirements-dev.txt $(VENV)/.setup
	@echo "Installing what the tests need …"
	@$(BIN)/python -m pip install --quiet --requirement requirements-dev.txt
	@touch $@

# Azure's own client in an environment of its own, for its pins do not go with MLflow's.
$(VENV)/.setup-azure: requirements-azure.txt | $(VENV)/bin/python
	@echo "Installing Azure's client, which the tests of job files compare with …"
	@$(BIN)/python -m venv $(VENV)/azure
	@$(VENV)/azure/bin/python -m pip install --quiet --requirement requirements-azure.txt
	@touch $@

# For one target each, so that no other has to have them.
$(VENV)/.setup-audit: requirements-audit.txt | $(VENV)/bin/python
	@echo "Installing what looks for known vulnerabilities …"
	@$(BIN)/python -m venv $(VENV)/audit
	@$(VENV)/audit/bin/python -m pip install --quiet --requirement requirements-audit.txt
	@touch $@

# Peers in an environment of their own: none of their packages becomes one of the studio's.
$(VENV)/bench/.complete: bench/requirements.txt requirements.txt | $(VENV)/bin/python
	@echo "Installing the peers that are measured beside the studio (a minute or two, once) …"
	@$(BIN)/python -m venv $(VENV)/bench
	@$(VENV)/bench/bin/python -m pip install --quiet --requirement bench/requirements.txt
	@touch $@

$(VENV)/.setup-fuzz: requirements-fuzz.txt | $(VENV)/bin/python
	@echo "Installing what looks at the code that is reached …"
	@$(BIN)/python -m pip install --quiet --requirement requirements-fuzz.txt
	@touch $@

clean:
	rm -rf $(VENV)
