"""The evaluator of DAX against figures worked out by hand."""

import pandas as pd
import pytest
from dax import Dax, Parser, edate

from segmentation.power_bi.model import Column, Measure, Model, Relationship, Table


def shop(**measures: str) -> Dax:
    """Two shops and an unknown one; sales on three days of a marked calendar."""
    sales = pd.DataFrame(
        {
            "Shop": ["A", "A", "B", None],
            "Day": [1, 2, 2, 3],
            "Amount": [1.0, 2.0, 4.0, 8.0],
            "Kind": ["x", "y", "x", None],
        }
    ).astype(object)
    shops = pd.DataFrame({"Shop": ["A", "B"], "Town": ["Ulm", "Ulm"]}).astype(object)
    days = pd.DataFrame({"Day": [1, 2, 3], "Month": ["m1", "m1", "m2"]}).astype(object)
    frames = {"Sales": sales, "Shops": shops, "Days": days}
    tables = tuple(
        Table(
            name,
            name,
            "",
            tuple(Column(column, column, "string", "") for column in frame),
            is_calendar=name == "Days",
        )
        for name, frame in frames.items()
    )
    home = Table(
        "Measures of the Shop",
        None,
        "",
        measures=tuple(
            Measure(name, "", "", "0", dax)
            for name, dax in {"Sold": "SUM ( Sales[Amount] )", **measures}.items()
        ),
    )
    links = (
        Relationship("Sales", "Shop", "Shops", "Shop"),
        Relationship("Sales", "Day", "Days", "Day"),
    )
    return Dax(Model("shop", (home, *tables), links), frames)


IN_A = {("Shops", "Shop"): "A"}


@pytest.mark.parametrize(
    ("dax", "filters", "shown"),
    [
        ("1 + 2 * 3 ^ 2", {}, 19),
        ("- 2 + 5", {}, 3),
        ("VAR a = 2 VAR b = a * 3 RETURN a + b", {}, 8),
        # BLANK: nothing in sums, 0 in comparisons, nothing in quotients
        ("SUM ( Sales[Amount] )", {("Shops", "Shop"): "C"}, None),
        ("SUM ( Sales[Amount] ) + 1", {("Shops", "Shop"): "C"}, 1),
        ("SUM ( Sales[Amount] ) * 2", {("Shops", "Shop"): "C"}, None),
        ("IF ( [Sold] = 0, 7 )", {("Shops", "Shop"): "C"}, 7),
        ("DIVIDE ( 1, [Sold] )", {("Shops", "Shop"): "C"}, None),
        ("COUNTROWS ( Sales )", {("Shops", "Shop"): "C"}, None),
        # filters flow from one to many, and not back
        ("SUM ( Sales[Amount] )", {("Shops", "Town"): "Ulm"}, 7),
        ("COUNTROWS ( Shops )", {("Sales", "Kind"): "y"}, 2),
        # CALCULATE puts its filter in the place of one on the same column
        ('CALCULATE ( [Sold], Shops[Shop] = "B" )', IN_A, 4),
        ('CALCULATE ( [Sold], KEEPFILTERS ( Shops[Shop] = "B" ) )', IN_A, None),
        ('CALCULATE ( [Sold], Sales[Kind] = "x" )', IN_A, 1),
        ("CALCULATE ( [Sold], REMOVEFILTERS ( Shops ) )", IN_A, 15),
        ("CALCULATE ( [Sold], REMOVEFILTERS () )", IN_A | {("Sales", "Kind"): "x"}, 15),
        # a filter on the days of a marked calendar is in the place of its others
        ("CALCULATE ( [Sold], Days[Day] = 3 )", {("Days", "Month"): "m1"}, 8),
        # a measure in a row context is filtered by the row; a plain sum is not
        ("SUMX ( VALUES ( Shops[Shop] ), [Sold] ^ 2 )", {}, 9 + 16 + 64),
        ("SUMX ( VALUES ( Shops[Shop] ), SUM ( Sales[Amount] ) )", {}, 45),
        ("SUMX ( FILTER ( Sales, Sales[Amount] > 1 ), Sales[Amount] * 2 )", {}, 28),
        # the key that finds no row belongs to a blank row
        ("COUNTROWS ( ALL ( Shops[Town] ) )", {}, 2),
        ("CALCULATE ( [Sold], FILTER ( ALL ( Shops[Shop] ), 1 = 1 ) )", {}, 15),
        ('CALCULATE ( [Sold], Shops[Shop] <> "A" )', {}, 12),
        # sets
        (
            "CALCULATE ( [Sold], TREATAS ( VALUES ( Shops[Shop] ), Sales[Shop] ) )",
            IN_A,
            3,
        ),
        (
            "VAR m1 = CALCULATETABLE ( VALUES ( Sales[Shop] ), Days[Day] = 1 ) "
            "VAR m2 = CALCULATETABLE ( VALUES ( Sales[Shop] ), Days[Day] = 2 ) "
            "RETURN COUNTROWS ( INTERSECT ( m1, m2 ) )",
            {},
            1,
        ),
        (
            'VAR s = ADDCOLUMNS ( VALUES ( Sales[Shop] ), "@s", [Sold] ) RETURN '
            "SUMX ( TOPN ( 2, s, [@s], DESC, Sales[Shop], ASC ), [@s] )",
            {},
            8 + 4,
        ),
        ("IF ( ISFILTERED ( Shops ), 1, 2 )", {("Sales", "Shop"): "A"}, 2),
        ("IF ( ISFILTERED ( Shops ), 1, 2 )", IN_A, 1),
        ('SELECTEDVALUE ( Shops[Shop], "many" )', {}, "many"),
        ('SWITCH ( SELECTEDVALUE ( Shops[Shop] ), "a", 1, 2 )', IN_A, 1),
    ],
)
def test_an_expression_shows_what_the_language_says(dax, filters, shown):
    assert shop(It=dax).measure("It", filters) == shown


def test_months_are_moved_as_far_as_their_end():
    march_31 = pd.Timestamp(2024, 3, 31).toordinal()
    assert edate(march_31, -1) == pd.Timestamp(2024, 2, 29).toordinal()
    assert edate(march_31, -12) == pd.Timestamp(2023, 3, 31).toordinal()


@pytest.mark.parametrize("dax", ["SUM ( Sales[Amount]", "1 +", "SUM ) 1", "a ? b"])
def test_what_is_not_dax_is_refused(dax):
    with pytest.raises(SyntaxError):
        Parser(dax).parse()


def test_a_function_that_the_evaluator_does_not_know_is_an_error():
    with pytest.raises(NotImplementedError, match="MEDIAN"):
        shop(It="MEDIAN ( Sales[Amount] )").measure("It")
