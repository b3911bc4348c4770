"""A fortnight of daily deliveries: taken in day by day it ends where one build does."""

import random
import re
import shutil
from datetime import datetime, timedelta

import duckdb
import pytest
from builds import NO_TESTS, NO_UNIT_TESTS, build, copy_project

FIRST = datetime(2024, 3, 1)
HEADER = (
    "line_id,order_id,customer_id,ordered_at,product_id,quantity,unit_price,"
    "line_type,original_order_id,channel,loaded_at"
)
MODELS = ["fct_orders", "int_customer_rfm", "int_money_back", "stg_quarantined_rows"]
SELECT = ["--select", *(f"+{name}" for name in MODELS)]
VARIABLES = {"input": "template"}
# What may differ is the number of the delivery alone.
COMPARED = {
    "dev_staging.base_order_lines": "* exclude (delivery_number)",
    "dev_staging.base_order_lines_judged": "* exclude (delivery_number, changed_in)",
    "dev_staging.stg_order_lines": "*",
    "dev_staging.stg_quarantined_rows": "*",
    "dev_intermediate.int_as_of_date": "*",
    "dev_intermediate.int_counted_lines": "*",
    "dev_intermediate.int_return_matches": "*",
    "dev_intermediate.int_orders": "*",
    "dev_intermediate.int_money_back": "*",
    "dev_intermediate.int_customer_rfm": "*",
    "dev_marts.fct_orders": "*",
}


class Shop:
    """Makes the lines of each day, and remembers them for what comes later."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.sales = []

    def sale(self, number, day, customer=None):
        order = f"O{number}"
        if customer is None:
            customer = f"C{self.dice.randrange(40):02d}" * (self.dice.random() > 0.1)
        at = FIRST + timedelta(days=day, seconds=self.dice.randrange(86400))
        lines = []
        for line in range(1, self.dice.choice([2, 2, 3, 4])):
            product = self.dice.randrange(6)
            lines.append(
                {
                    "line_id": f"L{number}-{line}",
                    "order_id": order,
                    "customer_id": customer,
                    "ordered_at": f"{at:%Y-%m-%d %H:%M:%S}",
                    "product_id": f"P{product}",
                    "quantity": self.dice.randrange(1, 5),
                    "unit_price": f"{product + 1 + self.dice.choice([0, 0, 0.5]):.2f}",
                    "line_type": "sale",
                    "original_order_id": "",
                    "channel": self.dice.choice(["web", "shop"]),
                    "loaded_at": f"{FIRST + timedelta(days=day + 1):%Y-%m-%d}",
                }
            )
        self.sales += lines
        return lines

    def give_back(self, number, day):
        """A return of a line; stated or not, and now and then by somebody else."""
        sold = self.dice.choice(self.sales)
        kind = self.dice.random()
        at = FIRST + timedelta(days=day, hours=23, minutes=self.dice.randrange(60))
        other = f"C{self.dice.randrange(40):02d}"
        return {
            **sold,
            "line_id": f"R{number}",
            "order_id": f"R{number}",
            "customer_id": other if kind < 0.2 else sold["customer_id"],
            "ordered_at": f"{at:%Y-%m-%d %H:%M:%S}",
            "quantity": -self.dice.randrange(1, sold["quantity"] + 2),
            "line_type": "return",
            "original_order_id": sold["order_id"] if kind < 0.5 else "",
            "loaded_at": f"{FIRST + timedelta(days=day + 1):%Y-%m-%d}",
        }

    def correct(self, day):
        """A line as it should have been: another amount, customer, order or day."""
        sold = self.dice.choice(self.sales)
        change = self.dice.choice(
            [
                {"quantity": sold["quantity"] + 1},
                {"unit_price": "9.99"},
                {"customer_id": f"C{self.dice.randrange(40):02d}"},
                {"customer_id": ""},
                {"order_id": self.dice.choice(self.sales)["order_id"]},
                {"ordered_at": f"{FIRST + timedelta(days=max(day - 3, 0)):%Y-%m-%d}"},
                {"quantity": 0},  # faulty: the line stays what it was
            ]
        )
        loaded = {"loaded_at": f"{FIRST + timedelta(days=day + 1, hours=1)}"}
        return {**sold, **change, **loaded}

    def day(self, day):
        lines = []
        for number in range(100 * day, 100 * day + 25):
            late = self.dice.choice([0, 0, 0, 0, 0, 1, 4])
            lines += self.sale(number, max(day - late, 0))
        lines += [self.give_back(100 * day + n, day) for n in range(8)]
        lines += [self.correct(day) for _ in range(6 if day else 0)]
        self.dice.shuffle(lines)
        return lines


def write(path, lines, header=HEADER):
    names = header.split(",")
    rows = [",".join(str(line[name]) for name in names) for line in lines]
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def run(folder, **given):
    options = {"args": [*SELECT, *NO_TESTS], "variables": VARIABLES} | given
    return build(folder, data=folder / "orders", **options)


def assert_like_a_full_build(done, folder, raw=None, **given):
    """Every row of every table of the chain is that of a build from nothing."""
    shutil.copytree(done.folder / "target", folder / "target")  # parsed already
    options = {"args": [*SELECT, *NO_TESTS], "variables": VARIABLES} | given
    if raw:
        store(folder, raw)
    anew = build(folder, data="" if raw else done.folder / "orders", **options)
    for table, columns in COMPARED.items():
        with done.connection() as connection:
            connection.execute(f"attach '{anew.database}' as anew (read_only)")
            rows = f"select {columns} from {table}"
            there = f"select {columns} from anew.{table}"
            lacking = connection.execute(f"{there} except all {rows}").fetchall()
            further = connection.execute(f"{rows} except all {there}").fetchall()
        assert not lacking and not further, (table, lacking[:2], further[:2])


def store(folder, lines):
    """Put the lines into the table raw.orders of the folder's database, as typed."""
    types = {"quantity": "integer", "unit_price": "decimal(9, 2)"}
    types |= dict.fromkeys(("ordered_at", "loaded_at"), "timestamp")
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        columns = [f"{name} {types.get(name, 'varchar')}" for name in HEADER.split(",")]
        connection.execute("create schema if not exists raw")
        connection.execute(f"create or replace table raw.orders ({', '.join(columns)})")
        rows = [[line[name] for name in HEADER.split(",")] for line in lines]
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"insert into raw.orders values ({marks})", rows)


