# Python 3.11 or newer and make are all that is needed; `make help` lists the targets.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest -n auto

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow lint check bench mutate format clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '%-14s%s\n' "$$name" "$$text"; done

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[all,dev]'
	touch $@

demo: $(STAMP) ## certify two example networks, then check both with the standard library alone
	mkdir -p build
	$(BIN)/orbitproof certify examples/plrnn.json -o build/plrnn.cert
	$(BIN)/orbitproof explain build/plrnn.cert
	$(BIN)/orbitproof certify examples/scalar_rnn.json -o build/scalar_rnn.cert
	$(BIN)/python -S -m proofs check build/plrnn.cert
	$(BIN)/python -S -m proofs check build/scalar_rnn.cert

test: $(STAMP) ## the default suite with all doctests, in parallel
	$(PYTEST)

test-slow: $(STAMP) ## the tests marked slow, with the thorough hypothesis profile
	$(PYTEST) -m slow --hypothesis-profile=thorough

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint test ## everything a change must pass

bench: $(STAMP) ## the timings; they print and never fail
	@for file in tests/benchmarks/bench_*.py; do echo "== $$file"; $(BIN)/python -m "tests.benchmarks.$$(basename "$$file" .py)" || exit 1; done

mutate: $(STAMP) ## long run: mutated certificates must be rejected, or still be true
	$(PYTEST) -m 'slow or not slow' -k mutat --hypothesis-profile=thorough tests/laws

format: $(STAMP) ## sort imports, apply safe fixes, format
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

clean: ## remove what the targets made, the virtual environment apart
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage
	find proofs verify tests examples -name __pycache__ -type d -prune -exec rm -rf {} +
