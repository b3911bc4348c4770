"""A project that installs this one, and what is loaded into its warehouse."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.append(str(REPOSITORY / "benchmarks"))

from made_up_orders import write_days  # noqa: E402

ORDERS, DAYS = 4_000, 400
# What the shop's loader writes. A customer's country follows from the number.
LOAD_LINES = """
    select
        line_id as line_number, order_id as order_number, customer_id as customer,
        ordered_at, product_id as sku, quantity, unit_price, line_type,
        original_order_id as returned_order, loaded_at
    from '{days}/*.parquet'
"""
LOAD_CUSTOMERS = """
    select distinct
        customer as number,
        if(cast(substr(customer, 2) as integer) % 2 = 0, 'Austria', 'France') as country
    from raw.lines
"""


class Consumer(NamedTuple):
    """The folder of a consumer's project, and where the numeric package is."""

    folder: Path
    packages: Path
    output: str = ""

    def run(self, *arguments, green=True, environment=None) -> str:
        """Run dbt there, on its own profile; returns what it says."""
        outer = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SEGMENTATION_", "DBT_"))
        }
        done = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", *arguments],
            cwd=self.folder,
            env=outer | {"PYTHONPATH": str(self.packages)} | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if (done.returncode == 0) is not green:
            pytest.fail(f"dbt {arguments}: {done.stdout[-2500:]}", pytrace=False)
        return done.stdout

    def rows(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.folder / "shop.duckdb"), read_only=True) as shop:
            return shop.execute(sql).fetchall()

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def copy(self, folder: Path) -> "Consumer":
        """Copy all of it, another name for the database's state included."""
        return self._replace(
            folder=Path(shutil.copytree(self.folder, folder / "shop", symlinks=True))
        )


def load(consumer: Consumer, first: int, last: int) -> None:
    """Do what the shop's loader does each night: days first to last (exclusive)."""
    days = consumer.folder / "days" / str(first)
    write_days(days, ORDERS, DAYS, first, last)
    with duckdb.connect(str(consumer.folder / "shop.duckdb")) as shop:
        lines = LOAD_LINES.format(days=days)
        if first == 0:
            shop.execute(f"create schema raw; create table raw.lines as {lines}")
            shop.execute(f"create table raw.customers as {LOAD_CUSTOMERS}")
        else:
            shop.execute(f"insert into raw.lines {lines}")
