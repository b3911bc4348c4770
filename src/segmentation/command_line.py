"""The command line: a thin front on dbt's own runner that ends in a summary."""

import argparse
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import yaml
from dbt.cli.main import dbtRunner

from segmentation.publishing import MANIFEST

LOCK_CURE = (
    "Another program has the database open. Close it and build again; dashboards read "
    "the exported files, never the working database."
)
OLDEST_JAVA = 17
JAVA_CURE = (
    "Install Java 17 (Debian and Ubuntu: apt-get install openjdk-17-jre-headless; "
    "macOS: brew install openjdk@17) or name it in JAVA_HOME. `make build` needs none."
)
STRUCTURES = {
    "separated": "separated clusters",
    "continuous": "slices of a continuum, no groups apart",
    "unstable": "unstable: other customers would give other segments",
}


def main(arguments: list[str] | None = None) -> int:
    """Run `segmentation build`; returns the exit code."""
    parser = argparse.ArgumentParser(prog="segmentation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build, test and publish the marts")
    build.add_argument("--input", default="demo", help="a name under vars: inputs:")
    build.add_argument(
        "--data", help="a file (csv, csv.gz, parquet), a folder or a pattern"
    )
    build.add_argument("--vars", default="{}", help="further dbt vars, as YAML")
    build.add_argument("--target", default="dev", help="a target of profiles.yml")
    options = parser.parse_args(arguments)
    if options.data:
        os.environ["SEGMENTATION_DATA"] = str(Path(options.data).resolve())
    variables = {"input": options.input, **yaml.safe_load(options.vars)}
    return _build(variables, options.target)


def _build(variables: dict, target: str) -> int:
    name = variables["input"]
    if target.startswith("spark"):
        own = f"warehouse/spark/{name}"
        database = os.environ.get("SEGMENTATION_SPARK_FOLDER", own)
        fault = None if os.environ.get("SPARK_REMOTE") else java_fault()
    else:
        database = os.environ.get("SEGMENTATION_DB", f"warehouse/{name}.duckdb")
        holder = _holder(database)
        fault = holder and f"{holder}\n{LOCK_CURE}"
    if fault:
        print(fault, file=sys.stderr)
        return 1
    # YAML reads a date as a date, which JSON does not know: dbt takes its text.
    text = json.dumps(variables, default=str)
    progress = _Progress(sys.stdout)
    with contextlib.redirect_stdout(progress):
        result = dbtRunner(callbacks=[progress]).invoke(
            ["build", "--quiet", "--target", target, "--vars", text]
        )
    progress.end()
    if not result.success:
        print("Nothing was published; the last exports stand as they were.")
        return 1
    # as exports_folder()
    folder = name if target == "dev" else f"{name}_{target}"
    folder = os.environ.get("SEGMENTATION_EXPORTS", f"exports/{folder}")
    rebuilt = variables.get("rebuild_into")
    exports = Path(f"{folder}_{rebuilt}" if rebuilt else folder)
    print(summary(exports, database))
    return 0


def java_fault() -> str | None:
    """Return why Spark cannot start here, with the cure; None if it can."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if not java or not Path(java).exists():
        place = f"JAVA_HOME is {home}, without bin/java" if home else "no java is found"
        return f"Spark runs on Java, and {place}. {JAVA_CURE}"
    said = subprocess.run(
        [java, "-version"], capture_output=True, text=True, check=False
    ).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    if not version or int(version[1]) < OLDEST_JAVA:
        first = said.strip().splitlines()[0] if said.strip() else "nothing"
        return f"Spark needs Java {OLDEST_JAVA}, and {java} says: {first}. {JAVA_CURE}"
    return None


def _holder(database: str) -> str | None:
    """Who keeps the database from being written to, in DuckDB's words; None if free."""
    if not Path(database).exists():
        return None
    try:
        duckdb.connect(database).close()
    except duckdb.IOException as error:
        return str(error).split(" However,")[0]
    return None


class _Progress:
    """Counts finished nodes on one line of a terminal, below what models print.

    It stands in for sys.stdout meanwhile, to clear its line before others write.
    """

    def __init__(self, stream):
        self.stream = stream
        self.done = 0
        self.started = time.monotonic()
        self.is_shown = False

    def __call__(self, event):
        if event.info.name == "NodeFinished":
            self.done += 1
            if self.stream.isatty():
                name = event.data.node_info.node_name[:50]
                self.stream.write(f"\r{self.done:4d} done, last {name:<50}")
                self.stream.flush()
                self.is_shown = True

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        if self.is_shown:
            self.stream.write("\r" + " " * 70 + "\r")
            self.is_shown = False
        return self.stream.write(text)

    def end(self):
        seconds = time.monotonic() - self.started
        print(f"{self.done} models and tests in {seconds:.0f} s", file=self)