def files_read(done):
    """How many new files the run read, of how many; all of them by a build anew."""
    (said,) = re.findall(r"Reading (\d+) new of (\d+) files", done.output)
    return tuple(map(int, said))


def numbers_of_deliveries(done):
    return done.rows(
        "select source_file, delivery_number, count(*) "
        "from dev_input.template__order_lines group by all order by all"
    )


@pytest.mark.slow
def test_a_fortnight_of_deliveries_ends_where_one_build_does(tmp_path):
    shop = Shop(7)
    orders = tmp_path / "orders"
    orders.mkdir()
    days = {}
    project = None
    for day in range(14):
        days[day] = shop.day(day)
        path = orders / f"day-{day:02d}.csv"
        fresh = 1
        if day == 3:  # the file of the day before again, under another name
            write(orders / "again.csv", days[2])
            fresh = 2
        if day == 4:  # a day without data
            path.write_text(HEADER + "\n")
        elif day == 5:  # nothing at all comes
            fresh = 0
        elif day == 6:  # the columns in another order, and one row far ahead
            ahead = {**days[6][0], "line_id": "AHEAD", "ordered_at": "2024-05-20"}
            moved = ",".join(reversed(HEADER.split(",")))
            write(path, [*days[6], ahead], moved)
        elif day == 8:  # with a quoted line break and broken bytes
            write(path, days[8])
            text = path.read_text() + '"LQ","OQ",C01,2024-03-08,"P\n1",1,2,,,web,\n'
            text += "LU,OU,C01,2024-03-08,P1,1,2,,,täglich,\n" * 2
            broken = b"LX,O\xffX,C01,2024-03-08,P1,1,2,sale,,web,\n"
            path.write_bytes(text.encode() + broken)
        else:
            write(path, days[day])
        if day == 9:  # a red run between: a test of a model in the middle fails
            project = copy_project(tmp_path)
            (project / "tests" / "singular" / "planted.sql").write_text(
                "{{ config(group='segmentation') }}\n"
                "select 1 as row from {{ ref('int_return_matches') }}\n"
            )
            selected = ["--select", "+int_return_matches", *NO_UNIT_TESTS]
            red = run(tmp_path, project=project, args=selected, green=False)
            assert "Failure in test planted" in red.output
            assert files_read(red)[0] == 1
            write(orders / "more.csv", shop.sale(5000, 9))
        done = run(tmp_path)
        if day == 0:
            assert not done.lines("new of")
        else:
            assert files_read(done)[0] == fresh, day
        if day == 7:  # the same day once more
            before = numbers_of_deliveries(done)
            done = run(tmp_path)
            assert files_read(done)[0] == 0
            assert numbers_of_deliveries(done) == before
        if day in (3, 6, 9, 13):
            assert_like_a_full_build(done, tmp_path / f"anew-{day}")
    # Each file was read by one delivery; the file of day 4 had no rows.
    numbers = [number for _, number, _ in numbers_of_deliveries(done)]
    assert len(set(numbers)) == 13
    # Later orders make the row far ahead plausible.
    for ahead, weeks in enumerate((4, 7, 10)):
        write(orders / f"z-{weeks}.csv", shop.sale(6000 + ahead, 7 * weeks))
    done = run(tmp_path)
    assert files_read(done) == (3, 18)
    used = "select count(*) from dev_staging.stg_order_lines where line_id = 'AHEAD'"
    assert done.one(used) == 1
    assert_like_a_full_build(done, tmp_path / "anew-ahead")
    # A var that changes what counts makes all anew.
    fees = VARIABLES | {"returns": "ignore"}
    done = run(tmp_path, variables=fees)
    assert not done.lines("new of")
    assert_like_a_full_build(done, tmp_path / "anew-var", variables=fees)
    # A file that is gone takes its rows with it, and so does one that is replaced.
    # Without the later orders the row far ahead is implausible again.
    for weeks in (4, 7, 10):
        (orders / f"z-{weeks}.csv").unlink()
    write(orders / "day-02.csv", days[2][:10])
    done = run(tmp_path)
    assert not done.lines("new of")
    assert done.one(used) == 0
    assert_like_a_full_build(done, tmp_path / "anew-gone")
    # Every row of every file is used or in quarantine, counted apart.
    counted = run(tmp_path, args=["--select", "+rpt_data_quality", *NO_TESTS])
    measures = dict(
        counted.rows(
            "select measure, sum(row_count)::int from dev_marts.rpt_data_quality "
            "where source_table = 'order_lines' and measure <> 'note' group by measure"
        )
    )
    texts = [path.read_bytes() for path in orders.iterdir()]
    physical = sum(text.count(b"\n") - 1 - text.count(b'"P\n1"') for text in texts)
    assert measures["physical"] == physical
    assert measures["used"] + measures["quarantined"] == physical


