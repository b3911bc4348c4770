"""What publishing asks of an engine: write a table to files, count, and execute."""

import math
from pathlib import Path

import pyarrow.parquet as pq

ROWS_PER_FILE = 5_000_000


def engine_of(session):
    """Return the engine behind the session that dbt gives to a Python model.

    Parameters
    ----------
    session
        A Spark session (has ``createDataFrame``) or a DuckDB connection.

    """
    return (
        SparkEngine(session)
        if hasattr(session, "createDataFrame")
        else DuckDBEngine(session)
    )


class DuckDBEngine:
    """One file a table, all of it in the order of the key."""

    def __init__(self, session):
        """Take the connection of the build."""
        self._session = session

    def execute(self, sql: str) -> None:
        """Execute a statement."""
        self._session.execute(sql)

    def count(self, sql: str) -> int:
        """Return the number that the query gives."""
        ((number,),) = self._session.execute(sql).fetchall()
        return number

    def rows(self, sql: str) -> list[tuple]:
        """Return the rows that the query gives."""
        return self._session.execute(sql).fetchall()

    def fingerprint(self, table) -> None:
        """Return nothing: equal tables have equal bytes."""

    def write(self, table, folder: Path) -> list[tuple[Path, int]]:
        """Write a table to the folder; returns each file with its number of rows."""
        path = folder / f"{table.table_name}.parquet"
        # Parallel writers would cut row groups where threads happen to be.
        threads = self.count("select current_setting('threads')")
        self.execute("set threads = 1")
        try:
            quoted = str(path).replace("'", "''")
            self.execute(
                f"copy (select {table.column_names} from {table.relation} "
                f"order by {table.key_columns}) to '{quoted}' "
                "(format parquet, compression zstd)"
            )
        finally:
            self.execute(f"set threads = {threads}")
        return [(path, self.count(f"select count(*) from {table.relation}"))]


class SparkEngine:
    """The workers write; a large table is several files, each in the order of the key.

    Which file a row goes to follows from the hash of its key, so that equal tables
    have equal files. Nothing is sorted in one task beyond `ROWS_PER_FILE`.
    """

    def __init__(self, session):
        """Take the Spark session of the build."""
        self._session = session

    def execute(self, sql: str) -> None:
        """Execute a statement."""
        self._session.sql(sql)

    def count(self, sql: str) -> int:
        """Return the number that the query gives."""
        ((number,),) = self._session.sql(sql).collect()
        return number

    def rows(self, sql: str) -> list[tuple]:
        """Return the rows that the query gives."""
        return [tuple(row) for row in self._session.sql(sql).collect()]

    def fingerprint(self, table) -> str:
        """Return a hash of the table's rows, in any order.

        The bytes of a file vary: Java's Parquet lists the encodings of a column in
        another order in every process.
        """
        parts = ", ".join(
            f"sum(cast(conv(substr(row_hash, {start}, 15), 16, 10) as decimal(38, 0)))"
            for start in (1, 16)
        )
        ((fingerprint,),) = self._session.sql(
            f"select md5(concat_ws('|', count(*), {parts})) from ("
            f"select md5(to_json(struct({table.column_names}))) as row_hash "
            f"from {table.relation}) as hashed"
        ).collect()
        return fingerprint

    def write(self, table, folder: Path) -> list[tuple[Path, int]]:
        """Write a table to the folder; returns each file with its number of rows."""
        rows = self.count(f"select count(*) from {table.relation}")
        keys = table.key_columns.split(", ")
        files = math.ceil(rows / ROWS_PER_FILE) or 1
        selected = self._session.sql(
            f"select {table.column_names} from {table.relation}"
        )
        spread = (
            selected.repartition(1)
            if files == 1
            else selected.repartition(files, *keys)
        )
        written = folder / f"{table.table_name}.parts"
        spread.sortWithinPartitions(*keys).write.option("compression", "zstd").parquet(
            written.resolve().as_uri()
        )
        parts = sorted(written.glob("part-*.parquet"))
        counts = [pq.read_metadata(part).num_rows for part in parts]
        if not parts or sum(counts) != rows:
            raise RuntimeError(
                f"The workers wrote {table.table_name} to {written}, and this machine "
                f"finds {sum(counts)} of its {rows} rows there. Name a folder that "
                "this machine and every worker share in SEGMENTATION_EXPORTS."
            )
        moved = []
        for number, (part, count) in enumerate(zip(parts, counts, strict=True), 1):
            suffix = f"-{number:05d}-of-{len(parts):05d}" if len(parts) > 1 else ""
            moved.append((folder / f"{table.table_name}{suffix}.parquet", count))
            part.replace(moved[-1][0])
        return moved
