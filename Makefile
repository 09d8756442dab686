# The whole vocabulary: up, test, check, bench, docs.
# `make up` takes DATA=folder and PORT=number.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up test check bench docs

VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.9
DATA ?= sky
PORT ?= 8765

help:
	@echo "make up      the environment, the demonstration sky and the service, with one command"
	@echo "make test    everything the tests need, then every test"
	@echo "make check   lint, types, architecture and the fast tests"
	@echo "make bench   measure side by side with peers"
	@echo "make docs    write the reference pages and build the documentation"

$(BIN)/uv:
	@bash requirements/python.sh $(VENV) $(UV_VERSION)

$(VENV)/.run: requirements/run.txt pyproject.toml | $(BIN)/uv
	@echo "Installing awe (a minute the first time)..."
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/run.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	@echo "Installing what the tests need..."
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/test.txt
	@touch $@

up: $(VENV)/.run
	@$(BIN)/awe up --data $(DATA) --port $(PORT) --demo

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test: $(VENV)/.test
	bash requirements/debian.sh
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2

$(VENV)/.peers: requirements/peers.txt $(VENV)/.test
	@echo "Installing what the benchmarks compare with..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --target $(VENV)/peers --require-hashes -r requirements/peers.txt
	@touch $@

bench: $(VENV)/.peers
	bash requirements/debian.sh
	$(BIN)/python benchmarks/run.py

docs: $(VENV)/.test
	$(BIN)/python docs/generate.py
	$(BIN)/sphinx-build -q -W -b html docs site
	@echo "site/index.html"
