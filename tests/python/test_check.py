"""`segmentation check`, and an input of `init` built whole: a stranger's figures."""

import hashlib
import re
from contextlib import chdir
from decimal import Decimal

import duckdb
import pytest
import strangers
from builds import NO_UNIT_TESTS, REPOSITORY, build, copy_project, shared
from conftest import fixture_of
from strangers import one_row_an_order, person, shop

from segmentation.command_line import main
from segmentation.command_line.checking import REASONS, check
from segmentation.command_line.choice import chosen


def money(number):
    return Decimal(f"{number:.2f}")


def gross(line):
    return money(line.quantity * line.price)


def net(line):
    return money(line.quantity * line.price) - money(line.discount)


def amount(line):
    return money(line.amount)


def completed(lines):
    return [line for line in lines if line.status == "completed"]


# The lines that a file was made of, and what a line of it brings.
FIGURES = {
    "shopify_like": (shop(1), gross),
    "woocommerce_like": (completed(one_row_an_order(shop(2))), amount),
    "german_shop": (shop(3), net),
    "american_crm": (one_row_an_order(shop(4)), amount),
    "marketplace_seller": (completed(shop(21)), gross),
    "craft_market": (shop(22), net),
    "german_ledger": (shop(23), gross),
    "dutch_shop": (shop(24), gross),
    "italian_shop": (shop(25), net),
    "loyalty_card": (one_row_an_order(shop(26)), amount),
    "american_salon": (shop(27), gross),
    "charity_gifts": (one_row_an_order(shop(28)), amount),
    "french_crm": (completed(one_row_an_order(shop(29))), amount),
    "spanish_tickets": (shop(30), gross),
    "subscription_box": (completed(one_row_an_order(shop(34))), amount),
    "swiss_shop": (shop(42), lambda line: money(10 * line.price) * line.quantity),
    "portuguese_shop": (shop(43), gross),
    "wine_club": (one_row_an_order(shop(44)), amount),
    "restaurant_bills": (one_row_an_order(shop(45)), amount),
    "app_purchases": (one_row_an_order(shop(46)), amount),
}
NO_ORDER_NUMBER = {"american_crm", "wine_club"}  # a customer's day is an order
EVERYBODY = [
    *strangers.MADE_UP, *strangers.HELD_OUT, *strangers.HELD_OUT_AGAIN,
]  # fmt: skip


def expected(name):
    lines, brings = FIGURES[name]
    if name in NO_ORDER_NUMBER:
        orders = {(line.customer, line.at.date()) for line in lines}
    else:
        orders = {line.order for line in lines}
    return {"orders": len(orders), "net_amount": sum(map(brings, lines))}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("check"))


@pytest.fixture
def at_home(project, own_environment, monkeypatch):
    monkeypatch.chdir(project)
    return project


DIRT = {
    "invalid_date": "B900001;K00001;31.02.2023 10:00;SKU-001;1;5,00 €;0,00 €;bar",
    "missing_date": "B900002;K00001;;SKU-001;1;5,00 €;0,00 €;bar",
    "invalid_price": "B900003;K00001;01.02.2023 10:00;SKU-001;1;gratis;0,00 €;bar",
    "zero_quantity": "B900004;K00001;01.02.2023 10:00;SKU-001;0;5,00 €;0,00 €;bar",
    "wrong_number_of_columns": "B900005;K00001;01.02.2023 10:00",
    "implausible_future_date": "B9;K00001;01.02.2093 10:00;SKU-001;1;5,00 €;0,00 €;bar",
}


def test_check_says_what_will_be_used_what_not_and_what_is_missing(
    at_home, tmp_path, capsys
):
    path = strangers.german_shop().write(tmp_path)
    with path.open("a", encoding="cp1252") as stream:
        stream.write("\n".join([*DIRT.values(), DIRT["invalid_date"]]) + "\n")
    assert main(["init", "dirty", str(path), "--yes"]) == 0
    capsys.readouterr()
    before = {each.name for each in at_home.iterdir()}
    assert main(["check"]) == 0
    said = capsys.readouterr().out
    sound, _ = FIGURES["german_shop"]
    figures = expected("german_shop")
    assert f"{len(sound):,}" in said
    assert f"{figures['orders']:,} orders" in said
    assert f"{figures['net_amount']:,.2f} EUR" in said
    # the second one is the first one again, yet neither can be read
    (line,) = (line for line in said.splitlines() if "date cannot be read" in line)
    assert line.split()[0] == "2"
    assert f"line {len(sound) + 2}:" in line
    for text in (
        "no date",
        "the price is no number",
        "the quantity is 0",
        "columns than",
    ):
        assert text in said
    assert "the date is long after all others" in said
    assert "unit_cost" in said and "margin" in said
    assert {each.name for each in at_home.iterdir()} == before, "check left something"


def test_a_file_of_which_nothing_can_be_used_says_why(at_home, tmp_path, capsys):
    path = tmp_path / "orders.csv"
    rows = [f"A{n},K{n % 7},2024-13-{n % 28:02d},7.50" for n in range(1, 60)]
    path.write_text("order no,customer no,date,total\n" + "\n".join(rows) + "\n")
    assert (
        main(["init", "hopeless", str(path), "--yes", "--map", "ordered_at=date"]) == 0
    )
    assert main(["check", "hopeless"]) == 1
    said = capsys.readouterr()
    assert "No row can be used: the date cannot be read" in said.err
    assert "A1" in said.out and "2024-13-01" in said.out
    assert "Traceback" not in said.err


