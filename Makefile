# Each verb makes what it needs first: an environment of its own in .venv, under constraints.txt.
# Where pip finds a CPU build of torch by itself (find-links), that is taken; to take it from an
# index, set TORCH_CPU_INDEX to its address. Tests and benchmarks on real data look for them in the
# folder RECURRA_DATA, and tests are skipped where they are not there.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
TORCH_INDEX := $(if $(TORCH_CPU_INDEX),--no-deps --index-url $(TORCH_CPU_INDEX))

# one thread for each test process: small networks lose time on more
export OMP_NUM_THREADS ?= 1

.PHONY: help run test check bench docs clean

help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' Makefile

run: .venv/run.stamp  ## forecast the airline passengers: a table, a picture, a comparison
	$(BIN)/python examples/airline.py

test: .venv/dev.stamp  ## run all tests, on two processes
	$(BIN)/python -m pytest -n 2

check: .venv/dev.stamp  ## look for faults of form: format, lint, types, floors, docstrings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m numpydoc lint $$(find src -name '*.py')

bench: .venv/dev.stamp  ## score the forecasts of M4 and M3; says how to time the peers
	$(BIN)/python benchmarks/competitions.py
	@echo "Recurra beside its peers: see benchmarks/forecast_peers/README.md"

docs: .venv/dev.stamp  ## write the pages to docs/_build/html
	$(BIN)/sphinx-build --quiet -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

clean:  ## remove all that was made here
	rm -rf .venv out build dist docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis \
		.import_linter_cache
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/torch.stamp: constraints.txt
	@echo "Making .venv: this takes some minutes, once."
	$(PYTHON) -m venv .venv
	$(PIP) --no-index --no-deps torch 2>/dev/null || $(PIP) $(TORCH_INDEX) torch
	@touch $@

.venv/run.stamp: .venv/torch.stamp pyproject.toml
	$(PIP) --editable '.[plot]'
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	$(PIP) --editable '.[dev]'
	@touch $@
