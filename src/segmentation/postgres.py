"""Tables of a PostgreSQL database, streamed to Parquet files as text."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

# So much of the server's answer is taken apart at once; no value may be longer.
BLOCK_BYTES = 16_000_000
CONNECT_SECONDS = "10"
# What the server's texts look like: the same whatever its own configuration is.
SESSION = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}
# Part of libpq's message, and what to do.
CURES = {
    "password": "Check PGUSER and PGPASSWORD, or the file that PGPASSFILE names.",
    "database ": "Check PGDATABASE.",
    "role ": "Check PGUSER.",
    "pg_hba.conf": "The server refuses this user from this machine: ask who runs it.",
    "SSL": "Check PGSSLMODE.",
}
CONNECTION_CURE = "Is the server running there? Check PGHOST and PGPORT."


class DatabaseError(ValueError):
    """What keeps a table from being read; the text names it and says what to do."""


class MissingTableError(DatabaseError):
    """The database has no such table."""


def place() -> str:
    """Return ``host:port/database`` as libpq's environment variables name them."""
    host = os.environ.get("PGHOST") or os.environ.get("PGSERVICE") or "localhost"
    port = os.environ.get("PGPORT") or "5432"
    user = os.environ.get("PGUSER") or ""
    return f"{host}:{port}/{os.environ.get('PGDATABASE') or user}"


class Column(NamedTuple):
    """A column of a table: its name and type there, and whether it may be read."""

    name: str
    type: str
    is_readable: bool


def columns(table: str) -> tuple[list[Column], str]:
    """Return the columns of a table or view in order, and the user who asked.

    Parameters
    ----------
    table
        ``table`` or ``schema.table``, in the spelling of the database.

    Raises
    ------
    DatabaseError
        If the server cannot be reached or refuses, or if no column may be read.
    MissingTableError
        If there is no such table.

    """
    with _connection(table) as connection:
        name = _identifier(table).as_string(connection)
        user = connection.info.user
        found = connection.execute(
            "select attname, format_type(atttypid, null), "
            "has_column_privilege(attrelid, attnum, 'select') from pg_attribute "
            "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped "
            "order by attnum",
            [name],
        ).fetchall()
        if not found:
            raise MissingTableError(_missing(connection, table))
    found = [Column(*row) for row in found]
    if not any(column.is_readable for column in found):
        raise DatabaseError(
            f"The user {user} may not read the table {table} at {place()}. "
            f"Who owns it can allow it: grant select on {table} to {user};"
        )
    return found, user


