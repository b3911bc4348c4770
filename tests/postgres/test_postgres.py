"""An input whose tables are in a PostgreSQL database."""

import json
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml
from builds import NO_TESTS, NO_UNIT_TESTS, REPOSITORY, build, environment_of, tree
from server import OWNER, READER

from segmentation import postgres

KNOWN = yaml.safe_load((REPOSITORY / "dbt_project.yml").read_text())["vars"]


@pytest.fixture
def connected(server, monkeypatch):
    """The owner's environment; a call sets further variables of it."""

    def also(**variables):
        for name, value in (server.environment | variables).items():
            monkeypatch.setenv(name, value)

    also()
    return also


def read(server, name, types, values, tmp_path):
    """Make a table of one column for each type, and read what `fetch` makes of it."""
    columns = ", ".join(f"c{n} {type_}" for n, type_ in enumerate(types))
    server.execute(f"create table {name} ({columns})")
    marks = ", ".join(f"%s::{type_}" for type_ in types)
    server.execute(f"insert into {name} values ({marks})", values)
    server.execute(f"insert into {name} default values")
    path = tmp_path / "rows.parquet"
    names = [f"c{n}" for n in range(len(types))]
    assert postgres.fetch(name, names, str(path)) == 2
    found, nothing = map(
        list, (row.values() for row in pq.read_table(path).to_pylist())
    )
    assert nothing == [None] * len(types)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]
    return found


# ---- values ------------------------------------------------------------------------

DIGITS = "12345678901234567890123456789.123456789012345678901234567890"


def test_every_type_comes_as_the_text_that_means_it(server, connected, tmp_path):
    server.execute("create type mood as enum ('glad', 'so, so')")
    values = {
        "numeric": (DIGITS, DIGITS),
        "numeric(12, 4)": ("0.1", "0.1000"),
        "double precision": (0.1 + 0.2, "0.30000000000000004"),
        "bigint": (2**63 - 1, str(2**63 - 1)),
        "text": ('a "b",\n\\N ü', 'a "b",\n\\N ü'),
        "varchar(9)": ("", ""),
        "boolean": (True, "t"),
        "date": ("2024-02-29", "2024-02-29"),
        "timestamp": ("2024-01-02 03:04:05.678", "2024-01-02 03:04:05.678"),
        # the server's own zone and style are others
        "timestamptz": ("2024-07-02 03:04:05+02", "2024-07-02 01:04:05+00"),
        "bytea": (b"\xde\xad", "\\xdead"),
        "json": ('{"a": [1, 2.50]}', '{"a": [1, 2.50]}'),
        "jsonb": ('{"a":2.50}', '{"a": 2.50}'),
        "mood": ("so, so", "so, so"),
        "int[]": ([1, 2], "{1,2}"),
        "uuid": (16 * "ab", "abababab-abab-abab-abab-abababababab"),
        "interval": ("1 day 2 hours", "P1DT2H"),
    }
    found = read(
        server, "types", values, [given for given, _ in values.values()], tmp_path
    )
    assert found == [text for _, text in values.values()]


def test_a_table_without_rows_has_its_columns(server, connected, tmp_path):
    server.execute("create table nothing (a integer, b text)")
    path = str(tmp_path / "rows.parquet")
    assert postgres.fetch("nothing", ["b"], path) == 0
    assert pq.read_table(path).to_pydict() == {"b": []}


def test_a_name_is_a_name_whatever_is_in_it(server, connected, tmp_path):
    name = 'a"b; drop table x'
    quoted = name.replace('"', '""')
    server.execute(f'create table "{quoted}" ("{quoted}" integer)')
    assert [column.name for column in postgres.columns(name)[0]] == [name]
    assert postgres.fetch(name, [name], str(tmp_path / "rows.parquet")) == 0