@pytest.mark.slow
def test_a_table_with_loaded_at_is_read_from_the_late_window_on(tmp_path):
    shop = Shop(11)
    variables = VARIABLES | {"relations": {"order_lines": "raw.orders"}}
    given = {"variables": variables | {"late_arrival_days": 2}}
    lines = []

    def take_in(name=None):
        store(tmp_path, lines)
        options = {"args": [*SELECT, *NO_TESTS]} | given
        done = build(tmp_path, **options)
        if name:
            assert_like_a_full_build(done, tmp_path / name, raw=lines, **given)
        return done.rows(
            "select delivery_number, count(*)::int "
            "from dev_input.template__order_lines group by all order by all"
        )

    lines += shop.day(0) + shop.day(1)
    first = len(lines)
    assert take_in() == [(1, first)]
    fresh = [*shop.day(2), shop.day(2)[0]]
    lines += fresh + fresh[:1]  # one of them twice
    assert take_in("anew-fresh") == [(1, first), (2, len(fresh) + 1)]
    lines[-5] = {**lines[-5], "quantity": 7}  # changed in place, within the window
    assert take_in("anew-changed") == [(3, len(lines))]
    lines.append({**shop.sale(900, 0)[0], "loaded_at": "2024-02-01"})
    assert take_in("anew-late") == [(4, len(lines))]
