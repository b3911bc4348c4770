"""The oracle is right: published figures, cases worked by hand, and invariants."""

from decimal import Decimal
from statistics import mean, median

import pandas as pd
import pytest
from independent import (
    LINE_COLUMNS,
    apply_policies,
    customer_rfm,
    match_returns,
    net_returns,
    random_world,
    read_online_retail,
    rfm_scores,
)
from shared_data import shared_file

LATER = "2024-02-01"


def lines_of(*rows):
    """Lines of customer c and product p, from (order, instant, quantity, price).

    Line ids follow the order of the rows: 1, 2, 3 ...
    """
    return pd.DataFrame(
        [
            (str(number), order, "c", "p", pd.Timestamp(at), quantity, Decimal(price))
            for number, (order, at, quantity, price) in enumerate(rows, start=1)
        ],
        columns=LINE_COLUMNS,
    )


def netted(lines, as_of=LATER, **options):
    """Net by order, and the money back of the only customer."""
    orders, money_back = net_returns(lines, as_of, **options)
    net = dict(zip(orders["order_id"], orders["net"], strict=True))
    return net, money_back["money_back"].sum()


def pieces_of(lines):
    return sorted(match_returns(lines).itertuples(index=False, name=None))


# Published figures of Online Retail


@pytest.fixture(scope="module")
def online_retail():
    return read_online_retail(shared_file("online_retail/online_retail.csv.gz"))


@pytest.fixture(scope="module")
def everything_kept(online_retail):
    return apply_policies(
        online_retail, duplicate_lines="keep", returns="net", fees="keep"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("as_of", "published"),
    [
        (
            "2011-12-10",
            {
                "customers": 4_338,
                "orders": 18_532,
                "gross": Decimal("8911407.904"),
                "customers with a purchase": 4_327,
                "orders with net > 0": 18_386,
                "order net": Decimal("8442139.094"),
                "money back": Decimal("142073.280"),
                "net revenue": Decimal("8300065.814"),
            },
        ),
        (
            "2011-07-01",
            {
                "customers": 2_960,
                "orders": 8_802,
                "gross": Decimal("3993805.651"),
                "customers with a purchase": 2_955,
                "orders with net > 0": 8_730,
                "order net": Decimal("3819872.181"),
                "money back": Decimal("91370.930"),
                "net revenue": Decimal("3728501.251"),
            },
        ),
    ],
)
def test_netting_reproduces_the_published_figures(everything_kept, as_of, published):
    orders, money_back = net_returns(everything_kept, as_of)
    purchases = orders[orders["net"] > 0]
    assert published == {
        "customers": orders["customer_id"].nunique(),
        "orders": len(orders),
        "gross": sum(orders["gross"]),
        "customers with a purchase": purchases["customer_id"].nunique(),
        "orders with net > 0": len(purchases),
        "order net": sum(orders["net"]),
        "money back": sum(money_back["money_back"]),
        "net revenue": sum(orders["net"]) - sum(money_back["money_back"]),
    }


@pytest.mark.slow
def test_as_many_returns_match_as_published(everything_kept):
    pieces = match_returns(everything_kept)
    assert len(pieces) == 7_716

    matched = pieces.groupby("return_line_id")["units"].sum().to_dict()
    is_known_return = everything_kept["customer_id"].notna() & (
        everything_kept["quantity"] < 0
    )
    counts = {"full": 0, "part": 0, "none": 0}
    for line in everything_kept[is_known_return].itertuples():
        units = matched.get(line.line_id, 0)
        full = units == -line.quantity
        counts["full" if full else "part" if units else "none"] += 1
    assert counts == {"full": 7_505, "part": 63, "none": 1_337}


@pytest.mark.slow
def test_phantom_big_spenders_are_undone(online_retail):
    known = ["12346", "15098", "16446"]
    lines = online_retail[online_retail["customer_id"].isin(known)]
    rfm = customer_rfm(lines, "2011-12-10", duplicate_lines="keep", fees="keep")
    assert rfm[["customer_id", "frequency", "monetary"]].to_dict("list") == {
        "customer_id": ["15098", "16446"],  # 12346 has no purchase left
        "frequency": [2, 1],
        "monetary": [Decimal("649.50"), Decimal("2.90")],
    }


