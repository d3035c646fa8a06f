# Two commands: make run, make test. Everything they write is under .venv/ and var/.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MANAGE := $(BIN)/python manage.py
export PORT
# One file stays on one worker. A worker more than cores: stories in a browser wait more than they compute, and are not
# kept for the end, where one core would sit idle.
SPREAD := --dist loadfile --no-loadscope-reorder -n $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.PHONY: run demo test lint bench bench-conventions bench-savings bench-consumption bench-savings-xlsx bench-preview browser-ready lock clean

run: demo  ## the demonstration, served on 127.0.0.1:$(PORT)
	@$(MANAGE) serve --port $(PORT)

demo: $(READY)  ## the same without serving; twice changes nothing
	@$(MANAGE) migrate --verbosity 0
	@$(MANAGE) load_demonstration

test: $(READY) lint browser-ready  ## everything CI runs
	$(BIN)/python -m pytest $(SPREAD) $(shell cat var/pytest-options 2>/dev/null)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(MANAGE) makemigrations --check --dry-run

browser-ready: $(READY)
	@mkdir -p var && sh .ci/browser > var/pytest-options

bench: bench-conventions bench-savings  ## the two promises of speed, each beside its rival

bench-conventions: $(READY)  ## documents per second beside LibreOffice's mail merge
	@sh .ci/office
	$(BIN)/python -m tests.benchmarks.bench_conventions

bench-preview: $(READY)  ## the preview of an article, and a whole convention read on screen, on one core
	$(BIN)/python -m tests.benchmarks.bench_preview

bench-savings: $(READY)  ## the figures over 1,500,000 lines beside PostgreSQL, polars and DuckDB
	@bash .ci/postgres
	$(BIN)/python -m tests.benchmarks.bench_savings

bench-consumption: $(READY)  ## 20,000 invoice lines imported: seconds and megabytes on one core
	$(BIN)/python -m tests.benchmarks.bench_consumption

bench-savings-xlsx: $(READY)  ## a year's report of 10,000, then 100,000 lines: seconds and megabytes on one core
	$(BIN)/python -m tests.benchmarks.bench_savings_xlsx

lock:  ## compile requirements.lock again from pyproject.toml, without any index address
	$(PYTHON) -m venv var/lock-venv && var/lock-venv/bin/pip install --quiet pip-tools
	var/lock-venv/bin/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --all-extras --no-header \
	  --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o requirements.lock pyproject.toml

clean:  ## forget the demonstration
	rm -rf var

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Il faut Python 3.11 ou plus récent : PYTHON=python3.12 make run"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $(READY)
