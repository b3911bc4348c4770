"""dbt's own runner, with progress on one line and errors in words for people."""

import contextlib
import json
import sys
import textwrap
import threading
import time
from pathlib import Path

from segmentation.command_line.faults import Fault

LOG = "logs/dbt.log"


def run(arguments: list[str], variables: dict, *, shows: str, log: str = LOG):
    """Run a command of dbt and return its result.

    Parameters
    ----------
    arguments
        Of dbt, the command first.
    variables
        dbt's vars.
    shows
        What is counted, for the line of progress; empty for none.
    log
        Where dbt writes what it did, to be named in errors.

    Raises
    ------
    Fault
        With what dbt found wrong, reduced to the thing and its cure.

    """
    from dbt.cli.main import dbtRunner  # two seconds

    # YAML reads a date as a date, which JSON does not know: dbt takes its text.
    text = json.dumps(variables, default=str)
    progress = Progress(sys.stdout, shows)
    with contextlib.redirect_stdout(progress):
        result = dbtRunner(callbacks=[progress]).invoke(
            ["--log-level", "none", *arguments, "--vars", text]
        )
    progress.end()
    if not result.success:
        raise Fault(explanation(result, log))
    return result


def explanation(result, log: str = LOG) -> str:
    """What went wrong in a run of dbt, the causes first."""
    if result.exception is not None:
        return reduced(str(result.exception))
    broken = [one for one in result.result.results if one.status in ("error", "fail")]
    lines = []
    for one in broken[:5]:
        if one.status == "fail":
            name = one.node.name.replace("_", " ")
            lines.append(f"A check found {one.failures} rows that must not be: {name}.")
        else:
            lines.append(f"{one.node.name} failed: {reduced(one.message or '')}")
    if len(broken) > 5:
        lines.append(f"... and {len(broken) - 5} more.")
    return "\n".join([*lines, f"All that dbt did is in {log}."])


def reduced(message: str) -> str:
    """Return dbt's message without where in the macros it arose.

    Examples
    --------
    >>> print(reduced('''Compilation Error in operation on-run-start-1 (dbt_project.yml)
    ...   configuration: unknown var 'k'. Known vars: input.
    ...
    ...   > in macro stop (macros/check_configuration.sql)'''))
    Unknown var 'k'. Known vars: input.

    """
    lines = message.strip().splitlines()
    if len(lines) > 1 and " Error" in lines[0]:
        lines = lines[1:]
    kept = []
    for line in lines:
        if line.strip().startswith(("> in macro", "> called by", "compiled code at")):
            break
        kept.append(line)
    text = textwrap.dedent("\n".join(kept)).strip()
    text = text.removeprefix("configuration: ")
    return text[:1].upper() + text[1:]


class Progress:
    """Counts finished nodes on one line of a terminal, below what models print.

    It stands in for sys.stdout meanwhile, to clear its line before others write. Where
    the output is no terminal it writes a line for each 250. dbt does not know how many
    there will be.
    """

    def __init__(self, stream, shows: str):
        """Write to a stream; `shows` is what is counted, empty for silence."""
        self.stream = stream
        self.shows = shows
        self.done = 0
        self.lock = threading.Lock()  # dbt's threads report side by side
        self.started = time.monotonic()
        self.is_shown = False

    def __call__(self, event):
        """Take note of an event of dbt."""
        if event.info.name == "JinjaLogInfo" and event.info.level == "info":
            self.write(event.info.msg + "\n")
        elif event.info.name == "NodeFinished":
            with self.lock:
                self.done += 1
                self._show(event.data.node_info.node_name)

    def _show(self, name: str):
        if not self.shows:
            return
        if self.stream.isatty():
            self.stream.write(f"\r  {self.done:4d} {self.shows}, last {name[:36]:<36}")
            self.stream.flush()
            self.is_shown = True
        elif self.done % 250 == 0:
            self.write(f"  {self.done:4d} {self.shows}\n")
            self.stream.flush()

    def __getattr__(self, name):
        """Be the stream in all else."""
        return getattr(self.stream, name)

    def write(self, text):
        """Write, on a clear line."""
        if self.is_shown:
            self.stream.write("\r" + " " * 70 + "\r")
            self.is_shown = False
        return self.stream.write(text)

    def end(self):
        """Say how much was done in what time."""
        if self.shows and self.done:
            seconds = time.monotonic() - self.started
            self.write(f"  {self.done} {self.shows} in {seconds:.0f} s\n")


def release_databases() -> None:
    """Close the databases that dbt keeps open until the process ends."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def project_root() -> None:
    """Make sure that the project is here.

    Raises
    ------
    Fault
        If it is not.

    """
    project = Path("dbt_project.yml")
    if not project.exists() or "customer_segmentation" not in project.read_text(
        "utf-8"
    ):
        raise Fault(
            f"{Path.cwd()} is not the folder of the project: it has no dbt_project.yml "
            "of customer_segmentation.",
            "Change into the folder of the project (cd) and try again.",
        )
