# Each verb makes what it needs first: an environment of its own in .venv, under constraints.txt.
# Where pip finds a CPU build of torch by itself (find-links), that is taken; to take it from an
# index, set TORCH_CPU_INDEX to its address. The engine is compiled with the build tools in .venv: in
# pip's isolation every edit would compile all of it again. Tests and benchmarks on real data look
# for them in the folder RECURRA_DATA, and tests are skipped where they are not there.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
TORCH_INDEX := $(if $(TORCH_CPU_INDEX),--no-deps --index-url $(TORCH_CPU_INDEX))

# one thread for each test process: small networks lose time on more
export OMP_NUM_THREADS ?= 1

# where there is a compiler, an engine that does not build is an error, not a reason to go without
export RECURRA_REQUIRE_ENGINE ?= $(if $(shell command -v $(CXX)),1,0)

ENGINE := CMakeLists.txt $(wildcard src/recurra/native/engine/*)
SANITIZED := build/sanitize/env/bin/python

# Python was not linked with the sanitizer, so it is loaded first; Python's own leaks are not ours
UNDER_SANITIZERS = ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 \
	LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)" \
	$(SANITIZED)

.PHONY: help run test ray soak sanitize golden check bench peers docs clean

help:  ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' Makefile

run: .venv/run.stamp  ## forecast the airline passengers: a table, a picture, a comparison
	$(BIN)/python examples/airline.py

test: .venv/dev.stamp  ## run all tests, on two processes
	$(BIN)/python -m pytest -n 2

ray: .venv/dev.stamp  ## install Ray, and run the tests that need it
	$(PIP) 'recurra[ray]'
	$(BIN)/python -m pytest tests/distributed

soak: .venv/dev.stamp  ## kill three trainings 100 times each; all must come to the same bits
	RECURRA_KILLS=$${RECURRA_KILLS:-100} $(BIN)/python -m pytest -rP -k killed_at_any_moment \
		tests/estimators/test_resume.py tests/training/test_checkpoints.py

# an environment of its own on top of .venv; the planted overrun shows that the sanitizer is awake
sanitize: .venv/dev.stamp  ## test the engine under AddressSanitizer and UBSan (needs GCC)
	$(BIN)/python -m venv --without-pip build/sanitize/env
	$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
		> $$($(SANITIZED) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/base.pth
	RECURRA_REQUIRE_ENGINE=1 $(SANITIZED) -m pip install --quiet --no-build-isolation --no-deps \
		--ignore-installed --editable . --config-settings build-dir=build/sanitize/engine \
		--config-settings cmake.build-type=Debug --config-settings cmake.define.RECURRA_SANITIZE=ON
	$(UNDER_SANITIZERS) -c 'from recurra.native import _engine; _engine.planted_overrun()' 2>&1 \
		| grep 'AddressSanitizer: heap-buffer-overflow' || (echo "The sanitizer sleeps."; false)
	$(UNDER_SANITIZERS) -m pytest tests/native tests/kernels/test_native.py \
		tests/kernels/test_native_bfloat16.py tests/kernels/test_decay.py \
		tests/kernels/test_learning.py tests/kernels/test_native_options.py tests/kernels/test_passes.py \
		tests/layers/test_carried.py

golden: .venv/dev.stamp  ## write the model files that later versions must read; once a release
	$(BIN)/python tests/golden/write.py

check: .venv/dev.stamp  ## look for faults of form: format, lint, types, floors, docstrings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m numpydoc lint $$(find src -name '*.py')

peers: .venv/dev.stamp  ## install the engine's peers for make bench, each in its own environment
	set -e; for name in jax onnx openvino; do \
		$(PYTHON) -m venv benchmarks/engine/.venv/$$name; \
		benchmarks/engine/.venv/$$name/bin/pip install --quiet -r benchmarks/engine/requirements-$$name.txt; \
	done

bench: .venv/dev.stamp  ## time the engine beside torch and the peers there are; score M4 and M3
	$(BIN)/python benchmarks/engine/run.py
	$(BIN)/python benchmarks/competitions.py
	@echo "The forecaster beside its peers: see benchmarks/forecast_peers/README.md"

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
	$(PIP) scikit-build-core $(foreach tool,cmake ninja,$(if $(shell command -v $(tool)),,$(tool)))
	@touch $@

# an editable install follows edits of Python files; the engine must be compiled again
.venv/run.stamp: .venv/torch.stamp pyproject.toml $(ENGINE)
	$(PIP) --no-build-isolation --editable '.[plot]'
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	$(PIP) 'recurra[dev]'
	@touch $@
