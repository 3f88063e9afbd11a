# Every target sets up what it needs. Start with `make demo` or `make test`.
PYTHON ?= python3
BIN := .venv/bin
NATIVE := $(wildcard src/reclaim/signals/*.[ch] src/reclaim/index/native/*)
MESSAGES := $(wildcard src/reclaim/locale/*/LC_MESSAGES/django.po)

.PHONY: setup demo test check bench load lock clean

setup: .venv/.messages

.venv/.run: requirements/run.lock pyproject.toml $(NATIVE)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/run.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

.venv/.messages: .venv/.run $(MESSAGES)
	$(BIN)/pybabel --quiet compile --directory src/reclaim/locale --domain django
	@touch $@

.venv/.dev: requirements/dev.lock .venv/.messages
	@# Much of this is never imported, so Python compiles what is, when it is.
	$(BIN)/pip install --quiet --no-compile --disable-pip-version-check -r requirements/dev.lock
	@touch $@

demo: setup
	@$(BIN)/reclaim demo

test: .venv/.dev
	@$(BIN)/python -m tools.find_chromium --install
	@$(BIN)/python -m tools.run_tests

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tools.check_docs
	$(BIN)/python -m tools.check_directory
	$(BIN)/python -m tools.check_law
	$(BIN)/python -m tools.vendor --check
	$(BIN)/python -m tools.messages --check

bench: .venv/.dev
	@$(BIN)/python -m tools.find_chromium --install
	@$(BIN)/python -m bench

load: .venv/.dev
	@$(BIN)/python -m tests.load.readers
	@$(BIN)/python -m tests.load.kill

# The lock files name exact versions and digests, and no registry.
lock: .venv/.dev
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes pyproject.toml --output-file requirements/run.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-header --generate-hashes pyproject.toml --group dev --output-file requirements/dev.lock

clean:
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis
