"""Whole builds of the project as subprocesses, all that they write in one folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from cluster import kill_group

REPOSITORY = Path(__file__).resolve().parents[2]
# The unit tests run once, in the demo's build on the cluster: they judge the code.
NO_UNIT_TESTS = ["--exclude-resource-type", "unit_test"]


class Build(NamedTuple):
    """A finished `dbt build`."""

    code: int
    output: str
    exports: Path
    target: Path
    seconds: float


def start(
    folder: Path, target: str, environment: dict, data: Path | None, *args: str
) -> subprocess.Popen:
    """Start `dbt build` on a target, all that it writes in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    own = {
        "SEGMENTATION_DB": folder / "shop.duckdb",
        "SEGMENTATION_SPARK_FOLDER": folder / "spark",
        "SEGMENTATION_EXPORTS": folder / "exports",
        "SEGMENTATION_DATA": data or "",
        "SEGMENTATION_THREADS": 2,
    }
    outer = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SEGMENTATION_", "DBT_", "SPARK_"))
    }
    dbt = [sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--no-use-colors"]
    place = ["--target-path", folder / "target", "--log-path", folder / "logs"]
    command = [*dbt, "build", "--target", target, *place, *args]
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=REPOSITORY,
        env=outer | {name: str(value) for name, value in own.items()} | environment,
        stdout=(folder / "output.txt").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a group of its own, Spark's driver included
    )


def finish(process: subprocess.Popen, folder: Path, since: float) -> Build:
    """Wait for a build."""
    try:
        code = process.wait()
    finally:
        kill_group(process, signal.SIGKILL)
    output = (folder / "output.txt").read_text(errors="replace")
    seconds = time.monotonic() - since
    return Build(code, output, folder / "exports", folder / "target", seconds)


def build(folder, target, environment, data=None, *args) -> Build:
    """Run `dbt build`; it must be green."""
    since = time.monotonic()
    done = finish(start(folder, target, environment, data, *args), folder, since)
    print(f"\n{target} {' '.join(args)}: {done.seconds:.0f} s")
    if done.code:
        tail = done.output.rpartition("Completed with")[2][-4000:]
        pytest.fail(f"dbt build --target {target}: {tail}", pytrace=False)
    return done
