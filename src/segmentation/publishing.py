"""Publishing: the marts as one set of files, and the candidate as a model version.

Runs as the last node of a full build, when every test before it has passed.
"""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from segmentation.explorer import charts_of, is_due, write_explorer
from segmentation.publishing_engines import engine_of
from segmentation.report import REPORT_TABLES, write_report
from segmentation.spreadsheets import write_csv

MANIFEST = "manifest.json"
REPORT = "summary.md"
# Beyond it who moved is told by month alone: the report is made on one machine.
LARGEST_REPORT_TABLE = 5_000_000
WRITING = ".writing-"
# What the registry keeps with a version; the version itself is in other tables.
FACTS = ("training_bins", "segment_candidates")


def publish(tables: pd.DataFrame, session) -> pd.DataFrame:
    """Write the published tables to the exports folder and promote the candidate.

    Parameters
    ----------
    tables
        One row per table: table_name, relation, column_names, key_columns, is_csv
        (whether to write it as CSV too; absent: no),
        registry_table (empty: none), registry_columns, registry_keys and
        promoted_where (the rows that the registry takes, once for each key), and on
        every row the same input_name, currency, exports_folder, registry_schema,
        configuration (JSON), as_of_date and partial_because (empty for a full build).
    session
        The DuckDB connection or the Spark session of the build.

    Returns
    -------
    One row: status (published, unchanged or not_published), folder, message.

    The files of a set go to a folder named by their content; the manifest is replaced
    last and atomically, so that a reader who follows it always sees one whole set. The
    previous set is kept for readers that are still at it. Beside them, and no part of a
    set, ``explorer.html`` and ``charts`` show it, and ``summary.md`` tells what has
    changed from the one to the other.
    """
    run = tables.iloc[0]
    if run["partial_because"]:
        return _outcome(
            "not_published",
            None,
            f"Not published: only a full dbt build publishes, and "
            f"{run['partial_because']}.",
        )
    if "://" in run["exports_folder"]:
        raise ValueError(
            f"SEGMENTATION_EXPORTS is {run['exports_folder']}, an address; publishing "
            "needs a folder, one that every worker shares: a mounted disk or bucket."
        )
    engine = engine_of(session)
    exports = Path(run["exports_folder"])
    exports.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=exports, prefix=WRITING) as temporary:
        files = [
            {"name": path.name, "rows": rows, "sha256": _digest_of(path)}
            for table in tables.sort_values("table_name").itertuples()
            for path, rows in _write(engine, table, Path(temporary))
        ]
        manifest = {
            "input": run["input_name"],
            "as_of_date": _date(run["as_of_date"]),
            "currency": run["currency"],
            "configuration": json.loads(run["configuration"]),
            "files": files,
        }
        contents = {
            table.table_name: engine.fingerprint(table) for table in tables.itertuples()
        }
        if any(contents.values()):
            manifest["contents"] = contents
        manifest["folder"] = _digest(_identity(manifest))[:16]
        published = _read_manifest(exports)
        is_new = _identity(manifest) != _identity(published) or not _is_whole(
            exports, published
        )
        if is_new:
            if not _is_whole(exports, manifest):
                _replace_folder(Path(temporary), exports / manifest["folder"], files)
            _replace_manifest(exports, manifest)
        not_drawn = _draw_explorer(exports)
        if is_new:
            charts = {} if not_drawn else charts_of(exports)
            _write_report(exports, manifest, published, run["currency"], charts)
            in_use = {manifest["folder"], published.get("folder"), Path(temporary).name}
            _remove_old(exports, keep=in_use)
    promoted = _promote(engine, tables, run["registry_schema"])
    place = exports / manifest["folder"]
    message = (
        f"Published {len(tables)} tables to {place}"
        if is_new
        else (f"Unchanged: {place} is what was published before")
    )
    return _outcome(
        "published" if is_new else "unchanged",
        manifest["folder"],
        f"{message}; {promoted}.{not_drawn}",
    )


def _write(engine, table, folder: Path) -> list[tuple[Path, int]]:
    """Write a table; of one for spreadsheets and other tools also a CSV of each file.

    It is made from the Parquet files, so that both engines write the same one, and
    personal data that is not in those is not in it.
    """
    files = engine.write(table, folder)
    if getattr(table, "is_csv", False):
        files += [(write_csv(path), rows) for path, rows in files]
    return files


def _outcome(status: str, folder: str | None, message: str) -> pd.DataFrame:
    print(message)
    return pd.DataFrame(
        {"status": [status], "folder": [folder], "message": [message]}, dtype="string"
    )


