# quickstart: the first front, from nothing. docs: the site, in build/docs.
# studies: every study from nothing, in build/studies, against what is expected of it.
# lint, test, docs, slow: what `.ci/run` runs.
PYTHON ?= python3
VENV ?= .venv
PEERS := $(VENV)-peers
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: quickstart studies test lint docs slow clean

quickstart: $(VENV)/.installed
	$(BIN)/carbonopt run studies/quickstart/study.yaml

studies: $(VENV)/.installed
	rm -rf build/studies
	$(BIN)/python studies/all.py --out build/studies

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n 2 -m "not slow"

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict carbonopt

# The variable silences a notice about MkDocs 2.0, which pyproject.toml keeps out.
docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

slow: $(VENV)/.installed-dev $(PEERS)/.installed
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow
	$(PEERS)/bin/python -m pytest -m peers tests

clean:
	rm -rf $(VENV) $(PEERS) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are renewed when pyproject.toml changes, so a stale environment heals itself.
$(VENV)/.installed: pyproject.toml | $(BIN)/pip
	$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/pip
	$(PIP) install --editable ".[dev,docs,dashboard,distributed]"
	@touch $@ $(VENV)/.installed

# The tools that are compared with live in an environment of their own.
$(PEERS)/.installed: pyproject.toml | $(BIN)/pip
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --editable ".[dev,peers]"
	@touch $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "carbonopt needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>/dev/null || echo missing)." >&2; \
	  echo "Name another one, for example: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
