# Each target works on a fresh clone: it makes .venv, installs the pinned tools, builds the extension if a source changed.
# Needed beforehand: make, a Rust toolchain (rust-version in Cargo.toml), Python 3.11 or later; `make test` looks at reports in chromium, if there is one.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The uv that writes the lock files; nothing else uses it.
UV := uv==0.13.9

RUST_SOURCES := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
PYTHON_CODE := python tests benches examples docs tools

# Marks of work done; they stand inside .venv so that they go away with it.
TOOLS := $(VENV)/.tools-installed
OPPONENTS := $(VENV)/.opponents-installed
TYPES := $(VENV)/.types-installed
BUILT := $(VENV)/.extension-built

.DEFAULT_GOAL := help
.PHONY: help run examples test bench instructions lint docs format lock build clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(BUILT) ## score a generated book over real tier tables and write its report
	$(BIN)/python examples/make_run.py

examples: $(BUILT) ## replay three crashes on generated books
	$(BIN)/python examples/replay_luna_2022.py
	$(BIN)/python examples/replay_october_2025.py
	$(BIN)/python examples/replay_eth_2022.py

test: $(BUILT) ## tests of the Rust core, then of the Python package
	cargo test --locked -p levcore
	$(BIN)/python -m pytest -n auto --dist worksteal

bench: $(BUILT) $(OPPONENTS) ## rows per second beside numpy, numba, polars, DuckDB
	$(BIN)/python benches/table.py
	$(BIN)/python benches/files.py
	$(BIN)/python benches/door.py --memory 10000000
	$(BIN)/python benches/replay.py
	$(BIN)/python -m pytest benches --benchmark-only --benchmark-columns=min,median,ops,rounds

instructions: $(BUILT) ## instructions a row of the kernels beside the kept ones; needs valgrind
	$(BIN)/python benches/instructions.py

lint: $(BUILT) $(TYPES) ## formatting, lints, types, and the stub against the built extension
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy python tests examples tools docs/conf.py docs/extensions
	$(BIN)/pyright
	# It looks for the package where the first python of the path does, and names every module: shown where a type lacks alone.
	@PATH="$(CURDIR)/$(BIN):$$PATH" pyright --verifytypes levcore --ignoreexternal >$(VENV)/verifytypes.txt \
		&& tail -n 2 $(VENV)/verifytypes.txt || { cat $(VENV)/verifytypes.txt; exit 1; }
	$(BIN)/stubtest levcore._levcore
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

docs: $(BUILT) ## the manual in docs/_build/html, every example in it executed, and the crate's documentation
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b doctest docs docs/_build/doctest
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps

format: $(TOOLS) ## rewrite the sources as `make lint` wants them
	$(BIN)/ruff check --fix $(PYTHON_CODE)
	$(BIN)/ruff format $(PYTHON_CODE)
	cargo fmt --all

lock: $(VENV)/bin/python ## pin anew every tool of development
	$(BIN)/python -m pip install -q $(UV)
	$(BIN)/uv pip compile -q --upgrade --python-version 3.11 --no-header \
		pyproject.toml --extra cli --group dev -o requirements-dev.lock
	$(BIN)/uv pip compile -q --upgrade --python-version 3.11 --no-header \
		--group bench -c requirements-dev.lock -o requirements-bench.lock
	$(BIN)/uv pip compile -q --upgrade --python-version 3.11 --no-header \
		--group types -c requirements-dev.lock -o requirements-types.lock

build: $(BUILT) ## .venv with the tools and the compiled extension, as the other targets make it

clean: ## remove everything that the targets made
	rm -rf $(VENV) target out docs/_build docs/api/generated \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find . -name __pycache__ -prune -exec rm -rf {} +
	find python -name '*.so' -delete

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(TOOLS): requirements-dev.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-dev.lock
	@touch $@

$(OPPONENTS): requirements-bench.lock $(TOOLS)
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-bench.lock
	@touch $@

$(TYPES): requirements-types.lock $(TOOLS)
	$(BIN)/python -m pip install -q --disable-pip-version-check -r requirements-types.lock
	@touch $@

# Editable: a changed Python module needs no build, a changed Rust source does.
$(BUILT): $(TOOLS) $(RUST_SOURCES) pyproject.toml
	$(BIN)/maturin develop --release --locked
	@touch $@
