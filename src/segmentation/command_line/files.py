"""A user's file as columns of text, read as the build will read it."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import duckdb

from segmentation.command_line.columns import Column
from segmentation.command_line.faults import Fault

ROWS_LOOKED_AT = 500_000
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
TEXTS = (".csv", ".tsv", ".txt")
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
JSON_LINES = (".jsonl", ".ndjson", ".json")
ENCODINGS = {"utf-8": "UTF-8", "cp1252": "Windows-1252"}


class Table(NamedTuple):
    """What is known of a file: how it is written, and its columns."""

    path: Path
    dialect: str  # in words
    columns: list[Column]
    row_count: int
    is_whole: bool  # False: only the first rows were looked at
    delimiter: str | None = None  # one that the build would not find by itself
    file_count: int = 1


def read_table(path: str | Path) -> Table:
    """Read a file, or the files of a folder or a pattern, up to 500,000 rows.

    Raises
    ------
    Fault
        If there is no file, or none of the kinds that can be read, or no row in it.

    """
    files = find_files(path)
    first = files[0]
    kind = _kind(first)
    if kind == "text":
        dialect, delimiter, headers, rows = _open_text(first)
    else:
        delimiter = None
        dialect, headers, rows = READERS[kind](first)
    if not headers:
        raise Fault(
            f"{first} is empty.", "Export it again, with a first line of names."
        )
    _check_header(first, headers)
    table = list(islice(rows, ROWS_LOOKED_AT + 1))
    for other in files[1:]:
        if len(table) > ROWS_LOOKED_AT:
            break
        other_headers, other_rows = _open_any(other)
        if other_headers == headers:
            table += islice(other_rows, ROWS_LOOKED_AT + 1 - len(table))
    if not table:
        raise Fault(f"{first} has names of columns, and no row.", "Export it again.")
    is_whole = len(table) <= ROWS_LOOKED_AT
    table = table[:ROWS_LOOKED_AT]
    columns = [
        Column(header, place, list(values))
        for place, (header, values) in enumerate(
            zip(headers, zip(*table, strict=True), strict=True)
        )
        if header
    ]
    return Table(
        Path(path).resolve(),
        dialect,
        columns,
        len(table),
        is_whole,
        delimiter,
        len(files),
    )


def find_files(path: str | Path) -> list[Path]:
    """Return the files that a path, a folder or a pattern stands for, by name."""
    text = str(path)
    if Path(text).is_file():
        return [Path(text)]
    if Path(text).is_dir():
        found = sorted(each for each in Path(text).iterdir() if _kind(each))
        if not found:
            raise Fault(
                f"The folder {text} has no file of data.",
                "Put CSV, Parquet, Excel or JSON lines files there.",
            )
        return found
    root = Path(text).anchor or "."
    pattern = str(Path(text).relative_to(Path(text).anchor))
    found = sorted(Path(root).glob(pattern)) if "*" in text else []
    if not found:
        raise Fault(
            f"There is no file {text}.",
            f"Check the name and the folder: it was looked for in {Path.cwd()}.",
        )
    return found


def _kind(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    if name.startswith((".", "_", "~")):
        return ""
    if name.endswith(".parquet"):
        return "parquet"
    if name.endswith(WORKBOOKS):
        return "workbook"
    if name.endswith(JSON_LINES):
        return "json"
    return "text" if name.endswith(TEXTS) else ""


def _open_any(path: Path) -> tuple[list[str], Iterator[tuple[str, ...]]]:
    kind = _kind(path)
    return (_open_text if kind in ("text", "") else READERS[kind])(path)[-2:]


def _check_header(path: Path, headers: list[str]) -> None:
    """Refuse a first line that is data, and names that the build takes for one."""
    numbers = sum(header[:1].isdigit() for header in headers)
    if numbers > len(headers) / 2:
        raise Fault(
            f"The first line of {path} looks like data: {', '.join(headers[:4])} ...",
            "Add a first line with the names of the columns.",
        )


def _rectangle(rows, width: int) -> Iterator[tuple[str, ...]]:
    """Rows as wide as the header; others go to the quarantine in a build."""
    for row in rows:
        if len(row) == width and any(row):
            yield tuple((value or "").strip() for value in row)


# ---- text ---------------------------------------------------------------------------


def _open_text(path: Path):
    """(dialect in words, delimiter to declare, headers, rows) of a text file."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    with opener(path, "rb") as stream:
        head = stream.read(4_000_000)
    if not head.strip():
        return "", None, [], iter(())
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Fault(
            f"{path} is in UTF-16.",
            "Save it as UTF-8 (in Excel: CSV UTF-8) and try again.",
        )
    if b"\x00" in head[:4096] or head.startswith(b"PK"):
        raise Fault(
            f"{path} is no text.",
            "Give CSV, Parquet, Excel (.xlsx) or JSON lines, with the usual ending.",
        )
    encoding = text_encoding(head)
    first = head.splitlines()[0].decode(encoding, errors="replace")
    header_text = first.lstrip("\ufeff").removeprefix("ï»¿")
    delimiter = max(DELIMITERS, key=header_text.count)
    csv.field_size_limit(10_000_000)

    def lines():
        with opener(path, "rb") as raw:
            text = io.TextIOWrapper(raw, encoding, errors="replace", newline="")
            yield from csv.reader(text, delimiter=delimiter)

    reader = lines()
    headers = [name.lstrip("\ufeff").strip() for name in next(reader)]
    said = f"text in {ENCODINGS[encoding]}"
    if len(headers) > 1:
        said += f", separated by {DELIMITERS[delimiter]}"
    declared = delimiter if delimiter == "|" else None
    return said, declared, headers, _rectangle(_until_error(reader), len(headers))