@pytest.mark.slow
def test_metrics_without_returns_are_the_published_ones(online_retail):
    rfm = customer_rfm(
        online_retail,
        "2011-12-10",
        duplicate_lines="keep",
        returns="ignore",
        fees="keep",
    )
    assert len(rfm) == 4_338
    assert rfm["frequency"].sum() == 18_532
    assert sum(rfm["monetary"]) == Decimal("8911407.904")

    def summary(column):
        values = list(rfm[column])
        average = round(float(mean(values)), 4)
        return min(values), median(values), average, max(values)

    assert summary("recency_days") == (1, 51, 93.0595, 374)
    assert summary("frequency") == (1, 2, 4.2720, 209)
    assert summary("monetary") == (
        Decimal("3.75"),
        Decimal("674.485"),
        2054.2665,
        Decimal("280206.02"),
    )


@pytest.mark.slow
def test_the_file_is_read_whole(online_retail):
    assert len(online_retail) == 541_909
    assert online_retail["customer_id"].isna().sum() == 135_080
    assert online_retail["customer_id"].nunique() == 4_372
    assert online_retail["is_cancellation"].sum() == 9_288
    assert online_retail["customer_id"].iloc[0] == "17850"


@pytest.mark.slow
def test_exact_duplicate_rows_are_dropped(online_retail, everything_kept):
    is_repeat = online_retail.drop(columns="line_id").duplicated()
    assert is_repeat.sum() == 5_268
    repeated = set(online_retail.loc[is_repeat, "line_id"])
    once = apply_policies(online_retail, duplicate_lines="drop", fees="keep")
    assert set(once["line_id"]) == set(everything_kept["line_id"]) - repeated


# Matching, worked by hand


def test_a_return_takes_no_more_than_is_open():
    lines = lines_of(
        ("A", "2024-01-01", 5, "2.00"),
        ("R1", "2024-01-02", -10, "2.00"),
        ("B", "2024-01-03", 5, "2.00"),
        ("R2", "2024-01-04", -5, "2.00"),
    )
    assert pieces_of(lines) == [("2", "1", 5), ("4", "3", 5)]
    assert netted(lines) == ({"A": 0, "B": 0}, 10)
    assert customer_rfm(lines, LATER, fees="keep").empty


def test_the_latest_open_units_are_returned_first():
    lines = lines_of(
        ("A", "2024-01-01", 5, "2.00"),
        ("B", "2024-01-02", 2, "2.00"),
        ("R1", "2024-01-03", -3, "2.00"),
        ("C", "2024-01-04", 1, "2.00"),
        ("R2", "2024-01-05", -2, "2.00"),
    )
    assert pieces_of(lines) == [
        ("3", "1", 1),
        ("3", "2", 2),
        ("5", "1", 1),
        ("5", "4", 1),
    ]
    assert netted(lines) == ({"A": 6, "B": 0, "C": 0}, 0)


def test_a_return_takes_from_its_own_price_before_a_later_sale():
    lines = lines_of(
        ("A", "2024-01-01", 1, "2.00"),
        ("B", "2024-01-02", 1, "3.00"),
        ("R", "2024-01-03", -1, "2.00"),
    )
    assert netted(lines) == ({"A": 0, "B": 3}, 0)


def test_a_price_that_was_paid_but_is_used_up_takes_from_no_other():
    lines = lines_of(
        ("A", "2024-01-01", 1, "2.00"),
        ("B", "2024-01-02", 1, "3.00"),
        ("R", "2024-01-03", -2, "2.00"),
    )
    assert netted(lines) == ({"A": 0, "B": 3}, 2)


def test_the_rest_of_a_dearer_return_is_money_back():
    lines = lines_of(
        ("A", "2024-01-01", 3, "2.00"),
        ("R", "2024-01-02", -2, "5.00"),
    )
    assert netted(lines) == ({"A": 2}, 6)