PEAK = """
import resource, sys
from segmentation import postgres
postgres.fetch(sys.argv[1], ["id", "price", "note"], sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_ten_times_the_rows_need_no_more_memory(server, connected, tmp_path):
    """A row is some 100 bytes: held whole, the larger view would need 400 MB more."""
    peaks = []
    for rows in (400_000, 4_000_000):
        server.execute(
            f"create view rows_{rows} as select i as id, i / 100.0 as price, "
            f"md5(i::text) || md5(i::text) as note from generate_series(1, {rows}) as i"
        )
        path = tmp_path / "rows.parquet"
        done = subprocess.run(
            [sys.executable, "-c", PEAK, f"rows_{rows}", path],
            stdout=subprocess.PIPE,
            check=True,
        )
        peaks.append(int(done.stdout))
        assert pq.read_metadata(path).num_rows == rows
    assert peaks[1] < peaks[0] + 100


# ---- errors ------------------------------------------------------------------------


def test_whoever_does_not_answer_is_named(server, connected):
    connected(PGPORT="1")
    with pytest.raises(postgres.DatabaseError) as error:
        postgres.columns("orders")
    assert "127.0.0.1:1/postgres cannot be reached" in str(error.value)
    assert "Connection refused" in str(error.value)
    assert "Check PGHOST and PGPORT" in str(error.value)


@pytest.mark.parametrize(
    ("variables", "cure"),
    [
        ({"PGPASSWORD": "wrong secret"}, "Check PGUSER and PGPASSWORD"),
        ({"PGPASSWORD": ""}, "Check PGUSER and PGPASSWORD"),
        ({"PGDATABASE": "shop"}, 'database "shop" does not exist. Check PGDATABASE'),
    ],
)
def test_a_refused_login_says_which_variable_and_never_the_password(
    server, connected, variables, cure
):
    connected(**variables)
    with pytest.raises(postgres.DatabaseError) as error:
        postgres.columns("orders")
    assert cure in str(error.value)
    for password in (OWNER["PGPASSWORD"], "wrong secret"):
        assert password not in str(error.value)


def test_a_password_that_a_message_would_repeat_is_blotted_out(connected):
    connected(PGDATABASE="secret", PGPASSWORD="secret")
    said = postgres._sentence(ValueError('database "secret" is not here'))
    assert said == 'database "***" is not here'


def test_a_missing_table_is_named_with_those_there_are(server, connected):
    server.execute("create schema sales")
    server.execute("create table sales.orders_2024 (a integer)")
    with pytest.raises(postgres.MissingTableError) as error:
        postgres.columns("sales.orders")
    assert "no table sales.orders. There are: sales.orders_2024" in str(error.value)


def test_a_missing_permission_is_named_with_what_grants_it(server, connected, tmp_path):
    server.execute("create schema closed")
    server.execute("create table closed.orders (id integer, price numeric)")
    connected(**READER)
    with pytest.raises(postgres.DatabaseError, match="grant usage on schema closed to"):
        postgres.columns("closed.orders")
    server.execute("grant usage on schema closed to reader")
    with pytest.raises(postgres.DatabaseError) as error:
        postgres.columns("closed.orders")
    assert "The user reader may not read the table closed.orders" in str(error.value)
    assert "grant select on closed.orders to reader;" in str(error.value)
    server.execute("grant select (id) on closed.orders to reader")
    columns, _ = postgres.columns("closed.orders")
    assert [column.is_readable for column in columns] == [True, False]
    path = tmp_path / "rows.parquet"
    with pytest.raises(postgres.DatabaseError, match="permission denied"):
        postgres.fetch("closed.orders", ["price"], str(path))
    assert not list(tmp_path.iterdir())


# What a whole run says: variables, vars, and parts of the message.
STOPPED = {
    "wrong password": ({"PGPASSWORD": "wrong secret"}, {}, ["PGPASSWORD"]),
    "missing column": (
        {},
        {"relations": {"schema": "shop", "customers": "people"}},
        ["shop.people lacks the column customer_id", "It has: name, email"],
    ),
    "column not readable": (
        READER,
        {},
        ["column unit_cost of the table shop.order_lines", "grant select on"],
    ),
}
EACH = """
import json, os, sys
from dbt.cli.main import dbtRunner

for name, variables, given in json.load(sys.stdin):
    print("CASE", name, flush=True)
    os.environ.update(variables)
    place = [*sys.argv[1:], "--vars", json.dumps(given)]
    dbtRunner().invoke(["--no-use-colors", "run", "--select", "int_as_of_date", *place])
