"""`segmentation build`: dbt's build with a summary at the end."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import duckdb

from segmentation.command_line.faults import Fault
from segmentation.command_line.running import run

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


def build(variables: dict, target: str) -> None:
    """Build, test and publish an input, and say what came of it.

    Parameters
    ----------
    variables
        dbt's vars, `input` among them.
    target
        Of profiles.yml.

    Raises
    ------
    Fault
        If it cannot begin, or anything in it failed: nothing is published then.

    """
    name = variables["input"]
    if target.startswith("spark"):
        own = f"warehouse/spark/{name}"
        database = os.environ.get("SEGMENTATION_SPARK_FOLDER", own)
        fault = None if os.environ.get("SPARK_REMOTE") else java_fault()
    else:
        database = database_of(name)
        Path(database).parent.mkdir(parents=True, exist_ok=True)
        holder = _holder(database)
        fault = holder and f"{holder}\n{LOCK_CURE}"
    if fault:
        raise Fault(fault)
    # unit tests judge the code, which the demo's build does: half of the time
    is_plain = name != "demo" and not target.startswith("spark")
    skipped = ["--exclude-resource-type", "unit_test"] if is_plain else []
    arguments = ["build", "--target", target, *skipped]
    try:
        run(arguments, variables, shows="models and tests")
    except Fault as fault:
        raise Fault(
            str(fault), "Nothing was published; the last exports stand."
        ) from None
    rebuilt = variables.get("rebuild_into")
    folder = exports_of(name, target)
    exports = Path(f"{folder}_{rebuilt}") if rebuilt else folder
    print(summary(exports, database))


def database_of(name: str) -> str:
    """Return the path of an input's working database, as in profiles.yml."""
    return os.environ.get("SEGMENTATION_DB", f"warehouse/{name}.duckdb")


def exports_of(name: str, target: str = "dev") -> Path:
    """Return where an input is published, as exports_folder() has it."""
    folder = name if target == "dev" else f"{name}_{target}"
    return Path(os.environ.get("SEGMENTATION_EXPORTS", f"exports/{folder}"))


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


def summary(exports: Path, database: str) -> str:
    """Return what was published in a few lines.

    Parameters
    ----------
    exports
        The exports folder; its manifest names the set that is read.
    database
        The path of the working database, to be named.

    """
    from segmentation.publishing import MANIFEST

    manifest = json.loads((exports / MANIFEST).read_text())
    folder = exports / manifest["folder"]
    page = exports / "explorer.html"
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
        *([f"  explorer   {page}"] if page.exists() else []),
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
