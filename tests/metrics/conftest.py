"""The demo, built and published, and MetricFlow on its warehouse."""

import csv
import os
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from builds import NO_UNIT_TESTS, REPOSITORY, build, copy_project

METRICFLOW = REPOSITORY / ".venv-metrics" / "bin"


class Metrics(NamedTuple):
    """A copy of the project that MetricFlow reads, and what the demo published."""

    project: Path
    database: Path
    exports: Path

    def run(self, program: str, *arguments, green=True) -> str:
        """Run dbt or mf of the metrics' environment; returns what it says."""
        own = {"DBT_PROFILES_DIR": "metrics", "SEGMENTATION_DB": str(self.database)}
        done = subprocess.run(
            [METRICFLOW / program, *arguments],
            cwd=self.project,
            env={k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if (done.returncode == 0) is not green:
            pytest.fail(f"{program} {arguments}: {done.stdout[-2500:]}", pytrace=False)
        return done.stdout

    def query(self, metrics: str, group_by: str = "", where: str = "") -> dict:
        """Ask for metrics: {values of the group: values of the metrics}."""
        file = self.project / "answer.csv"
        arguments = ["--metrics", metrics, "--csv", str(file), "--decimals", "8"]
        if group_by:
            arguments += ["--group-by", group_by]
        if where:
            arguments += ["--where", where]
        self.run("mf", "query", *arguments)
        with file.open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        names = metrics.split(",")
        return {
            tuple(part for name, part in row.items() if name not in names): numbers(
                row[name] for name in names
            )
            for row in rows
        }

    def published(self, sql: str, width: int = 0) -> dict:
        """Ask the published files the same; the first columns are the group's."""
        with duckdb.connect() as connection:
            for path in self.exports.glob("*/*.parquet"):
                connection.execute(f"create view {path.stem} as select * from '{path}'")
            rows = connection.execute(sql).fetchall()
        return {
            tuple("" if part is None else str(part) for part in row[:width]): numbers(
                row[width:]
            )
            for row in rows
        }


def numbers(values) -> tuple:
    """To six decimals: MetricFlow divides in doubles."""
    return tuple(
        None if value in (None, "", "nan") else round(Decimal(str(value)), 6)
        for value in values
    )


@pytest.fixture(scope="session")
def metrics(tmp_path_factory) -> Metrics:
    if not (METRICFLOW / "mf").exists():
        pytest.skip("no MetricFlow: make test-metrics installs it")
    demo = build(tmp_path_factory.mktemp("demo"), args=NO_UNIT_TESTS)
    project = copy_project(tmp_path_factory.mktemp("metrics"))
    metrics = Metrics(project, demo.database, demo.exports)
    metrics.run("dbt", "parse", "--quiet", "--no-partial-parse")
    return metrics
