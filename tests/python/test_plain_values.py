"""Values as people write them, in the SQL of `plain_values.sql` and in the guessing."""

from decimal import Decimal
from types import SimpleNamespace

import duckdb
import jinja2
import pytest
from builds import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st
from strangers import comma

from segmentation.command_line.columns import number_of


class Macros:
    """The macros of two files, without dbt."""

    def __init__(self):
        environment = jinja2.Environment(extensions=["jinja2.ext.do"])
        text = "".join(
            (REPOSITORY / "macros" / name).read_text("utf-8")
            for name in ("parse.sql", "plain_values.sql")
        )
        environment.globals |= {
            "return": lambda value: value,
            "adapter": SimpleNamespace(
                dispatch=lambda name, _: getattr(self.module, f"default__{name}")
            ),
            "dbt": SimpleNamespace(type_string=lambda: "varchar"),
        }
        self.module = environment.from_string(text).module

    def __getattr__(self, name):
        return getattr(self.module, name)


@pytest.fixture(scope="module")
def macros():
    return Macros()


def value_of(sql, text):
    ((value,),) = duckdb.execute(
        f"select {sql} from (select cast(? as varchar) as x)", [text]
    ).fetchall()
    return value


NUMBERS = {
    ("1234.5", "."): "1234.5",
    ("1,234.50", "."): "1234.50",
    ("$1,234.50", "."): "1234.50",
    ("-$12.50", "."): "-12.50",
    ("£ 7", "."): "7",
    ("1.234,50 €", ","): "1234.50",
    ("EUR 1.234,50", ","): "1234.50",
    ("1 234,50", ","): "1234.50",
    ("1\u202f234,50 €", ","): "1234.50",
    ("1'234.50", "."): "1234.50",
    ("80,00 kr.", ","): "80.00",
    ("(12.50)", "."): "-12.50",
    ("12,50-", ","): "-12.50",
    ("\u22123", "."): "-3",
    (" 5 ", "."): "5",
    # no numbers: they stay, for the quarantine to show
    ("SKU-001", "."): "SKU-001",
    ("85123A", "."): "85123A",
    ("free", ","): "free",
    ("12 pieces", "."): "12 pieces",
    ("1.2.3", "."): "1.2.3",
    ("€", "."): "€",
    ("", "."): None,
}


@pytest.mark.parametrize(("text", "mark"), NUMBERS)
def test_a_number_is_made_plain_and_what_is_none_stays(macros, text, mark):
    assert value_of(macros.plain_number("x", mark), text) == NUMBERS[text, mark]


@given(
    st.decimals(-99_999_999, 99_999_999, places=2),
    st.sampled_from(["{}", "{} €", "$ {}", "CHF {}"]),
)
@settings(max_examples=60, deadline=None)
def test_both_decimal_marks_are_read_to_the_cent_by_sql_and_by_the_guessing(
    macros, number, style
):
    for text, mark in (
        (style.format(f"{number:,.2f}"), "."),
        (style.format(comma(number)), ","),
        (style.format(comma(number, "\u202f")), ","),
    ):
        assert Decimal(value_of(macros.plain_number("x", mark), text)) == number
        assert number_of(text, mark) == float(number)


def test_an_amount_below_zero_is_a_piece_that_came_back(macros):
    amount = macros.plain_number("x", ",")
    for text, quantity, price in (
        ("12,50", "1", "12.50"), ("-12,50 €", "-1", "12.50"), ("(3,00)", "-1", "3.00"),
    ):  # fmt: skip
        assert value_of(macros.quantity_of_amount(amount), text) == quantity
        assert value_of(macros.price_of_amount(amount), text) == price


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Ja", "true"), ("nein", "false"), ("SÍ", "true"), ("1", "1"), ("maybe", "maybe")],
)
def test_yes_and_no_are_read_in_four_languages(macros, text, plain):
    assert value_of(macros.plain_boolean("x"), text) == plain


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("05-01-24", "2024-01-05 00:00:00"),
        ("05-01-2024", "2024-01-05 00:00:00"),
        ("2024-01-05", "2024-01-05"),  # ISO 8601 is read later
        ("yesterday", "yesterday"),
    ],
)
def test_two_digits_of_a_year_are_no_year_of_the_romans(macros, text, time):
    sql = macros.plain_timestamp("x", ["%d-%m-%y", "%d-%m-%Y"])
    assert value_of(sql, text) == time


@pytest.mark.parametrize(("unit", "text"), [(1, "1704448800"), (1000, "1704448800250")])
def test_seconds_since_1970_are_times_in_utc(macros, unit, text):
    plain = value_of(macros.plain_epoch("x", unit), text)
    assert plain == "2024-01-05 10:00:00Z"
    assert value_of(macros.plain_epoch("x", unit), "soon") == "soon"
