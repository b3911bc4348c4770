"""The report says in sentences what the published tables say in rows."""

from decimal import Decimal

import pandas as pd
import pytest

from segmentation.report import write_report


def summary(*rows):
    columns = [
        "segmentation", "segment_id", "segment_name", "customer_count",
        "customer_share", "revenue",
    ]  # fmt: skip
    return pd.DataFrame([("value", *row) for row in rows], columns=columns)


def segments(*rows):
    columns = ["segmentation", "segment_id", "segment_name", "status"]
    return pd.DataFrame([("value", *row) for row in rows], columns=columns)


def labels(**segment_of):
    return pd.DataFrame(
        [(c, "value", s) for c, s in segment_of.items()],
        columns=["customer_id", "segmentation", "segment_id"],
    )


BEFORE = {
    "rpt_segment_summary": summary(
        ("value-1", "Big", 3, 0.75, Decimal("900.40")),
        ("value-2", "Small", 1, 0.25, Decimal("100.00")),
    ),
    "dim_segments": segments(
        ("value-1", "Big", "active"), ("value-2", "Small", "active")
    ),
    "fct_customer_segments": labels(A="value-1", B="value-1", C="value-1", D="value-2"),
    "rpt_data_quality": pd.DataFrame(
        {
            "source_table": ["orders"], "measure": ["quarantined"],
            "reason": ["zero_price"], "row_count": [2],
        }
    ),
}  # fmt: skip
NOW = {
    "rpt_segment_summary": summary(
        ("value-1", "Big", 2, 0.4, Decimal("800.00")),
        ("value-3", "<b>New</b> | one", 3, 0.6, Decimal("400.00")),
    ),
    "dim_segments": segments(
        ("value-1", "Bigger", "active"),
        ("value-2", "Small", "retired"),
        ("value-3", "<b>New</b> | one", "active"),
    ),
    "fct_customer_segments": labels(
        A="value-1", B="value-1", C="value-3", D="value-3", E="value-3"
    ),
    "rpt_segment_migration": pd.DataFrame(
        [
            ("2024-01-31", "value", "value-1", "Big", "Big", "stayed", 9),
            ("2024-02-29", "value", "value-1", "Big", "Big", "stayed", 6),
            ("2024-02-29", "value", "value-1", "Big", "Small", "ageing", 3),
            ("2024-02-29", "value", "value-2", "Small", "Big", "purchase", 1),
            ("2024-02-29", "value", "none", None, "Big", "entered", 5),
        ],
        columns=[
            "month_end_date", "segmentation", "from_segment_id", "from_segment_name",
            "to_segment_name", "cause", "customer_count",
        ],
    ),
    "rpt_history": pd.DataFrame(
        {"late_purchase_count": [0, 3], "late_revenue": [Decimal(0), Decimal("77.5")]}
    ),
    "rpt_data_quality": pd.DataFrame(
        {
            "source_table": ["orders", "orders"],
            "measure": ["used", "quarantined"],
            "reason": ["all", "zero_price"],
            "row_count": [1000, 5],
        }
    ),
    "rpt_model_health": pd.DataFrame(
        {
            "segmentation": ["value"],
            "model_version": [2],
            "status": ["drifted"],
            "status_reason": ["average_order has drifted"],
            "what_to_do": ["Build once"],
            "is_refit": [True],
            "changed_by_model_share": [0.125],
            "changed_by_behaviour_share": [0.25],
        }
    ),
    "rpt_recommendations": pd.DataFrame(
        {
            "segmentation": ["next_action"] * 2,
            "segment_id": ["a", "b"],
            "segment_name": ["Leaving", "Lost"],
            "action": ["Call them", "Write"],
            "customer_count": [40, 50],
            "reachable_customer_count": pd.array([30, None], dtype="Int64"),
            "net_worth": [Decimal("1234.4"), Decimal("-5")],
            "uplift": [0.06, 0.01],
            "uplift_status": ["assumed", "assumed"],
            "is_best_action": [True, True],
        }
    ),
}  # fmt: skip


def report(tables=NOW, previous=BEFORE, **changes):
    facts = {
        "input_name": "shop",
        "currency": "EUR",
        "as_of_date": "2024-03-01",
        "previous_date": "2024-02-01",
    }
    return write_report(tables, previous, **facts | changes)


@pytest.mark.parametrize(
    "sentence",
    [
        "# Customer segments of shop as of 2024-03-01",
        "Compared with what was published as of 2024-02-01.",
        "5 customers (+1) with 1,200 EUR net revenue (+200).",
        "| Big | 2 | 40.0 % | -1 | 800 EUR |",
        "New segments: \\<b\\>New\\</b\\> \\| one.",
        "Retired segments: Small.",
        "Big is called Bigger now.",
        "2 of 4 customers (50.0 %) are in another segment than in the build before; "
        "1 came new.",
        "In the month to 2024-02-29, 4 of 10 customers (40.0 %) changed segment: "
        "1 after a purchase, 3 by nothing but time.",
        "- 3 from Big to Small\n- 1 from Small to Big",
        "1. **Call them** for Leaving: 30 reachable customers, worth 1,234 EUR after "
        "cost, if 6.0 % of what is at stake is won (assumed).",
        "- value version 2: Average order has drifted. Build once. The refit alone put "
        "12.5 % of customers elsewhere; 25.0 % moved by themselves in a month.",
        "1,000 rows were used and 5 are in quarantine (+3 since the build before).",
        "- 5 rows of orders: zero price",
        "+3 purchases (+78 EUR) came for months that were closed already; those months "
        "stay as they were.",
    ],
)
def test_the_report_says(sentence):
    assert sentence in report()


def test_what_is_not_worth_its_cost_is_not_recommended():
    assert "Write" not in report()


def test_the_first_report_compares_with_nothing():
    said = report(previous=None, previous_date=None)
    assert "This is the first published build" in said
    assert "5 customers with 1,200 EUR net revenue." in said
    assert "New segments" not in said


def test_html_and_tables_in_names_are_text():
    assert "<b>" not in report()


def test_an_input_without_orders_has_a_report_too():
    plain = summary(("value-1", "Big", 2, 1.0, None))
    plain["revenue"] = plain["revenue"].astype("float64")
    said = report({"rpt_segment_summary": plain}, None, as_of_date=None)
    assert "# Customer segments of shop\n" in said
    assert "2 customers.\n" in said
    assert "nan" not in said.lower()


def test_a_set_of_an_earlier_release_may_lack_tables():
    assert "5 customers with" in report(previous={"dim_segments": NOW["dim_segments"]})