def test_every_reason_of_the_rules_has_words():
    words = re.compile(r"then '([a-z_]+)'")
    paths = [
        *(REPOSITORY / "models/staging").glob("base_*.sql"),
        *(REPOSITORY / "macros").glob("data_file*.sql"),
    ]
    reasons = {
        word for path in paths for word in words.findall(path.read_text("utf-8"))
    }
    assert reasons - {"return", "blank", "record"} <= REASONS.keys()


def test_check_of_an_unknown_input_names_the_known_ones(at_home, capsys):
    assert main(["check", "nowhere"]) == 1
    said = capsys.readouterr().err
    assert "no input 'nowhere'" in said
    assert "online_retail" in said


def test_customers_and_events_of_further_files_are_checked_with_the_orders(
    at_home, tmp_path
):
    ids = sorted({line.customer for line in shop(3)})
    people = strangers.table(
        ["Kunde", "E-Mail", "Geburtsdatum", "Newsletter", "Segment"],
        [
            [
                f"K{n:05d}",
                person(n)["email"],
                f"{n % 28 + 1}.5.1980",
                "ja",
                "ABC"[n % 3],
            ]
            for n in ids
        ],
        ";",
    )
    visits = strangers.table(
        ["user", "happened_at", "event"],
        [[f"K{n:05d}", "2024-03-01 10:00:00", "visit"] for n in ids],
    )
    (tmp_path / "people.csv").write_text(people)
    (tmp_path / "visits.csv").write_text(visits)
    orders = strangers.german_shop().write(tmp_path)
    further = [
        "--customers",
        tmp_path / "people.csv",
        "--events",
        tmp_path / "visits.csv",
    ]
    assert main(["init", "whole", str(orders), *map(str, further), "--yes"]) == 0
    found = check(chosen("whole"))
    assert found.used == {
        "order_lines": len(shop(3)), "customers": len(ids), "customer_events": len(ids),
    }  # fmt: skip
    assert not found.quarantined


@shared
def french_crm(folder, of):
    """Decimal commas, days first, cancelled orders, and addresses for numbers."""
    project = copy_project(folder)
    path = strangers.french_crm().write(folder)
    with chdir(project):
        assert main(["init", "french_crm", str(path), "--yes"]) == 0
    return build(
        folder,
        project=project,
        args=NO_UNIT_TESTS,
        variables={"input": "french_crm"},
        data=path,
    )


french_crm_fixture = fixture_of("french_crm")


def test_what_init_wrote_is_built_to_the_figures_of_the_file(french_crm):
    lines, _ = FIGURES["french_crm"]
    figures = expected("french_crm")
    assert french_crm.lines("Published")
    assert french_crm.one("select count(*) from dev_marts.fct_orders") == len(lines)
    found = french_crm.one("select sum(monetary) from dev_marts.dim_customers")
    assert found == figures["net_amount"]
    customers = {line.customer for line in lines}
    rows = dict(
        french_crm.rows(
            "select customer_id, city from dev_marts.dim_customers "
            "where order_count > 0"  # the others only had cancelled orders
        )
    )
    assert rows == {
        hashlib.md5(person(each)["email"].encode()).hexdigest().upper(): person(each)[
            "city"
        ]
        for each in customers
    }
    reasons = french_crm.rows(
        "select reason, count(*) from dev_staging.stg_quarantined_rows group by reason"
    )
    cancelled = len(one_row_an_order(shop(29))) - len(lines)
    assert reasons == [("cancelled_order", cancelled)]
    assert french_crm.one("select count(*) from dev_marts.rpt_segment_summary") > 10


def test_no_address_is_published_where_it_tells_the_customers_apart(french_crm):
    folder = french_crm.exports / french_crm.manifest()["folder"]
    for path in folder.glob("*.parquet"):
        rows = duckdb.execute("select * from read_parquet(?)", [str(path)]).fetchall()
        assert "example.com" not in str(rows), path.name


@pytest.mark.slow
@pytest.mark.parametrize("make", EVERYBODY, ids=lambda make: make.__name__)
def test_a_strangers_file_is_staged_to_its_figures(at_home, tmp_path, capsys, make):
    stranger = make()
    path = stranger.write(tmp_path)
    assert main(["init", stranger.name, str(path), "--yes"]) == 0
    found = check(chosen(stranger.name))
    if stranger.name not in FIGURES:
        assert stranger.kind == "customers" or stranger.name == "auction_house"
        assert found.used and not found.quarantined
        return
    figures = expected(stranger.name)
    assert {key: found.orders[key] for key in figures} == figures
    assert {reason for _, reason, *_ in found.quarantined} <= {"cancelled_order"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [strangers.german_shop, strangers.american_crm, strangers.gym_members],
    ids=lambda make: make.__name__,
)
def test_a_strangers_file_becomes_segments(at_home, tmp_path, capsys, make):
    stranger = make()
    path = stranger.write(tmp_path)
    # a test before this one may have made it in the same project
    assert main(["init", stranger.name, str(path), "--yes", "--replace"]) == 0
    assert main(["build"]) == 0
    said = capsys.readouterr().out
    assert f"Segments of {stranger.name}" in said
    assert f"Building {stranger.name} from " in said
    assert "Published" in said
