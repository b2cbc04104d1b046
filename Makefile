# Everything sets itself up: `make run` and `make test` work in a fresh clone.
# pip and venv are enough; uv is used where it is installed. ARGS goes to the program: make test ARGS="-k cli"

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.deskmate-installed
BENCH := .venv-bench
UV := $(shell command -v uv 2>/dev/null)
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help install run test chaos check fix bench faq docs

help: ## This list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-8s %s\n", $$1, $$2}'

install: $(STAMP) ## Everything that is needed, in .venv

$(STAMP): pyproject.toml
ifneq ($(UV),)
	test -x $(BIN)/python || $(UV) venv --quiet --python '>=3.11' .venv
	$(UV) pip install --quiet --python $(BIN)/python -e '.[dev]'
else
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
endif
	@touch $(STAMP)

run: install ## The demo: an invented shop, to look around in
	@$(BIN)/deskmate demo $(ARGS)

test: install ## All tests, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

chaos: install ## 2,000 messages while processes are killed, on both stores: some minutes
	DESKMATE_CHAOS_MESSAGES=2000 $(BIN)/python -m pytest -q -s tests/acceptance/test_chaos.py $(ARGS)

check: install ## Lint, format, types, layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

fix: install ## Let the linter and the formatter mend what they can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(BENCH)/.deskmate-installed ## Deskmate beside its peers: make bench ARGS="--workloads W1 --repeat 1"
	$(BENCH)/bin/python bench/peers/run.py --out $(BENCH)/results.jsonl $(ARGS)

$(BENCH)/.deskmate-installed: pyproject.toml bench/peers/requirements.txt
	test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -r bench/peers/requirements.txt -e .
	@touch $@

faq: install ## How well the FAQ agent knows what it knows
	$(BIN)/python bench/faq/evaluate.py $(or $(ARGS),bench/faq/shop bench/faq/questions-shop.jsonl)

docs: install ## Links resolve, snippets run, nothing that has a name is left out
	$(BIN)/python -m pytest tests/unit/test_docs.py $(ARGS)
