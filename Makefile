# `make demo` and `make test` need python3.11 or newer with venv, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-slow check screenshots lock clean

demo: $(VENV)/.run
	$(BIN)/canut demo

test: $(VENV)/.dev
	$(BIN)/pytest

# what takes long, and every property with three times as many examples
test-slow: $(VENV)/.dev
	$(BIN)/pytest -m "slow or hypothesis" --hypothesis-profile thorough

# lint, types, import rules, docs
check: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sphinx-build -W -q -b html docs docs/_build

# the pictures of README and docs, taken anew (needs Chromium)
screenshots: $(VENV)/.dev
	$(BIN)/python scripts/screenshots.py

$(VENV)/.run: requirements/run.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	touch $@

# write the lock files anew from pyproject.toml (needs uv)
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --extra s3 pyproject.toml -o requirements/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --extra s3 --group dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --quiet requirements/build.in -o requirements/build.txt

# what was installed and built, and the demo's database; never that of a server (canut-data)
clean:
	rm -rf $(VENV) docs/_build canut-demo
