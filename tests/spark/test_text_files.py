"""Files with every fault are read on Spark as on DuckDB: rows, lines and reasons."""

import gzip

import duckdb
import pytest
from building import NO_UNIT_TESTS, build
from cluster import has_java

HEADER = b"order_id,customer_id,ordered_at,product_id,quantity,unit_price,channel\n"
LINE = b"O%d,C%d,2024-03-%02d 10:00:00,P1,1,9.50,%s\n"
SELECTED = ["--select", "+base_order_lines", *NO_UNIT_TESTS]
FAULTS = [
    b"\n",
    b"O900,C1,2024-03-01,P1,1\n",
    b'O901,C1,2024-03-02,"P ""1"", large",1,9.50,web\n',
    b'O902,C2,2024-03-02,"P\nof two\n\nlines",1,9.50,web\n',
    b'O903,C2,2024-03-02,"never closed,1,9.50,web\n',
    b'O904,C2,2024-03-02,P"1,1,9.50,web\n',
    b"O905,C3,2024-3-2T10:00,P1,1,1e1,\n",
    b"O906,C3,05.03.2024 8:05,P1,1,9.50,web\n",
    b"O907,C3,2024-03-05T10:00:00+02:00,P1,1,9.50,caf\xc3\xa9\n",
    b"O908,C3,12:30,P1,1,9.50,2024\n",
]
FILES = {
    "utf-8 with a broken line": b"\xef\xbb\xbf"
    + HEADER
    + b"".join(LINE % (n, n % 9, 1 + n % 28, "tür".encode()) for n in range(60))
    + b"".join(FAULTS)
    + b"O990,C1,2024-03-01,P1,1,9.50,caf\xe9\n"
    + LINE % (991, 1, 1, b"web"),
    "cp1252": HEADER.replace(b",", b";")
    + b"".join(
        (LINE % (n, n % 9, 1 + n % 28, b"t\xfcr")).replace(b",", b";")
        for n in range(60)
    ),
}
MOVED = b"channel,unit_price,quantity,product_id,ordered_at,customer_id,order_id\n"
FOLDER = {
    "one.csv": FILES["utf-8 with a broken line"],
    "two, too.csv": FILES["cp1252"],
    "three.csv.gz": gzip.compress(MOVED + b"web,9.5,1,P1,2024-03-01,C1,O995\n" * 3),
    "four.csv": HEADER,
    "five.csv": b"",
    "notes.md": b"no orders",
}
COLUMNS = (
    "source_file, source_line, reject_reason, order_id, customer_id, product_id, "
    "channel, quantity, unit_price, ordered_at, ordered_on, line_key, "
    "case when reject_reason is distinct from 'invalid_encoding' then source_row end"
)


def write_partitions(folder):
    """Write Parquet files whose days and channels are in their paths alone."""
    for day, channel in (("2024-03-01", "web%20shop"), ("2024-03-02", "x")):
        part = folder / f"ordered_at={day}" / f"channel={channel}"
        part.mkdir(parents=True)
        duckdb.sql(
            "select 'O' || i as order_id, 'C' || i % 9 as customer_id, 'P1' as "
            "product_id, 1 as quantity, 9.50::decimal(9, 2) as unit_price "
            "from range(40) as numbers (i)"
        ).write_parquet(str(part / "part-0.parquet"))


@pytest.mark.parametrize("name", [*FILES, "a folder", "partitions"])
def test_a_file_is_read_as_on_duckdb(name, tmp_path):
    if not has_java():
        pytest.fail("no Java: apt-get install openjdk-17-jre-headless", pytrace=False)
    data = tmp_path / "lines.csv"
    if name == "a folder":
        data = tmp_path / "lines"
        data.mkdir()
        for file, content in FOLDER.items():
            (data / file).write_bytes(content)
    elif name == "partitions":
        data = tmp_path / "lines"
        write_partitions(data)
    else:
        data.write_bytes(FILES[name])
    rows = {}
    for target, place in (
        ("dev", "dev_{}.{}"),
        ("spark", "read_parquet('spark/tables/dev_{}.db/{}/*.parquet')"),
    ):
        folder = tmp_path / target
        build(folder, target, {}, data, "--vars", "input: template", *SELECTED)
        database = folder / "shop.duckdb" if target == "dev" else ":memory:"
        with duckdb.connect(str(database)) as connection:
            place = place.replace("spark/tables", str(folder / "spark" / "tables"))
            table = place.format("staging", "base_order_lines")
            rows[target] = connection.sql(
                f"select {COLUMNS} from {table} order by source_file, source_line"
            ).fetchall()
    assert len(rows["dev"]) >= 60
    assert rows["spark"] == rows["dev"]
