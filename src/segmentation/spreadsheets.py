"""Tables as CSV that is safe to open in a spreadsheet."""

import csv
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

# A cell that begins like this is a formula to a spreadsheet, whatever its quotes: see
# OWASP's page on CSV injection.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
BATCH_ROWS = 50_000


def write_csv(parquet: Path) -> Path:
    """Write the rows of a Parquet file to a CSV file beside it, in the same order.

    Parameters
    ----------
    parquet
        A file that has been written. Its columns are of plain types: text, numbers,
        decimals, booleans, dates and timestamps.

    Returns
    -------
    The path of the CSV file: UTF-8 without a byte order mark (a tool that takes the
    list would find it in the name of the first column), and otherwise as RFC 4180 has
    it: lines end in CR LF; a cell with a comma, a quote or a line break is in quotes,
    which are doubled inside. A null is an empty cell. A text that a spreadsheet would
    run as a formula has an apostrophe in front; numbers stay numbers.

    Rows pass through memory in batches, so that a large table is none at once.

    """
    path = parquet.with_suffix(".csv")
    with (
        pq.ParquetFile(parquet) as source,
        path.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\r\n")
        writer.writerow(source.schema_arrow.names)
        for batch in source.iter_batches(BATCH_ROWS):
            writer.writerows(_rows(batch))
    return path


def safe_cell(text: str) -> str:
    """Return the text, with an apostrophe in front if it begins like a formula.

    >>> safe_cell("=1+1"), safe_cell("a=1"), safe_cell("")
    ("'=1+1", 'a=1', '')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _rows(batch: pa.RecordBatch) -> Iterable[tuple]:
    return zip(*(_cells(column) for column in batch.columns), strict=True)


def _cells(column: pa.Array) -> list:
    """One column as text; numbers in digits, whatever their size."""
    kind = column.type
    values = column.to_pylist()
    if pa.types.is_boolean(kind):
        words = {True: "true", False: "false", None: ""}
        return [words[value] for value in values]
    if pa.types.is_decimal(kind):
        return ["" if value is None else f"{value:f}" for value in values]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return ["" if value is None else safe_cell(value) for value in values]
    if pa.types.is_temporal(kind):
        return ["" if value is None else value.isoformat() for value in values]
    return ["" if value is None else repr(value) for value in values]