"""


@pytest.fixture(scope="session")
def small_shop(server):
    server.execute("create schema shop")
    server.execute("create table shop.people (name text, email text)")
    server.execute("create table shop.customers (customer_id text, email text)")
    server.execute(
        "create table shop.order_lines (line_id text, order_id text, customer_id text, "
        "ordered_at timestamptz, product_id integer, quantity integer, "
        "unit_price numeric, unit_cost numeric, loaded_at timestamptz)"
    )
    server.execute("grant usage on schema shop to reader")
    server.execute("grant select on shop.customers, shop.people to reader")
    server.execute(
        "grant select (line_id, order_id, customer_id, ordered_at, product_id, "
        "quantity, unit_price, loaded_at) on shop.order_lines to reader"
    )
    return {
        "input": "postgres_shop",
        "relations": {"schema": "shop"},
        "time_zone": "Europe/Berlin",
    }


def test_what_is_wrong_stops_a_run_at_its_start(server, small_shop, tmp_path):
    cases = [
        [name, server.environment | variables, small_shop | given]
        for name, (variables, given, _) in STOPPED.items()
    ]
    place = ["--target-path", tmp_path / "target", "--log-path", tmp_path / "logs"]
    done = subprocess.run(
        [sys.executable, "-c", EACH, *map(str, place)],
        input=json.dumps(cases),
        cwd=REPOSITORY,
        env=environment_of(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    assert "START sql" not in done.stdout, "a model was run"
    said = dict(part.split("\n", 1) for part in done.stdout.split("CASE ")[1:])
    for name, (_, _, named) in STOPPED.items():
        for part in named:
            assert part in said[name], (name, part, said[name])
    written = done.stdout + (tmp_path / "logs" / "dbt.log").read_text()
    for password in (OWNER["PGPASSWORD"], READER["PGPASSWORD"], "wrong secret"):
        assert password not in written


# ---- whole runs --------------------------------------------------------------------


def lines_of(server):
    with server.connect() as connection:
        return connection.execute(
            "select line_id, quantity::text, unit_price::text from shop.order_lines "
            "order by 1, 2, 3"
        ).fetchall()


def test_a_second_run_reads_what_came_since_the_first(server, small_shop, tmp_path):
    """The server's log says what was asked of it; its rows are what must be held."""
    server.execute(
        "insert into shop.order_lines select 'L' || i, 'O' || i, 'C' || i % 9, "
        "timestamptz '2024-01-01 23:30:00+00' + i * interval '1 hour', i, 1 + i % 3, "
        "i + 0.0001, 1, timestamptz '2024-01-02 00:00:00+00' + i * interval '1 hour' "
        "from generate_series(1, 1000) as i"
    )

    def run():
        before = len(server.log())
        done = build(
            tmp_path,
            "build",
            args=["--select", "+stg_order_lines", *NO_TESTS],
            variables=small_shop | {"late_arrival_days": 2},
            environment=server.environment,
        )
        with done.connection() as connection:
            held = connection.execute(
                "select line_id, quantity, unit_price "
                "from dev_input.postgres_shop__order_lines order by all"
            ).fetchall()
        assert held == lines_of(server)
        asked = re.findall(r"copy \(.*\) to stdout.*", server.log()[before:])
        asked = [query for query in asked if "order_lines" in query]
        deliveries = done.rows(
            "select delivery_number, count(*)::int "
            "from dev_input.postgres_shop__order_lines group by all order by all"
        )
        return done, asked, deliveries

    done, asked, deliveries = run()
    assert deliveries == [(1, 1000)]
    assert len(asked) == 1 and "where" not in asked[0]
    # wall time in Berlin, an hour ahead of UTC in winter
    first = done.rows(
        "select ordered_at::text, unit_price::text from dev_staging.stg_order_lines "
        "where line_id = 'L1'"
    )
    assert first == [("2024-01-02 01:30:00", "1.0001")]

    server.execute(
        "insert into shop.order_lines select 'N' || i, 'N' || i, 'C1', "
        "timestamptz '2024-02-12 12:00:00+00', i, 1, 2.50, 1, "
        "timestamptz '2024-02-13 00:00:00+00' from generate_series(1, 5) as i"
    )
    done, asked, deliveries = run()
    assert deliveries == [(1, 1000), (2, 5)]
    # the last row was loaded on 2024-02-12 at 17:00 in Berlin: two days of late
    # arrivals before it, and one that covers every zone
    (query,) = asked
    assert """where "loaded_at" >= '2024-02-09 17:00:00' or""" in query
    assert done.lines("Fetched 77 of 1005 rows of shop.order_lines")

    # changed in place long ago and taken away: the count of the server tells
    server.execute("update shop.order_lines set quantity = 9 where line_id = 'L5'")
    server.execute("delete from shop.order_lines where line_id = 'L6'")
    done, asked, deliveries = run()
    assert deliveries == [(3, 1004)]
    assert ["where" in query for query in asked] == [True, False]


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    return build(tmp_path_factory.mktemp("demo"), args=NO_UNIT_TESTS)


@pytest.fixture(scope="session")
def demo_from_postgres(server, demo_shop, tmp_path_factory):
    """With what the demo declares of its tables."""
    declared = dict(KNOWN["inputs"]["demo"])
    del declared["physical_rows"]
    return build(
        tmp_path_factory.mktemp("postgres_shop"),
        args=NO_UNIT_TESTS,
        variables=demo_shop | {"inputs": {"postgres_shop": declared}},
        environment=server.environment,
    )


def published(done):
    """The files of the export set, and the manifest without what must differ."""
    manifest = done.manifest()
    files = tree(done.exports / manifest.pop("folder"))
    del manifest["input"]
    del manifest["configuration"]["relations"]
    return files, manifest


def test_the_demos_shop_in_a_database_gives_the_demos_exports(demo, demo_from_postgres):
    files, manifest = published(demo)
    found, its_manifest = published(demo_from_postgres)
    assert len([name for name in files if name.endswith(".parquet")]) > 20
    assert found == files
    assert its_manifest == manifest
    assert demo_from_postgres.manifest()["input"] == "postgres_shop"
    assert demo_from_postgres.registry() == demo.registry()


def test_nothing_of_the_database_is_left_beside_the_warehouse(demo_from_postgres):
    folder = demo_from_postgres.folder / "shop.duckdb.fetched"
    assert list(folder.iterdir()) == []
