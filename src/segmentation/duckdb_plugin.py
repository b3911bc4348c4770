"""What the connection of dbt-duckdb has beyond DuckDB.

Text in Windows-1252, workbooks, and tables of a PostgreSQL database.
"""

import gzip
import io
import json
import shutil
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from dbt.adapters.duckdb.plugins import BasePlugin

from segmentation import postgres, workbooks

# The text is held several times over while it is taken apart into lines: 200 MB took
# 1.2 GB of memory, so a file of this size may take 6 GB.
MAXIMUM_TEXT_BYTES = 1_000_000_000
GZIP = b"\x1f\x8b"
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def decode_text(content: bytes) -> str:
    """Return the text of a file in Windows-1252 (cp1252), which may be gzipped.

    DuckDB's own Latin-1 has no 0x80 to 0x9F, where Windows keeps the euro sign and
    the curly quotes. The five bytes that mean nothing there stay visible, as
    ``\\x81``.

    Parameters
    ----------
    content
        The bytes of the file.

    Raises
    ------
    ValueError
        If the text has more than 1,000,000,000 bytes, or is in UTF-16.

    Examples
    --------
    >>> decode_text(b"5 \\x80 \\x81")
    '5 € \\\\x81'

    """
    if content.startswith(GZIP):
        with gzip.open(io.BytesIO(content)) as stream:
            content = stream.read(MAXIMUM_TEXT_BYTES + 1)
    if content.startswith(UTF_16):
        raise ValueError("the file is in UTF-16: save it as UTF-8")
    if len(content) > MAXIMUM_TEXT_BYTES:
        raise ValueError(
            f"a file that is not UTF-8 may have {MAXIMUM_TEXT_BYTES:,} bytes of text "
            "at most, because it is held in memory: convert it to UTF-8 first, as by "
            "iconv -f CP1252 -t UTF-8"
        )
    return content.decode("cp1252", errors="backslashreplace")


SHEET_ROWS = pa.list_(
    pa.struct([("line", pa.int64()), ("fields", pa.list_(pa.string()))])
)


def workbook_facts(path: str, sheet: str) -> str:
    """Return `workbooks.facts` as JSON, or its error; no sheet is the first."""
    return _answer(lambda: workbooks.facts(path, sheet or None))


def workbook_rows(paths: pa.Array, sheets: pa.Array) -> pa.Array:
    """Return the rows of each workbook's sheet but for the header."""
    found = []
    for path, sheet in zip(paths.to_pylist(), sheets.to_pylist(), strict=True):
        lines, fields = [], []
        for line, cells in islice(workbooks.rows(path, sheet or None), 1, None):
            lines.append(line)
            fields.append(cells)
        structs = pa.StructArray.from_arrays(
            [pa.array(lines, pa.int64()), pa.array(fields, pa.list_(pa.string()))],
            names=["line", "fields"],
        )
        found.append(pa.ListArray.from_arrays([0, len(lines)], structs))
    return pa.concat_arrays(found).cast(SHEET_ROWS)


def _answer(ask: Callable[[], dict]) -> str:
    """Errors are given as text: an exception would come wrapped in DuckDB's own."""
    try:
        return json.dumps(ask())
    except postgres.MissingTableError as error:
        return json.dumps({"missing": str(error), "place": postgres.place()})
    except (postgres.DatabaseError, workbooks.WorkbookError) as error:
        return json.dumps({"error": str(error)})


class Plugin(BasePlugin):
    """Register the functions; profiles.yml names this module."""

    def initialize(self, plugin_config):
        """Start without a folder for what is fetched."""
        self._folder = None

    def configure_connection(self, conn):
        """Add the functions to the connection.

        ``decode_text(blob) -> varchar``, ``workbook_facts(path, sheet) -> varchar``,
        ``workbook_rows(path, sheet) -> struct(line bigint, fields varchar[])[]``,
        ``postgres_columns(name, table) -> varchar``,
        ``postgres_fetch(request) -> varchar`` and ``remove_fetched(table) -> varchar``.
        """
        if self._folder is None:
            path = self.creds.path
            self._folder = (
                Path(tempfile.mkdtemp(prefix="segmentation-"))
                if path == ":memory:"
                else Path(f"{path}.fetched").resolve()
            )
            # What a run left that was killed. No other run is at it: this one has the
            # database. A connection that is opened anew finds what was fetched before.
            shutil.rmtree(self._folder, ignore_errors=True)
        conn.create_function("decode_text", decode_text, ["BLOB"], "VARCHAR")
        conn.create_function(
            "workbook_facts", workbook_facts, ["VARCHAR", "VARCHAR"], "VARCHAR"
        )
        conn.create_function(
            "workbook_rows",
            workbook_rows,
            ["VARCHAR", "VARCHAR"],
            "STRUCT(line BIGINT, fields VARCHAR[])[]",
            type="arrow",
        )
        for name, function, arguments in (
            ("postgres_columns", self._postgres_columns, 2),
            ("postgres_fetch", self._postgres_fetch, 1),
            ("remove_fetched", self._remove_fetched, 1),
        ):
            conn.create_function(
                name, function, ["VARCHAR"] * arguments, "VARCHAR", side_effects=True
            )

    def _postgres_columns(self, name: str, table: str) -> str:
        def ask():
            columns, user = postgres.columns(name)
            return {
                "columns": [list(column) for column in columns],
                "user": user,
                "place": postgres.place(),
                "path": str(self._fetched(table)),
            }

        return _answer(ask)

    def _postgres_fetch(self, request: str) -> str:
        def ask():
            given = json.loads(request)
            row_count = postgres.fetch(**given)
            fetched = pq.read_metadata(given["path"]).num_rows
            return {"row_count": row_count, "fetched": fetched}

        return _answer(ask)

    def _remove_fetched(self, table: str) -> str:
        self._fetched(table).unlink(missing_ok=True)
        return "{}"

    def _fetched(self, table: str) -> Path:
        return self._folder / f"{table}.parquet"
