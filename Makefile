# make build            the demo, or INPUT=<name> DATA=<file>
# make test             what must pass
# make build-spark      the same on Apache Spark
# make help             the rest
PYTHON ?= python3
INPUT ?= demo
DATA ?=
DATA_FOLDER ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet

METRICS := .venv-metrics
METRICS_BIN := $(METRICS)/bin
MF ?= list metrics

SPARK := .venv-spark
# Installed from the lock files of its own: the default environment stays light.
SPARK_BIN := $(SPARK)/bin

.PHONY: help build build-spark test test-slow test-spark test-postgres test-package test-metrics \
	lint metrics install-all parse-gate docs lock clean powerbi powerbi-project powerbi-gates powerbi-pictures

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

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

test-postgres: $(VENV)/.installed-dev  ## a database's tables on a server that starts and stops for it
	@if ! command -v initdb > /dev/null && ! ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then \
		echo "No PostgreSQL here: installing Debian's package postgresql ..."; \
		as_root=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$as_root apt-get update --quiet --quiet && \
		$$as_root apt-get install --yes --quiet --quiet --no-install-recommends postgresql; \
	fi
	@$(BIN)/python -m pytest tests/postgres

test: $(VENV)/.installed-dev lint  ## lint and all tests of the default suite
	@$(BIN)/python -m pytest

test-slow: $(VENV)/.installed-dev  ## the tests that take long: more seeds, data and builds
	@$(BIN)/python -m pytest -m slow

test-package: $(VENV)/.installed-dev  ## another project installs this one and builds
	@$(BIN)/python -m pytest tests/package

# MetricFlow's YAML is read by dbt-core 1.12, which the default environment cannot have.
$(METRICS)/.installed: requirements-metrics.lock
	@echo "Installing into $(METRICS) ..."
	@test -x $(METRICS_BIN)/python || $(PYTHON) -m venv $(METRICS)
	@$(METRICS_BIN)/python -m pip --disable-pip-version-check install --quiet \
		--require-hashes -r requirements-metrics.lock
	@touch $@

test-metrics: $(VENV)/.installed-dev $(METRICS)/.installed  ## MetricFlow against the marts
	@$(BIN)/python -m pytest tests/metrics

metrics: $(METRICS)/.installed  ## MetricFlow on what is built: MF="query --metrics revenue"
	@export DBT_PROFILES_DIR=metrics \
		SEGMENTATION_DB="$${SEGMENTATION_DB:-warehouse/$(INPUT).duckdb}"; \
	$(METRICS_BIN)/dbt parse --quiet --no-partial-parse --target-path target/metrics \
		--vars '{input: $(INPUT)}' \
	&& cp target/metrics/semantic_manifest.json target/ \
	&& $(METRICS_BIN)/mf $(MF)

lint: $(VENV)/.installed-dev  ## ruff and sqlfluff
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/sqlfluff lint --disable-progress-bar models tests/singular

powerbi: build  ## the marts and a Power BI project over them; DATA_FOLDER: the exports on Windows
	@$(BIN)/python -m segmentation.power_bi --input "$(INPUT)" \
		$(if $(DATA_FOLDER),--data-folder "$(DATA_FOLDER)")

powerbi-project: $(VENV)/.installed  ## renew powerbi/ after a contract or its specification changed
	@$(BIN)/python -m segmentation.power_bi --committed

powerbi-gates:  ## Microsoft's tools that judge the Power BI project in tests; needs Node 20
	@cd powerbi/gates && npm ci --no-audit --no-fund --loglevel=error

powerbi-pictures: $(VENV)/.installed-dev  ## draw the report's pages from exports/demo; needs Chromium
	@$(BIN)/python -m segmentation.power_bi.draw

# The environments of all tests, so that targets side by side do not make one at once.
install-all: $(VENV)/.installed-dev $(SPARK)/.installed $(METRICS)/.installed
install-all: .venv-parse-gate/.installed

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
	@{ echo dbt-core==1.12.0; echo dbt-core-experimental-parser==2.0.0a4; \
		echo dbt-metricflow==0.15.0; grep -oE '^(dbt-duckdb|duckdb)==[^ ]+' requirements.lock; } \
		| $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-strip-extras --no-emit-index-url --no-header --no-annotate - \
		--output-file requirements-metrics.lock
	@echo "dbt-core==2.0.0a4" | $(BIN)/python -m uv pip compile --quiet --universal \
		--python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url --no-header \
		--no-annotate - --output-file requirements-parse-gate.lock

clean:  ## remove what a build leaves, but not the exports
	@rm -rf target logs warehouse/*.duckdb warehouse/*.wal warehouse/*.fetched warehouse/spark
