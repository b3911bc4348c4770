"""Compares two published sets, mart by mart: rows, keys, labels and figures."""

import json
import math
from pathlib import Path
from typing import NamedTuple

import duckdb

RELATIVE = 1e-9


class Mart(NamedTuple):
    """What the comparison of one mart saw."""

    name: str
    rows: int
    doubles: int
    largest_difference: float
    faults: list[str]


def published(exports: Path) -> tuple[dict, dict[str, list[Path]]]:
    """Return the manifest and the Parquet files of each table."""
    manifest = json.loads((exports / "manifest.json").read_text())
    files: dict[str, list[Path]] = {}
    for file in manifest["files"]:
        if not file["name"].endswith(".parquet"):
            continue
        name = file["name"].removesuffix(".parquet").partition("-")[0]
        files.setdefault(name, []).append(exports / manifest["folder"] / file["name"])
    return manifest, files


def compare_sets(one: Path, other: Path, keys: dict[str, list[str]]) -> list[Mart]:
    """Compare every table of two exports folders; ``keys`` by table."""
    _, ones = published(one)
    _, others = published(other)
    assert set(ones) == set(others), set(ones) ^ set(others)
    return [compare(name, ones[name], others[name], keys[name]) for name in ones]


def compare(name: str, ones: list[Path], others: list[Path], key: list[str]) -> Mart:
    """Compare two tables row by row: by key, and each column by its own measure."""
    with duckdb.connect() as connection:
        for alias, files in (("one", ones), ("other", others)):
            names = ", ".join(f"'{file}'" for file in files)
            connection.sql(f"create view {alias} as from read_parquet([{names}])")
        types = {
            alias: dict(
                row[:2] for row in connection.sql(f"describe {alias}").fetchall()
            )
            for alias in ("one", "other")
        }
        if types["one"] != types["other"]:
            return Mart(name, 0, 0, math.inf, [f"types differ: {types}"])
        joined = " and ".join(f"one.{c} is not distinct from other.{c}" for c in key)
        pairs = f"one full join other on {joined}"
        faults = []
        count = connection.sql("select count(*) from one").fetchall()[0][0]
        lonely = connection.sql(
            f"select one.{key[0]}, other.{key[0]} from {pairs} "
            f"where one.{key[0]} is null or other.{key[0]} is null"
        ).fetchall()
        if lonely:
            faults.append(f"{len(lonely)} rows are in one set only, {lonely[:3]}")
        doubles, largest = 0, 0.0
        for column, kind in types["one"].items():
            if column in key:
                continue
            if kind == "DOUBLE":
                wrong = (
                    f"abs(one.{column} - other.{column}) "
                    f"/ greatest(abs(one.{column}), abs(other.{column}), 1e-300)"
                )
                ((compared, most, nulls),) = connection.sql(
                    f"select count({wrong}), coalesce(max({wrong}), 0), "
                    f"count(*) filter ((one.{column} is null) "
                    f"<> (other.{column} is null)) from {pairs}"
                ).fetchall()
                doubles += compared
                largest = max(largest, most)
                if most > RELATIVE or nulls:
                    faults.append(f"{column}: differs by {most}, {nulls} nulls")
                continue
            unequal = connection.sql(
                f"select {', '.join('one.' + k for k in key)}, one.{column}, "
                f"other.{column} from {pairs} "
                f"where one.{column} is distinct from other.{column}"
            ).fetchall()
            if unequal:
                faults.append(f"{column}: {len(unequal)} differ, {unequal[:3]}")
    return Mart(name, count, doubles, largest, faults)
