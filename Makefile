# Yima: every task. `make help` lists them.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# The first Python of 3.11 or later that can make a venv.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# Wheels alone, of the versions in .constraints.txt: nothing is compiled, and tomorrow's install is today's.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check install -qq --only-binary :all: -c .constraints.txt -e

.PHONY: help run test lint types fmt bench shots fault fault-rotation fuzz openapi migration clean
.DEFAULT_GOAL := help

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

run: $(VENV)/.run ## install and run everything on http://127.0.0.1:8000, with fictional people
	@exec $(BIN)/yima demo

test: $(VENV)/.dev ## run the tests on a real PostgreSQL and Redis of their own
	@$(BIN)/python -m pytest -rs -n 2 --dist worksteal

lint: $(VENV)/.dev ## ruff, and the import arrows
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: $(VENV)/.dev ## mypy --strict
	@$(BIN)/mypy

fmt: $(VENV)/.dev ## format
	@$(BIN)/ruff check --fix -q . ; $(BIN)/ruff format .

bench: $(VENV)/.dev ## speed and memory, as ratios to a hand-written minimum
	@$(BIN)/python -m tests.bench && $(BIN)/python -m tests.rotation.bench_ring

shots: $(VENV)/.dev ## screenshots of every state of every page, into shots/, from a demo of its own
	@$(BIN)/python -m tests.shots --out shots

fault: $(VENV)/.dev ## the long fault loops (kills, races); the short ones are in `make test`
	@YIMA_TEST_LONG=1 $(BIN)/python -m pytest -m fault

fault-rotation: $(VENV)/.dev ## races, kills, rotations and compromises under load at length, with their figures
	@YIMA_TEST_LONG=1 $(BIN)/python -m pytest -s tests/rotation/test_faults.py

fuzz: $(VENV)/.dev ## five minutes of atheris over what laboratories send; a finding stays in the folder it names
	@$(BIN)/python -m tests.records.mllp.fuzz_oru -max_total_time=300

openapi: $(VENV)/.dev ## keep today's OpenAPI document as the one that must not break
	@$(BIN)/python -m tests.contract.keep

# Tortoise compares the models with the migrations on disk; no database is asked.
migration: $(VENV)/.dev ## write a migration for changed models: make migration NAME=what_changes
	@test -n "$(NAME)" || { echo "yima: say what changes: make migration NAME=what_changes" >&2; exit 1; }
	@folder=$$(mktemp -d) || exit 1; trap 'rm -rf $$folder' EXIT; \
	$(BIN)/python -c 'import json; from models.database import orm_config; \
	print(json.dumps(orm_config("postgres:") | {"connections": {"default": "asyncpg://127.0.0.1/none"}}))' >$$folder/orm.json && \
	$(BIN)/tortoise --config-file $$folder/orm.json makemigrations -n $(NAME) models

clean: ## remove the venv and caches; the demo's data (.yima) stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info

$(VENV)/.base:
	@test -n "$(PYTHON)" || { echo "yima: Python 3.11 or later with venv is needed (on Debian: apt install python3-venv)" >&2; exit 1; }
	@echo "yima: making $(VENV) with $(PYTHON) …"
	@$(PYTHON) -m venv $(VENV) && touch $@

$(VENV)/.run: $(VENV)/.base pyproject.toml .constraints.txt
	@echo "yima: installing (once; about half a minute) …"
	@$(INSTALL) . && touch $@

$(VENV)/.dev: $(VENV)/.run pyproject.toml .constraints.txt
	@echo "yima: installing what the tests need (once) …"
	@$(INSTALL) '.[dev]' && touch $@
