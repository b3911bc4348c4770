"""Whole builds of the project in subprocesses, each in a folder of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import duckdb
import pandas as pd
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# What judges the code alone, and has judged it in the build of the demo.
NO_UNIT_TESTS = ["--exclude-resource-type", "unit_test"]
NO_TESTS = ["--exclude-resource-type", "test", *NO_UNIT_TESTS]
NOT_COPIED = shutil.ignore_patterns(
    ".venv", ".git", "target", "warehouse", "exports", "logs", "python", "docs",
    ".hypothesis", ".*_cache", "__pycache__", "*.egg-info",
)  # fmt: skip


class Build(NamedTuple):
    """A finished command of dbt and where it worked."""

    code: int
    output: str
    folder: Path
    exports: Path
    project: Path
    prefix: str = ""  # of the schemas of a date that is rebuilt

    @property
    def database(self) -> Path:
        return self.folder / "shop.duckdb"

    def connection(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self.database), read_only=True)

    def in_own_schemas(self, sql: str) -> str:
        return re.sub(
            r"\bdev_(marts|intermediate|staging)\b", rf"{self.prefix}dev_\1", sql
        )

    def rows(self, sql: str) -> list[tuple]:
        sql = self.in_own_schemas(sql)
        with self.connection() as connection:
            return connection.execute(sql).fetchall()

    def one(self, sql: str):
        ((value,),) = self.rows(sql)
        return value

    def frame(self, sql: str) -> pd.DataFrame:
        """Rows as Python objects, so that decimals stay exact."""
        with self.connection() as connection:
            found = connection.execute(self.in_own_schemas(sql))
            names = [column[0] for column in found.description]
            return pd.DataFrame(found.fetchall(), columns=names, dtype=object)

    def artifact(self, name: str) -> dict:
        return json.loads((self.folder / "target" / name).read_text())

    def manifest(self) -> dict:
        return json.loads((self.exports / "manifest.json").read_text())

    def lines(self, part: str) -> list[str]:
        return [line for line in self.output.splitlines() if part in line]

    def registry(self) -> list[list[tuple]]:
        return [
            self.rows(f"select * from dev_registry.{table} order by all")
            for table in (
                "rfm_cut_points",
                "segment_prototypes",
                "customer_months",
                "customer_segment_months",
            )
        ]

    def facts(self) -> list[list[tuple]]:
        """What the registry keeps with each version."""
        return [
            self.rows(f"select * from dev_registry.{table} order by all")
            for table in ("training_bins", "segment_candidates")
        ]


def environment_of(
    folder: Path, exports: Path | str = "", data="", customers="", threads=2
) -> dict[str, str]:
    own = {
        "SEGMENTATION_DB": folder / "shop.duckdb",
        "SEGMENTATION_EXPORTS": exports or folder / "exports",
        "SEGMENTATION_DATA": data,
        "SEGMENTATION_CUSTOMERS": customers,
        "SEGMENTATION_THREADS": threads,
    }
    outer = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SEGMENTATION_", "DBT_"))
    }
    return outer | {name: str(value) for name, value in own.items()}


def build(
    folder: Path,
    command: str = "build",
    *,
    args: tuple[str, ...] | list[str] = (),
    variables: dict | None = None,
    exports: Path | None = None,
    data: Path | str = "",
    customers: Path | str = "",
    project: Path = REPOSITORY,
    threads: int = 2,
    environment: dict | None = None,
    green: bool | None = True,
) -> Build:
    """Run dbt on a database in the folder; green: what its exit code must tell."""
    exports = exports or folder / "exports"
    own = environment_of(folder, exports, data, customers, threads)
    place = ["--target-path", folder / "target", "--log-path", folder / "logs"]
    given = ["--vars", json.dumps(variables)] if variables else []
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--no-use-colors"]
        + [str(part) for part in [command, *place, *given, *args]],
        cwd=project,
        env=own | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if green is not None:
        tail = done.stdout.rpartition("Completed with")[2][-2500:]
        if (done.returncode == 0) is not green:
            pytest.fail(f"dbt {command} in {folder}: {tail}", pytrace=False)
    return Build(done.returncode, done.stdout, folder, exports, project)


def continued(source: Build, folder: Path, *, database=True, exports=True) -> Path:
    """Copy the database and exports of a build, for another build to go on from."""
    if database:
        shutil.copy(source.database, folder / "shop.duckdb")
    if exports:
        shutil.copytree(source.exports, folder / "exports")
    return folder


def copy_project(folder: Path) -> Path:
    return Path(shutil.copytree(REPOSITORY, folder / "project", ignore=NOT_COPIED))


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by name."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write_lines(path: Path, rows: list[str]) -> Path:
    """Write a file of order lines in the contract's smallest form."""
    header = "order_id,customer_id,ordered_at,product_id,quantity,unit_price"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


# Builds that many tests share. A build takes about 20 seconds on one core, so those
# that the collected tests need start at once, two at a time.
SHARED: dict[str, Callable] = {}


def shared(job: Callable) -> Callable:
    """Register ``job(folder, of)``; ``of(name)`` gives another shared build."""
    SHARED[job.__name__] = job
    return job


class SharedBuilds:
    """Runs each shared build once, whoever asks first."""

    def __init__(self, new_folder: Callable[[str], Path]):
        self._new_folder = new_folder
        self._lock = threading.Lock()
        self._futures: dict[str, Future] = {}
        self._pool = ThreadPoolExecutor(2)

    def start(self, names: list[str]) -> None:
        for name in names:
            self._pool.submit(self.of, name)

    def stop(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def of(self, name: str):
        with self._lock:
            is_first = name not in self._futures
            future = self._futures.setdefault(name, Future())
        if is_first:
            try:
                future.set_result(SHARED[name](self._new_folder(name), self.of))
            except BaseException as error:  # a skip is no Exception
                future.set_exception(error)
        return future.result()
