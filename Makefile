# Everything needs only python3 with venv, make and a package index.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= auto
PYTEST := $(BIN)/pytest --numprocesses=$(WORKERS) --dist=worksteal
LOCK := tests/requirements.lock
PURE := nats_idle_exporter/activity/*,nats_idle_exporter/removal/*

# Tests start our program hundreds of times: it need not be compiled for each.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv test histories truth chaos soak lint demo servers kill9 bench-state bench-loop \
	bench-scrapes bench-facts clean
.PRECIOUS: $(VENV)/.installed-%

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.installed-demo ## watch a real cluster with forgotten accounts
	$(BIN)/nats-idle-exporter demo $(if $(DURATION),--duration $(DURATION))

test: $(VENV)/.installed-test servers ## run every test, and hold the coverage
	$(PYTEST) --cov --cov-report=
	$(BIN)/coverage report --precision=2 --fail-under=95
	$(BIN)/coverage report --precision=2 --fail-under=100 --include='$(PURE)'

histories: $(VENV)/.installed-test ## tell the proof four times as many histories
	HISTORIES=2000 $(PYTEST) tests/activity/test_histories.py tests/activity/test_resuming.py

chaos: $(VENV)/.installed-fuzz servers ## break answers, networks and inputs; verdicts must hold
	$(BIN)/python -m tests.chaos --json .cache/chaos.json
	$(BIN)/python -m tests.chaos.fuzz
	$(BIN)/pytest tests/chaos

lint: $(VENV)/.installed-test ## check style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

truth: $(VENV)/.installed-test servers ## judge us and the plain query by what scripts did
	$(BIN)/python -m tests.truth $(if $(JSON),--json $(JSON))

kill9: $(VENV)/.installed-test ## kill a saving process 100 times, and look at its file
	KILLS=100 $(BIN)/pytest tests/state/test_kill.py

soak: $(VENV)/.installed-test servers ## run 10,000 cycles in minutes; nothing may grow
	$(BIN)/python -m tests.bench.soak $(CYCLES)

bench-loop: $(VENV)/.installed-test servers ## measure how long the event loop stands still
	$(BIN)/python -m tests.bench.loop $(ACCOUNTS)

bench-scrapes: $(VENV)/.installed-test servers ## measure 200 scrapers and 50 slow readers at once
	$(BIN)/python -m tests.bench.scrapes $(ACCOUNTS)

bench-facts: $(VENV)/.installed-test servers ## measure what asking about accounts costs servers
	$(BIN)/python -m tests.bench.facts $(ACCOUNTS)

bench-state: $(VENV)/.installed-test ## measure what keeping the state costs
	$(BIN)/python -m tests.bench.state $(ACCOUNTS)

servers: $(VENV)/.installed-test ## fetch the nats-servers that the tests start
	$(BIN)/python -m tests.support.servers

venv: $(VENV)/.installed-test ## create the virtual environment for development

clean: ## remove the virtual environment, fetched servers and all caches
	rm -rf $(VENV) .cache .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache dist
	find nats_idle_exporter tests -name __pycache__ -type d -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-%: pyproject.toml $(LOCK) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(LOCK) -e '.[$*]'
	touch $@