def test_a_cheaper_return_takes_back_only_its_own_price():
    lines = lines_of(
        ("A", "2024-01-01", 3, "5.00"),
        ("R", "2024-01-02", -2, "2.00"),
    )
    assert netted(lines) == ({"A": 11}, 0)


def test_a_price_never_paid_takes_from_the_price_of_the_latest_earlier_sale():
    lines = lines_of(
        ("A", "2024-01-01", 1, "2.00"),
        ("B", "2024-01-02", 1, "3.00"),
        ("R1", "2024-01-03", -1, "9.00"),  # B's unit, and 6.00 above it
        ("R2", "2024-01-04", -1, "9.00"),  # that price is used up: A is not touched
    )
    assert pieces_of(lines) == [("3", "2", 1)]
    assert netted(lines) == ({"A": 2, "B": 0}, 6 + 9)


def test_a_return_before_its_sale_is_money_back():
    lines = lines_of(
        ("R", "2024-01-01", -2, "2.00"),
        ("A", "2024-01-02", 2, "2.00"),
    )
    assert netted(lines) == ({"A": 4}, 4)


def test_a_sale_precedes_a_return_of_the_same_instant():
    lines = lines_of(
        ("R", "2024-01-01 10:00", -2, "2.00"),
        ("A", "2024-01-01 10:00", 2, "2.00"),
    )
    assert netted(lines) == ({"A": 0}, 0)


def test_sales_of_the_same_instant_stand_in_the_order_of_their_line_ids():
    lines = lines_of(
        ("A", "2024-01-01 10:00", 1, "2.00"),
        ("B", "2024-01-01 10:00", 1, "2.00"),
        ("R", "2024-01-02", -1, "2.00"),
    )
    for rows in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        assert netted(lines.iloc[rows]) == ({"A": 2, "B": 0}, 0)


def test_product_codes_match_whatever_their_case_and_blanks():
    lines = lines_of(
        ("A", "2024-01-01", 1, "2.00"),
        ("R", "2024-01-02", -1, "2.00"),
    ).assign(product_id=["85123a ", "85123A"])
    assert netted(lines) == ({"A": 0}, 0)


def test_other_customers_and_products_are_not_touched_and_guests_left_out():
    lines = lines_of(
        ("A", "2024-01-01", 1, "2.00"),
        ("B", "2024-01-01", 1, "2.00"),
        ("R", "2024-01-02", -1, "2.00"),
        ("G", "2024-01-02", 1, "2.00"),
    )
    lines["customer_id"] = pd.Series(["c", "d", "d", None], dtype=object)
    lines["product_id"] = ["p", "q", "p", "p"]
    orders, money_back = net_returns(lines, LATER)
    assert dict(zip(orders["order_id"], orders["net"], strict=True)) == {"A": 2, "B": 2}
    assert money_back.to_dict("list") == {
        "customer_id": ["c", "d"],
        "money_back": [0, 2],
    }


def test_unmatched_returns_are_all_money_back():
    lines = lines_of(
        ("A", "2024-01-01", 3, "2.00"),
        ("R", "2024-01-02", -2, "2.00"),
    )
    assert netted(lines, matched=False) == ({"A": 6}, 4)


def test_only_what_happened_before_the_as_of_date_counts():
    lines = lines_of(
        ("A", "2024-01-01 23:59:59", 2, "2.00"),
        ("R", "2024-01-03 00:00", -2, "2.00"),
    )
    assert netted(lines, "2024-01-01") == ({}, 0)
    assert netted(lines, "2024-01-03") == ({"A": 4}, 0)
    assert netted(lines, "2024-01-04") == ({"A": 0}, 0)


# Metrics, policies and scores


def test_recency_counts_whole_days_from_the_last_order_that_is_a_purchase():
    lines = lines_of(
        ("A", "2024-01-01 23:00", 2, "2.00"),
        ("B", "2024-01-05 01:00", 1, "3.00"),
        ("R", "2024-01-06", -1, "3.00"),
        ("R", "2024-01-07", -1, "3.00"),
    )
    assert customer_rfm(lines, "2024-01-06", fees="keep").to_dict("records") == [
        {"customer_id": "c", "recency_days": 1, "frequency": 2, "monetary": 7}
    ]
    assert customer_rfm(lines, "2024-01-08", fees="keep").to_dict("records") == [
        {"customer_id": "c", "recency_days": 7, "frequency": 1, "monetary": 1}
    ]


