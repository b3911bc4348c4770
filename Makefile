# make build            the demo, or INPUT=<name> DATA=<file>
# make test             what must pass
# make build-spark      the same on Apache Spark
# make help             the rest
PYTHON ?= python3
INPUT ?= demo
DATA ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

SPARK := .venv-spark
# Installed from the lock files of its own: the default environment stays light.
SPARK_BIN := $(SPARK)/bin

.PHONY: help build build-spark test test-slow test-spark lint parse-gate docs lock clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

$(VENV)/.installed: requirements.lock pyproject.toml
	@echo "Installing into $(VENV) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@

build: $(VENV)/.installed  ## build INPUT (demo) from DATA (a file), test it, publish it
	@$(BIN)/segmentation build --input "$(INPUT)" $(if $(DATA),--data "$(DATA)")

$(SPARK)/.installed: requirements-spark.lock pyproject.toml
	@echo "Installing into $(SPARK) ..."
	@test -x $(SPARK_BIN)/python || $(PYTHON) -m venv $(SPARK)
	@$(SPARK_BIN)/python -m pip --disable-pip-version-check install --quiet \
		--require-hashes -r requirements-spark.lock
	@$(SPARK_BIN)/python -m pip --disable-pip-version-check install --quiet \
		--no-deps --no-build-isolation --editable .
	@touch $@

build-spark: $(SPARK)/.installed  ## the same on Spark: SPARK_MASTER or SPARK_REMOTE, else local
	@$(SPARK_BIN)/segmentation build --target spark --input "$(INPUT)" \
		$(if $(DATA),--data "$(DATA)")

test-spark: $(SPARK)/.installed  ## builds on a cluster of three processes, compared with DuckDB
	@$(SPARK_BIN)/python -m pytest -s tests/spark

test: $(VENV)/.installed-dev lint  ## lint and all tests of the default suite
	@$(BIN)/python -m pytest

test-slow: $(VENV)/.installed-dev  ## the tests that take long: more seeds, data and builds
	@$(BIN)/python -m pytest -m slow

lint: $(VENV)/.installed-dev  ## ruff and sqlfluff
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/sqlfluff lint --disable-progress-bar models tests/singular

parse-gate: .venv-parse-gate/.installed  ## does dbt's next engine read the project?
	@. .venv-parse-gate/bin/activate && dbt parse --target-path target/parse-gate

.venv-parse-gate/.installed: requirements-parse-gate.lock
	@test -x .venv-parse-gate/bin/python || $(PYTHON) -m venv .venv-parse-gate
	@.venv-parse-gate/bin/python -m pip --disable-pip-version-check install --quiet \
		--require-hashes -r requirements-parse-gate.lock
	@touch $@

.PHONY: explore notebook
explore: $(VENV)/.installed  ## serve the explorer page of INPUT here, and follow new builds
	@$(BIN)/segmentation explore --input "$(INPUT)" $(if $(PORT),--port "$(PORT)")

notebook: $(VENV)/.installed-dev  ## exploratory analysis of what INPUT published
	@$(BIN)/python notebooks/execute.py "exports/$(INPUT)" \
		"$(if $(filter demo,$(INPUT)),notebooks,exports/$(INPUT))/eda.ipynb"

docs: $(VENV)/.installed  ## dbt's documentation as one file
	@$(BIN)/dbt docs generate --static --vars '{input: $(INPUT)}'
	@echo "Documentation: target/static_index.html"

lock: $(VENV)/.installed-dev  ## resolve the lock files anew
	@$(PIP) uv
	@$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate \
		--extra install --extra postgres pyproject.toml --output-file requirements.lock
	@$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate \
		--constraint requirements.lock --extra install --extra postgres --extra notebook \
		--extra dev pyproject.toml \
		--output-file requirements-dev.lock
	@$(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate \
		--constraint requirements.lock --constraint requirements-dev.lock \
		--extra install --extra postgres --extra spark pyproject.toml \
		--output-file requirements-spark.lock
	@echo "dbt-core==2.0.0a4" | $(BIN)/python -m uv pip compile --quiet --universal \
		--python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header \
		--no-annotate - --output-file requirements-parse-gate.lock

clean:  ## remove what a build leaves, but not the exports
	@rm -rf target logs warehouse/*.duckdb warehouse/*.wal warehouse/spark
