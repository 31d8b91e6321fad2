# mkt-models: what can be done here. `make help` lists it.
# The environment is made on first use, from requirements.lock, and again when that file changes.

PYTHON ?= python3.11
PARAMS ?= params/complete_journey.yaml
SET ?=
PORT ?= 3000
SPARK ?= 4.3.0
BIN := .venv/bin

export BENTOML_DO_NOT_TRACK = True
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export NUMBA_NUM_THREADS ?= 1
export PYTHONHASHSEED ?= 0

.DEFAULT_GOAL := help
.PHONY: help run test sample unit test-spark lint lab serve notebooks lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo
	@echo '  PARAMS=params/<file>.yaml chooses a configuration; SET="churn.horizon_days=28 seed=3"'
	@echo '  changes single parameters; PYTHON=/path/to/python3.11 chooses the interpreter.'

run: .venv/.workflow ## real data to a served strategy: run what is stale, tell what was found
	@$(BIN)/mkt run $(PARAMS) $(if $(SET),--set $(SET))

# The linters go beside the run, whose stages mostly wait for each other. nbval compares with what
# the run has just executed: tests/replayed_notebooks.py.
test: .venv/.test ## everything: lint, types, imports, a run on the sample, unit tests, notebooks, service
	$(MAKE) -j 2 lint sample
	BENTOML_HOME="$(CURDIR)/build/sample/bentoml" $(BIN)/pytest -q -n 2 --dist loadfile \
	    src tests README.md README.zh-CN.md
	PYTHONPATH=tests $(BIN)/pytest -q notebooks \
	    --nbval-lax -p replayed_notebooks --nbval-replay build/sample/notebooks

sample: .venv/.test ## run the sample of 500 households, the notebooks' defaults
	$(BIN)/mkt run params/sample.yaml

unit: .venv/.test ## only the unit and property tests, for while you work
	$(BIN)/pytest -q -n 2 --dist loadfile

test-spark: .venv/.spark .venv-spark/.spark ## the same results on Spark: starts a server here (brings Java 17)
	@command -v java >/dev/null || { \
	    echo "Java 17 is needed; on Debian: apt-get install openjdk-17-jre-headless"; exit 1; }
	$(BIN)/pytest -q -m spark tests

lint: .venv/.test ## style, types, and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lab: .venv-lab/.lab ## open the notebooks in JupyterLab
	.venv-lab/bin/jupyter lab --notebook-dir=notebooks

serve: .venv/.workflow ## serve the bento that the last run built (PARAMS, PORT=3000)
	@$(BIN)/mkt serve $(PARAMS) --port $(PORT)

notebooks: .venv/.workflow ## run the committed notebooks with their defaults, keep the outputs
	@$(BIN)/mkt notebooks notebooks/[0-9]*.ipynb

lock: .venv/.test ## resolve requirements.lock anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --python-version 3.11 \
	    --no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade \
	    --output-file requirements.lock

clean: ## delete what runs have made: build/ and reports/ (the environment stays)
	rm -rf build .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find reports -mindepth 1 ! -name README.md -delete

# --- environments --------------------------------------------------------------------------------
# JupyterLab has an environment of its own: beside it, papermill starts more slowly.

LOCKED := requirements.lock pyproject.toml

define make_environment # folder, extras
	@command -v $(PYTHON) >/dev/null || { \
	    echo "Python 3.11 is needed and '$(PYTHON)' was not found. Install it, or say where it is:"; \
	    echo "  make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	    echo "Python 3.11 is needed; '$(PYTHON)' is $$($(PYTHON) --version)."; exit 1; }
	@test -x $(1)/bin/pip || $(PYTHON) -m venv $(1) || { \
	    echo "'$(PYTHON) -m venv' failed; on Debian: apt-get install python3.11-venv"; exit 1; }
	@echo "Installing .[$(2)] into $(1), versions from requirements.lock"
	@$(1)/bin/python -m pip install -q -c requirements.lock uv
	@$(1)/bin/uv pip install -q --python $(1)/bin/python -c requirements.lock -e '.[$(2)]' || { \
	    echo "uv could not; installing with pip, which takes longer"; \
	    $(1)/bin/python -m pip install -q -c requirements.lock -e '.[$(2)]'; }
endef

.venv/.workflow: $(LOCKED)
	$(call make_environment,.venv,$(strip workflow))
	@touch $@

.venv/.test: .venv/.workflow
	$(call make_environment,.venv,$(strip workflow,test))
	@touch $@

.venv/.spark: .venv/.test
	$(call make_environment,.venv,$(strip workflow,test,spark))
	@touch $@

# Spark's own jars (450 MB) and Java are needed by the server only.
.venv-spark/.spark: Makefile | .venv/.test
	@command -v java >/dev/null || [ "$$(id -u)" != 0 ] || { \
	    apt-get update -qq && \
	    apt-get install -y -qq --no-install-recommends openjdk-17-jre-headless; }
	@test -x .venv-spark/bin/python || $(PYTHON) -m venv .venv-spark
	@echo "Installing pyspark $(SPARK) into .venv-spark"
	@$(BIN)/uv pip install -q --python .venv-spark/bin/python pyspark==$(SPARK)
	@touch $@

.venv-lab/.lab: $(LOCKED)
	$(call make_environment,.venv-lab,$(strip workflow,lab))
	@touch $@