def summary(exports: Path, database: str) -> str:
    """Return what was published in a few lines.

    Parameters
    ----------
    exports
        The exports folder; its manifest names the set that is read.
    database
        The path of the working database, to be named.

    """
    manifest = json.loads((exports / MANIFEST).read_text())
    folder = exports / manifest["folder"]
    segmentations = _rows(
        folder / "dim_segmentations.parquet",
        "segmentation, structure, stability, status, reason",
        "not is_primary, segmentation = 'rfm', segmentation",
    )
    segments = _rows(
        folder / "rpt_segment_summary.parquet",
        "segmentation, segment_name, customer_count, revenue_share",
        "revenue desc nulls last, customer_count desc, segment_id",
        "customer_count > 0",
    )
    quality = _rows(
        folder / "rpt_data_quality.parquet",
        "source_table, measure, reason, row_count",
        "source_table, row_count desc, reason",
        "measure <> 'note'",
    )
    date = f" as of {manifest['as_of_date']}" if manifest["as_of_date"] else ""
    lines = [f"\nSegments of {manifest['input']}{date}"]
    for segmentation, structure, stability, status, reason in segmentations:
        own = [row[1:] for row in segments if row[0] == segmentation]
        has_revenue = any(share is not None for *_, share in own)
        revenue = f"{'of revenue':>12}" if has_revenue else ""
        lines.append(f"\n  {segmentation:<30}{'customers':>10}{revenue}")
        for name, customers, share in own:
            share_text = "" if share is None else f"{share:.1%}"
            lines.append(f"    {name:<28}{customers:>10,}{share_text:>12}".rstrip())
        if status != "ok":
            lines.append(f"    {status}: {reason}")
        elif structure:
            lines.append(f"    {STRUCTURES[structure]}; stability {stability:.2f}")
    lines += _value_and_risk(folder)
    lines.append("\nRaw rows")
    for table in dict.fromkeys(row[0] for row in quality):
        counts = [row[1:] for row in quality if row[0] == table]
        used = sum(n for measure, _, n in counts if measure == "used")
        reasons = [
            (reason, n) for measure, reason, n in counts if measure == "quarantined"
        ]
        if not used and not reasons:
            continue
        quarantined = sum(n for _, n in reasons)
        text = f"  {table:<18}{used:>10,} used{quarantined:>9,} in quarantine"
        if reasons:
            text += ": " + ", ".join(f"{reason} {n:,}" for reason, n in reasons[:3])
            text += ", ..." if len(reasons) > 3 else ""
        lines.append(text)
    lines += [
        "\nWhere things are",
        f"  database   {database}",
        f"  exports    {folder}",
        "  docs       README.md and docs/; make docs for every table and column",
    ]
    return "\n".join(lines)


def _value_and_risk(folder: Path) -> list[str]:
    """Return what is predicted and how well, where there are orders."""
    if not (folder / "rpt_churn_validation.parquet").exists():
        return []
    ((value, basis, at_risk, listed, listed_value),) = _rows(
        folder / "dim_customers.parquet",
        "sum(lifetime_value), max(value_basis), sum(value_at_risk), "
        "count(*) filter (is_high_value_at_risk), "
        "sum(value_at_risk) filter (is_high_value_at_risk)",
        "1",
    )
    grades = _rows(
        folder / "rpt_value_validation.parquet", "verdict", "1", "measure = 'grade'"
    )
    chosen = _rows(
        folder / "rpt_churn_validation.parquet",
        "model, split_part(verdict, ';', 1)",
        "1",
        "is_chosen and measure = 'auc'",
    )
    lines = ["\nValue and risk"]
    if value is None:
        models = _rows(
            folder / "rpt_purchase_models.parquet",
            "model, status, reason",
            "model",
            "status <> 'ok'",
        )
        faults = dict.fromkeys(
            f"  {model} {why}: {text}" for model, why, text in models
        )
        return [*lines, *faults] if faults else []
    lines.append(f"  lifetime value     {value:>12,.0f} of {basis}")
    lines += [f"    {verdict}" for (verdict,) in grades]
    if at_risk is not None:
        lines.append(f"  value at risk      {at_risk:>12,.0f}")
        lines.append(
            f"    {listed:,} valuable customers to save, "
            f"with {listed_value or 0:,.0f} of it"
        )
    lines += [f"    churn by {model}: {verdict}" for model, verdict in chosen]
    return lines


def _rows(file: Path, columns: str, order: str, condition: str = "true") -> list[tuple]:
    return duckdb.execute(
        f"select {columns} from read_parquet(?) where {condition} order by {order}",
        [str(file)],
    ).fetchall()


if __name__ == "__main__":
    sys.exit(main())