def fetch(
    table: str,
    names: list[str],
    path: str,
    *,
    watermark: str | None = None,
    since: str | None = None,
) -> int:
    """Write columns of a table to a Parquet file, all of them as text.

    The server turns values into text, so that a number of any precision keeps every
    digit, and JSON, enumerations, arrays and bytes come as they would in psql. Times
    with a zone are given in UTC with their offset. Rows pass through memory in blocks.

    Parameters
    ----------
    table, names
        The table as for `columns`, and the columns.
    path
        The file to write. It is there as a whole or not at all.
    watermark, since
        Only rows whose column `watermark` is null or not before `since`, a timestamp
        without a zone, taken as UTC where the column has a zone.

    Returns
    -------
    How many rows the table has, counted by the server in the same snapshot.

    Raises
    ------
    DatabaseError
        If the server cannot be reached, refuses, or breaks off.

    """
    from psycopg import IsolationLevel, sql

    read = sql.SQL("select {} from {}").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), _identifier(table)
    )
    if since is not None:
        read += sql.SQL(" where {column} >= {since} or {column} is null").format(
            column=sql.Identifier(watermark), since=sql.Literal(since)
        )
    part = Path(f"{path}.part")
    part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with _connection(table) as connection, connection.cursor() as cursor:
            connection.isolation_level = IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            cursor.execute(
                sql.SQL("select count(*) from {}").format(_identifier(table))
            )
            (row_count,) = cursor.fetchone()
            answer = sql.SQL("copy ({}) to stdout (format csv)").format(read)
            with cursor.copy(answer) as blocks:
                _write(io.BufferedReader(_Stream(blocks), 1 << 20), names, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return row_count


def _write(stream: io.BufferedIOBase, names: list[str], path: Path) -> None:
    """Turn CSV as COPY writes it into Parquet: null is empty, an empty text quoted."""
    schema = pa.schema([(name, pa.string()) for name in names])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        try:
            for batch in pyarrow.csv.open_csv(
                stream,
                read_options=pyarrow.csv.ReadOptions(
                    column_names=names, block_size=BLOCK_BYTES
                ),
                parse_options=pyarrow.csv.ParseOptions(
                    newlines_in_values=True, ignore_empty_lines=False
                ),
                convert_options=pyarrow.csv.ConvertOptions(
                    column_types=schema,
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            ):
                writer.write_batch(batch)
        except pa.ArrowInvalid as error:
            if "Empty CSV" not in str(error):  # which a table without rows is
                raise DatabaseError(
                    f"The rows of {', '.join(names)} cannot be taken apart ({error}). "
                    f"Is a value longer than {BLOCK_BYTES // 1_000_000} MB?"
                ) from error


class _Stream(io.RawIOBase):
    """The blocks of COPY as a file that can be read once."""

    def __init__(self, blocks: Iterator[bytes]):
        self._blocks = iter(blocks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer) -> int:
        """Fill the buffer from the block at hand."""
        if not self._rest:
            self._rest = memoryview(next(self._blocks, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@contextmanager
def _connection(table: str):
    """Connect as libpq's environment variables say, with errors in plain words."""
    try:
        import psycopg
    except ImportError as error:
        raise DatabaseError(
            "Reading PostgreSQL needs the package psycopg: "
            'pip install "customer-segmentation[postgres]"'
        ) from error
    given = os.environ.get("PGCONNECT_TIMEOUT") or CONNECT_SECONDS
    try:
        connection = psycopg.connect(
            autocommit=True, client_encoding="UTF8", connect_timeout=given
        )
    except psycopg.Error as error:
        raise DatabaseError(_refused(error)) from None
    with connection:
        try:
            for name, value in SESSION.items():
                connection.execute("select set_config(%s, %s, false)", [name, value])
            connection.autocommit = False
            yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            user, schema = connection.info.user, table.rpartition(".")[0] or "..."
            raise DatabaseError(
                f"PostgreSQL at {place()} refuses to read {table}: {_sentence(error)}. "
                f"Who owns it can allow it: grant usage on schema {schema} to {user}; "
                f"grant select on {table} to {user};"
            ) from error
        except psycopg.Error as error:
            raise DatabaseError(
                f"Reading {table} from PostgreSQL at {place()} failed: "
                f"{_sentence(error)}. Run again; what was read before is kept."
            ) from error


def _identifier(table: str):
    from psycopg import sql

    return sql.Identifier(*table.split("."))


def _missing(connection, table: str) -> str:
    schema = table.rpartition(".")[0]
    seen = connection.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_schema = any(case when %(schema)s <> '' then array[%(schema)s] "
        "else current_schemas(false)::text[] end) order by 1 limit 20",
        {"schema": schema},
    ).fetchall()
    tables = ", ".join(name for (name,) in seen) or "none that this user can see"
    return (
        f"PostgreSQL at {place()} has no table {table}. There are: {tables}. Name the "
        "right one in the var relations."
    )


def _refused(error: Exception) -> str:
    said = _sentence(error)
    cure = next((cure for part, cure in CURES.items() if part in said), CONNECTION_CURE)
    return f"PostgreSQL at {place()} cannot be reached: {said}. {cure}"


def _sentence(error: Exception) -> str:
    """Return a message in one line, without its hints and the password."""
    lines = [line for line in str(error).splitlines() if not line.startswith("\t")]
    said = " ".join(" ".join(lines).split()).removeprefix("connection failed: ")
    password = os.environ.get("PGPASSWORD")
    return said.replace(password, "***") if password else said