def _date(value) -> str | None:
    """The day as text; None where the data have no date."""
    return None if pd.isna(value) else str(pd.Timestamp(value).date())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _identity(manifest: dict) -> bytes:
    """What makes a set the set it is: its bytes, or its contents where bytes vary."""
    files = manifest.get("files", [])
    if "contents" in manifest:
        files = [(file["name"], file["rows"]) for file in files]
    kept = {key: value for key, value in manifest.items() if key != "folder"}
    return json.dumps({**kept, "files": files}, sort_keys=True).encode()


def _read_manifest(exports: Path) -> dict:
    try:
        return json.loads((exports / MANIFEST).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _is_whole(exports: Path, manifest: dict) -> bool:
    folder = exports / manifest["folder"]
    return all(
        (folder / file["name"]).is_file()
        and _digest_of(folder / file["name"]) == file["sha256"]
        for file in manifest["files"]
    )


def _replace_folder(written: Path, target: Path, files: list[dict]) -> None:
    """Move the files to where the manifest will point, over a broken set if any."""
    if target.exists():
        shutil.rmtree(target)
    target.mkdir()
    for file in files:
        (written / file["name"]).replace(target / file["name"])


def _replace_manifest(exports: Path, manifest: dict) -> None:
    temporary = exports / f".{MANIFEST}.writing"
    with temporary.open("w") as stream:
        json.dump(manifest, stream, indent=2, sort_keys=True)
        stream.write("\n")
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(exports / MANIFEST)


def _draw_explorer(exports: Path) -> str:
    """Draw the page of the set that is published, unless it is there as it should be.

    Returns what to say if it cannot be drawn: the set is published all the same.
    """
    try:
        if is_due(exports):
            write_explorer(exports)
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return (
            f" The explorer page could not be drawn ({reason}); the tables are "
            "published all the same."
        )
    return ""


def _write_report(
    exports: Path, manifest: dict, published: dict, currency: str, charts: dict
) -> None:
    """Write what has changed since the set that was published before.

    No part of the set: it tells of two of them.
    """
    before = _report_tables(exports, published)
    text = write_report(
        _report_tables(exports, manifest),
        before or None,
        input_name=manifest["input"],
        currency=currency,
        as_of_date=manifest["as_of_date"],
        previous_date=published.get("as_of_date"),
        charts=charts,
    )
    (exports / REPORT).write_text(text, encoding="utf-8")


def _report_tables(exports: Path, manifest: dict) -> dict[str, pd.DataFrame]:
    """Read what the report is about; a set may be gone, or of an earlier release."""
    tables = {}
    for file in manifest.get("files", []):
        name = file["name"].removesuffix(".parquet")
        path = exports / str(manifest["folder"]) / file["name"]
        if (
            name not in REPORT_TABLES
            or file["rows"] > LARGEST_REPORT_TABLE
            or not path.is_file()
        ):
            continue
        columns = REPORT_TABLES[name]
        present = set(pq.read_schema(path).names)
        if columns is None or set(columns) <= present:
            tables[name] = pq.read_table(path, columns=columns).to_pandas()
    return tables


def _remove_old(exports: Path, keep: set) -> None:
    """Remove sets that nobody is to read, and what a killed publish left."""
    for folder in exports.iterdir():
        is_set = len(folder.name) == 16 and folder.name not in keep
        is_left = folder.name.startswith(WRITING) and folder.name not in keep
        if folder.is_dir() and (is_set or is_left):
            shutil.rmtree(folder)


def _promote(engine, tables: pd.DataFrame, schema: str) -> str:
    """Append to the registry what is new in the published tables; says what.

    What is kept with a version comes before it: who is stopped between the two finds
    the version new again in the next build, and nothing is lost.
    """
    versions, months = 0, set()
    tables = tables[tables["registry_table"] != ""]
    is_version = ~tables["registry_table"].isin(FACTS)
    for table in tables.iloc[is_version.argsort(kind="stable")].itertuples():
        target = f"{schema}.{table.registry_table}"
        keys = table.registry_keys.split(", ")
        known = " and ".join(f"known.{key} = new.{key}" for key in keys)
        new = (
            f"from {table.relation} as new where {table.promoted_where} and not exists "
            f"(select 1 from {target} as known where {known})"
        )
        found = engine.rows(f"select distinct {', '.join(keys)} {new}")
        if found:
            engine.execute(
                f"insert into {target} by name select {table.registry_columns} {new}"
            )
        if "month_end_date" in keys:
            months |= {row[keys.index("month_end_date")] for row in found}
        elif table.registry_table not in FACTS:
            versions += len(found)
    closed = f", months closed: {len(months)}" if months else ""
    return f"{versions} new model versions{closed}"