def test_policies_choose_the_lines():
    lines = lines_of(
        ("1", "2024-01-01", 1, "2.00"),  # line 1
        ("1", "2024-01-01", 1, "2.00"),
        ("1", "2024-01-01", 1, "0.00"),  # no price
        ("1", "2024-01-01", 0, "2.00"),  # no quantity
        ("2", "2024-01-02", -1, "2.00"),  # line 5
        ("3", "2024-01-03", 1, "4.00"),  # a fee, whatever its case
        ("3", "2024-01-03", 1, "10.00"),  # a voucher
        ("A4", "2024-01-04", 1, "9.00"),  # an adjustment
        ("5", "2024-01-05", 1, "7.00"),  # a manual line is no fee
    )
    lines["product_id"] = ["p"] * 5 + [" post", "gift_0001_10", "B2", "m"]

    def kept(**policies):
        return "".join(apply_policies(lines, **policies)["line_id"])

    assert kept() == "159"
    assert kept(duplicate_lines="keep") == "1259"
    assert kept(returns="ignore") == "19"
    assert kept(fees="keep") == "156789"
    with pytest.raises(ValueError, match="fees must be one of"):
        kept(fees="some")


def rfm_frame(frequencies):
    count = len(frequencies)
    return pd.DataFrame(
        {"recency_days": [1] * count, "frequency": frequencies, "monetary": [5] * count}
    )


def test_one_time_buyers_score_1_and_share_it():
    # 72 % with one order, 14 % with two, 14 % with more.
    frequencies = [1] * 72 + [2] * 14 + list(range(3, 17))
    scored = rfm_scores(rfm_frame(frequencies))
    assert list(scored["frequency_score"]) == [1] * 72 + [4] * 14 + [5] * 14
    assert set(scored["recency_score"]) == {5}
    assert set(scored["monetary_score"]) == {1}


def test_ties_share_the_better_recency_score():
    frame = rfm_frame([1] * 100).assign(recency_days=[3] * 70 + list(range(4, 34)))
    assert list(rfm_scores(frame)["recency_score"][:70]) == [5] * 70
    assert rfm_scores(frame)["recency_score"].iloc[-1] == 1


def test_distinct_values_fall_into_five_equal_groups():
    scored = rfm_scores(rfm_frame(list(range(100))))
    assert scored["frequency_score"].value_counts().to_dict() == dict.fromkeys(
        range(1, 6), 20
    )


def test_few_customers_are_not_scored():
    assert rfm_scores(rfm_frame([1] * 49))["frequency_score"].isna().all()
    assert rfm_scores(rfm_frame([1] * 50))["frequency_score"].notna().all()
    alone = rfm_scores(rfm_frame([1]), minimum_customers=1)
    assert alone["recency_score"].iloc[0] == 5


# Random worlds


def test_a_world_is_the_same_for_the_same_seed():
    pd.testing.assert_frame_equal(random_world(7), random_world(7))
    assert list(random_world(7).columns) == LINE_COLUMNS


@pytest.mark.parametrize("seed", range(100))
def test_no_money_is_lost_and_the_past_never_changes(seed):
    world = random_world(seed)
    when = world.set_index("line_id")["ordered_at"]
    pieces = match_returns(world)
    returned_at = pieces["return_line_id"].map(when)
    assert (pieces["sale_line_id"].map(when) <= returned_at).all()

    for as_of in pd.date_range("2024-01-30", "2024-02-09"):
        past = world[world["ordered_at"] < as_of]
        orders, money_back = net_returns(world, as_of)
        spent = sum(past["quantity"] * past["unit_price"])
        assert sum(orders["net"]) - sum(money_back["money_back"]) == spent
        assert all(net >= 0 for net in orders["net"])
        assert all(money >= 0 for money in money_back["money_back"])
        earlier = pieces[returned_at < as_of].itertuples(index=False, name=None)
        assert pieces_of(past) == sorted(earlier)