def _until_error(reader) -> Iterator[list[str]]:
    """Rows until a quote that is never closed; enough of them to guess from."""
    try:
        yield from reader
    except csv.Error:
        return


def text_encoding(content: bytes) -> str:
    """Return utf-8, or cp1252 by the rule of the build.

    Windows-1252 it is where 9 of 10 lines with a letter beyond ASCII are not UTF-8.
    """
    if content.startswith(b"\xef\xbb\xbf"):
        return "utf-8"
    lines = [
        line for line in content.splitlines()[:-1] or [content] if not line.isascii()
    ]
    broken = 0
    for line in lines:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            broken += 1
    return "cp1252" if broken and broken >= 0.9 * len(lines) else "utf-8"


# ---- other kinds --------------------------------------------------------------------


def _open_parquet(path: Path):
    with duckdb.connect() as connection:
        found = connection.execute(
            "select columns(*)::varchar from read_parquet(?) limit ?",
            [str(path), ROWS_LOOKED_AT + 1],
        )
        headers = [column[0] for column in found.description]
        rows = found.fetchall()
    return "Parquet", headers, _rectangle(rows, len(headers))


def _open_workbook(path: Path):
    try:
        from segmentation import workbooks
    except ImportError as error:
        raise Fault(
            f"{path} is a workbook.", "Save the sheet as CSV UTF-8 and give that file."
        ) from error
    try:
        rows = (row for _, row in workbooks.rows(str(path)))
        headers = [name or "" for name in next(rows, [])]
    except workbooks.WorkbookError as error:
        raise Fault(str(error)) from error
    return "the first sheet of a workbook", headers, _rectangle(rows, len(headers))


def _open_json(path: Path):
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    records = []
    with opener(path, "rt", encoding="utf-8-sig", errors="replace") as stream:
        for line in islice(stream, ROWS_LOOKED_AT + 1):
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                records.append(record)
    if not records:
        raise Fault(
            f"{path} has no line that is a JSON object.",
            "Write one object a line: jq -c '.[]' orders.json > orders.jsonl",
        )
    headers = sorted({key for record in records for key in record})
    rows = ([_json_text(record.get(key)) for key in headers] for record in records)
    return "JSON lines", headers, _rectangle(rows, len(headers))


def _json_text(value) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


READERS = {"parquet": _open_parquet, "workbook": _open_workbook, "json": _open_json}
