"""What a day costs against a full build: python benchmarks/increments.py --help.

Makes up orders, one Parquet file a day, builds all but the last day, drops the last
day's file beside the others and builds again. Prints the seconds of both, their ratio
and the models that take longest. Both publish, tests of the data included: that is what
a night costs, and what keeps models and closed months from being computed again. One
segmentation and a small training sample keep the fits small, as they do not grow with
the data.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from made_up_orders import write_days

REPOSITORY = Path(__file__).resolve().parents[1]
VARIABLES = {
    "input": "template",
    "segmentations_enabled": ["value"],
    "training_sample_size": 2000,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument(
        "--days", type=int, default=1000, help="a day is one of so many parts"
    )
    parser.add_argument("--folder", type=Path, help="where to work; kept if given")
    parser.add_argument("--threads", default="2")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="increments-"))
    orders = folder / "orders"
    try:
        last = options.days - 1
        write_days(orders, options.orders, options.days, 0, last)
        full = build(folder, options.threads)
        write_days(orders, options.orders, options.days, last, options.days)
        day = build(folder, options.threads)
        again = build(folder, options.threads)
        report(options, full, day, again)
    finally:
        if not options.folder:
            shutil.rmtree(folder)


def build(folder: Path, threads: str) -> dict:
    """Run a build; its seconds, and those of each model by name."""
    own = {
        "SEGMENTATION_DB": folder / "shop.duckdb",
        "SEGMENTATION_EXPORTS": folder / "exports",
        "SEGMENTATION_DATA": folder / "orders",
        "SEGMENTATION_THREADS": threads,
    }
    place = ["--target-path", folder / "target", "--log-path", folder / "logs"]
    command = [
        *[sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--quiet", "build"],
        *["--vars", json.dumps(VARIABLES), *place],
        *["--exclude-resource-type", "unit_test"],
    ]
    since = time.monotonic()
    subprocess.run(
        [str(part) for part in command],
        cwd=REPOSITORY,
        env=os.environ | {name: str(value) for name, value in own.items()},
        check=True,
    )
    seconds = time.monotonic() - since
    results = json.loads((folder / "target" / "run_results.json").read_text())
    models = {
        result["unique_id"].rpartition(".")[2]: result["execution_time"]
        for result in results["results"]
        if result["unique_id"].startswith("model.")
    }
    return {"seconds": seconds, "models": models}


def report(options, full: dict, day: dict, again: dict) -> None:
    """Print both builds side by side."""
    print(
        f"{options.orders:,} orders, {options.days:,} files, {options.threads} threads"
    )
    for name, done in (("all", full), ("one more day", day), ("nothing new", again)):
        share = done["seconds"] / full["seconds"]
        print(f"{name:<34}{done['seconds']:>9.1f} s {share:>7.1%}")
    costs = {
        name: (seconds, day["models"].get(name, 0.0))
        for name, seconds in full["models"].items()
    }
    print(f"\n{'seconds of':<34}{'all':>9}{'a day':>9}")
    for name, pair in sorted(costs.items(), key=lambda item: -max(item[1]))[:25]:
        print(f"{name:<34}{pair[0]:>9.1f}{pair[1]:>9.1f}")
    chain = ("base_", "stg_", "template__", "int_counted", "int_order", "int_return")
    sums = [
        sum(pair[which] for name, pair in costs.items() if name.startswith(chain))
        for which in (0, 1)
    ]
    print(f"{'from the files to the orders':<34}{sums[0]:>9.1f}{sums[1]:>9.1f}")


if __name__ == "__main__":
    main()
