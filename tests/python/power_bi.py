"""What the tests of the Power BI project share: its data and Microsoft's tools."""

import json
import os
import re
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from builds import REPOSITORY

GATES = REPOSITORY / "powerbi" / "gates"
TOOL = (
    "node_modules/@microsoft/powerbi-modeling-mcp-linux-x64/dist/powerbi-modeling-mcp"
)
needs_node = pytest.mark.skipif(
    not (shutil.which("node") and (GATES / "node_modules").is_dir()),
    reason="needs Node and Microsoft's tools: make powerbi-gates",
)
needs_object_model = pytest.mark.skipif(
    not (GATES / TOOL).is_file(),
    reason="needs Microsoft's object model, on Linux: make powerbi-gates",
)
# Which contract's type may be which type of a Parquet file.
PARQUET_TYPES = {
    "string": {"VARCHAR"},
    "integer": {"BIGINT", "INTEGER"},
    "bigint": {"BIGINT"},
    "double": {"DOUBLE"},
    "decimal": {"DECIMAL"},
    "date": {"DATE"},
    "timestamp": {"TIMESTAMP"},
    "boolean": {"BOOLEAN"},
}


def published_set(build) -> Path:
    return build.exports / build.manifest()["folder"]


def frames(model, folder: Path) -> dict[str, pd.DataFrame]:
    """The exported marts as the model has them, with its names."""
    found = {}
    with duckdb.connect() as connection:
        for table in model.tables:
            if not table.mart:
                continue
            columns = [column for column in table.columns if not column.order_of]
            names = ", ".join(f'"{column.source}"' for column in columns)
            rows = connection.execute(
                f"select {names} from '{folder / table.mart}.parquet'"
            ).fetchall()
            found[table.name] = pd.DataFrame(
                rows, columns=[column.name for column in columns], dtype=object
            )
    return found


def type_faults(model, folder: Path) -> list[str]:
    """Columns of the model that are not in the Parquet files, or of another type."""
    faults = []
    with duckdb.connect() as connection:
        for table in model.tables:
            if not table.mart:
                continue
            described = connection.execute(
                f"describe select * from '{folder / table.mart}.parquet'"
            ).fetchall()
            types = {name: kind.split("(")[0] for name, kind, *_ in described}
            for column in table.columns:
                if column.order_of:
                    continue
                stored = types.get(column.source, "absent")
                if stored not in PARQUET_TYPES[column.data_type]:
                    faults.append(
                        f"{table.name}[{column.name}]: {column.data_type}, but "
                        f"{stored} in the file"
                    )
    return faults


def m_expressions(files: dict[str, str]) -> dict[str, str]:
    """The M expressions of a semantic model's files: partitions and parameters."""
    found = {}
    for path, text in files.items():
        partition = re.compile(
            r"^\tpartition (.+) = m\n.*?\n\t\tsource =\n", re.M | re.S
        )
        for match in partition.finditer(text):
            lines = text[match.end() :].splitlines()
            end = next(
                i for i, line in enumerate(lines) if not line.startswith("\t\t\t")
            )
            found[match[1]] = "\n".join(lines[:end])
        for match in re.finditer(r"^expression (\S+) = (.*)$", text, re.M):
            found[f"{path} {match[1]}"] = match[2]
    return found


def m_faults(files: dict[str, str]) -> dict[str, str]:
    done = subprocess.run(
        ["node", "m_syntax.mjs"],
        input=json.dumps(m_expressions(files)),
        cwd=GATES,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


class ObjectModel:
    """Microsoft's tabular object model, asked over stdin and stdout."""

    def __init__(self, process: subprocess.Popen):
        self._process = process
        self._number = 0
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}}
        self._ask(
            "initialize", hello | {"clientInfo": {"name": "tests", "version": "0"}}
        )
        self._send({"method": "notifications/initialized", "params": {}})

    def _send(self, message: dict) -> None:
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
        self._process.stdin.flush()

    def _ask(self, method: str, parameters: dict) -> dict:
        self._number += 1
        self._send({"id": self._number, "method": method, "params": parameters})
        for line in self._process.stdout:
            answer = json.loads(line)
            if answer.get("id") == self._number:
                return answer
        raise RuntimeError("the object model's server has ended")

    def _use(self, tool: str, **request) -> tuple[bool, str]:
        answer = self._ask(
            "tools/call", {"name": tool, "arguments": {"request": request}}
        )
        result = answer.get("result", answer)
        text = " ".join(part.get("text", "") for part in result.get("content", []))
        return not (result.get("isError") or "error" in answer), text

    def fault(self, folder: Path) -> str | None:
        """Why the object model refuses a .SemanticModel folder; None if it does not."""
        is_read, text = self._use(
            "connection_operations", operation="ConnectFolder", folderPath=str(folder)
        )
        return None if is_read else text

    def exported(self, folder: Path) -> dict[str, str]:
        """The model that was read last, as the object model itself writes it."""
        is_written, text = self._use(
            "database_operations",
            operation="ExportToTmdlFolder",
            tmdlFolderPath=str(folder),
        )
        assert is_written, text
        return {
            str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for path in folder.rglob("*.tmdl")
        }


@contextmanager
def object_model():
    tool = GATES / TOOL
    tool.chmod(0o755)  # npm leaves that to a script of the package
    environment = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    with subprocess.Popen(
        [tool, "--start"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        try:
            yield ObjectModel(process)
        finally:
            process.terminate()
