"""Retention against a second, plain computation: loops over orders, no windows.

It starts from the orders and the money back of the build, or from the raw file of
CDNOW, whose customers all began in the first quarter of 1997.
"""

import gzip
import math
from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

import pytest
from shared_data import shared_file

Z = 1.959963984540054
BUILDS = ["demo", "online_retail", "cdnow"]
WITH_SEGMENTS = ["demo", "online_retail"]


class Shop(NamedTuple):
    """What happened, by customer, and the first day that was not observed."""

    days: dict[str, list[date]]  # of purchases, each once, in order
    purchases: list[tuple[str, date]]
    movements: list[tuple[str, date, Decimal]]  # of money, in and out
    first_order: date
    as_of: date


def shop_of(purchases, movements, first_order, as_of):
    days = defaultdict(set)
    for customer, day in purchases:
        days[customer].add(day)
    ordered = {customer: sorted(found) for customer, found in days.items()}
    return Shop(ordered, purchases, movements, first_order, as_of)


def shop_of_build(finished):
    orders = finished.rows(
        "select customer_id, order_date, net_amount from dev_intermediate.int_orders"
    )
    back = finished.rows(
        "select customer_id, returned_on, -money_back_amount "
        "from dev_intermediate.int_money_back"
    )
    return shop_of(
        [(who, day) for who, day, net in orders if who and net > 0],
        [row for row in orders + back if row[0]],
        min(day for _, day, _ in orders),
        date.fromisoformat(finished.manifest()["as_of_date"]),
    )


def read_cdnow():
    """Id, another id, day, CDs and dollars: a purchase a row; some cost nothing."""
    path = shared_file("cdnow_sample/CDNOW_sample.txt.gz")
    with gzip.open(path, "rt", encoding="ascii") as stream:
        rows = [line.split() for line in stream if line.strip()]
    return [
        (who, date(int(day[:4]), int(day[4:6]), int(day[6:])), Decimal(dollars))
        for who, _, day, _, dollars in rows
    ]


@pytest.fixture(scope="module")
def cdnow_shop():
    rows = [row for row in read_cdnow() if row[2]]
    return shop_of([row[:2] for row in rows], rows, date(1997, 1, 1), date(1998, 7, 1))


@pytest.fixture(params=BUILDS)
def both(request):
    finished = request.getfixturevalue(request.param)
    if request.param == "cdnow":
        return finished, request.getfixturevalue("cdnow_shop")
    return finished, shop_of_build(finished)


def rounded(value, digits=4):
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


# ---- cohorts -----------------------------------------------------------------------


def month_of(day):
    return day.year * 12 + day.month - 1


def cohorts_by_loops(shop):
    cohort = {who: month_of(days[0]) for who, days in shop.days.items()}
    active = {(who, month_of(day)) for who, day in shop.purchases}
    sizes, buyers = Counter(cohort.values()), Counter()
    for who, month in active:
        buyers[cohort[who], month] += 1
    revenue = defaultdict(Decimal)
    for who, day, amount in shop.movements:
        if who in cohort and month_of(day) >= cohort[who]:
            revenue[cohort[who], month_of(day)] += amount
    rows = []
    for first in sorted(sizes):
        total, size = Decimal(0), sizes[first]
        for month in range(first, month_of(shop.as_of - timedelta(days=1)) + 1):
            total += revenue[first, month]
            rows.append(
                (
                    date(first // 12, first % 12 + 1, 1), month - first, size,
                    buyers[first, month], revenue[first, month], total,
                    rounded(total / size), month < month_of(shop.as_of),
                )
            )  # fmt: skip
    return rows


def test_cohorts_are_those_of_plain_loops(both):
    finished, shop = both
    expected = cohorts_by_loops(shop)
    found = finished.rows(
        "select cohort_month, month_number, customer_count, active_customer_count, "
        "revenue, cumulative_revenue, cumulative_revenue_per_customer, is_complete "
        "from dev_marts.rpt_cohort_retention order by cohort_month, month_number"
    )
    assert len(found) >= 50
    assert found == expected
    rates = finished.rows(
        "select retention_rate from dev_marts.rpt_cohort_retention "
        "order by cohort_month, month_number"
    )
    for (rate,), row in zip(rates, expected, strict=True):
        assert rate == pytest.approx(row[3] / row[2], abs=5.1e-7)


def test_cdnow_has_three_cohorts_of_one_quarter(cdnow):
    cohorts = cdnow.rows(
        "select cohort_month, max(customer_count), max(month_number), "
        "bool_and(is_complete) from dev_marts.rpt_cohort_retention "
        "group by cohort_month order by cohort_month"
    )
    assert [(row[0].month, *row[2:]) for row in cohorts] == [
        (1, 17, True), (2, 16, True), (3, 15, True),
    ]  # fmt: skip
    bought = {who for who, _, dollars in read_cdnow() if dollars}
    assert sum(row[1] for row in cohorts) == len(bought)


# ---- the second purchase -----------------------------------------------------------


def groups_of(finished, shop):
    """Group -> its customers with a purchase, for 'all' and what is known of them."""
    groups = {("all", "all"): set(shop.days)}
    records = {
        row[0]: row[1:]
        for row in finished.rows(
            "select customer_id, acquisition_channel, country "
            "from dev_staging.stg_customers"
        )
    }
    for position, kind in enumerate(["acquisition_channel", "country"]):
        names = {who: records.get(who, (None, None))[position] for who in shop.days}
        if any(names.values()):
            for who, name in names.items():
                groups.setdefault((kind, name or "unknown"), set()).add(who)
    return groups


def kaplan_meier(shop, members):
    """Day by day, from all members down: who is at risk, who buys, and S."""
    waits = []
    for who in members:
        days = shop.days[who]
        last = days[1] if len(days) > 1 else shop.as_of - timedelta(days=1)
        waits.append(((last - days[0]).days, len(days) > 1))
    survival, variance = 1.0, 0.0
    rows = [(0, len(waits), 0, 0.0, 0.0, 0.0)]
    for day in sorted({wait for wait, bought in waits if bought}):
        n = sum(wait >= day for wait, _ in waits)
        d = sum(wait == day and bought for wait, bought in waits)
        survival *= (n - d) / n
        if d == n:
            rows.append((day, n, d, 1.0, None, None))
            break
        variance += d / (n * (n - d))
        width = Z * math.sqrt(variance) / math.log(survival)
        low, high = (survival ** math.exp(side * width) for side in (-1, 1))
        rows.append((day, n, d, 1 - survival, 1 - high, 1 - low))
    median = next((row[0] for row in rows if row[3] >= 0.5 - 1e-9), None)
    return rows, median


def test_second_purchases_are_those_of_plain_loops(both):
    finished, shop = both
    groups = groups_of(finished, shop)
    found = defaultdict(list)
    for kind, name, *row in finished.rows(
        "select group_kind, group_name, day, at_risk_count, event_count, "
        "share_with_second_purchase, lower, upper, median_days, status "
        "from dev_marts.rpt_second_purchase order by group_kind, group_name, day"
    ):
        found[kind, name].append(row)
    assert set(found) == set(groups)
    for group, members in groups.items():
        if len(members) < 50:
            none = [None] * 4
            expected = [0, len(members), 0, *none, "insufficient_data"]
            assert found[group] == [expected], group
            continue
        curve, median = kaplan_meier(shop, members)
        assert [row[:3] for row in found[group]] == [list(row[:3]) for row in curve]
        for row, wanted in zip(found[group], curve, strict=True):
            assert row[3] == pytest.approx(wanted[3], abs=6e-7), group
            finite = wanted[4] is not None
            limits = pytest.approx(wanted[4:], abs=6e-7) if finite else (None, None)
            assert tuple(row[4:6]) == limits, group
            assert row[6:] == [median, "ok"], group


# ---- who stayed --------------------------------------------------------------------


def wilson(x, n):
    middle, spread = x / n + Z * Z / (2 * n), Z * Z / (4 * n * n)
    half = Z * math.sqrt(x / n * (1 - x / n) / n + spread)
    return (middle - half) / (1 + Z * Z / n), (middle + half) / (1 + Z * Z / n)


def counts_by_loops(shop, members, horizon):
    def bought(who, first, last):
        return any(first <= (shop.as_of - day).days <= last for day in shop.days[who])

    before = [who for who in members if bought(who, horizon + 1, 2 * horizon)]
    return (
        len(members),
        sum(len(shop.days[who]) > 1 for who in members),
        len(before),
        sum(bought(who, 1, horizon) for who in before),
    )


@pytest.mark.parametrize("name", WITH_SEGMENTS)
def test_retention_is_that_of_plain_loops(request, name):
    finished = request.getfixturevalue(name)
    shop = shop_of_build(finished)
    horizon = finished.one(
        "select churn_horizon_days from dev_intermediate.int_churn_horizon"
    )
    assert (shop.as_of - shop.first_order).days >= 2 * horizon
    groups = groups_of(finished, shop)
    for who, segment in finished.rows(
        "select customer_id, segment_id from dev_marts.fct_customer_segments"
    ):
        if who in shop.days:
            groups.setdefault(("segment", segment), set()).add(who)
    found = finished.rows(
        "select group_kind, group_id, customer_count, repeat_customer_count, "
        "active_before_count, retained_count, repeat_rate, retention_rate, churn_rate, "
        "retention_rate_lower, retention_rate_upper, horizon_days, status "
        "from dev_marts.rpt_retention"
    )
    assert {row[:2] for row in found} == set(groups)
    for row in found:
        counts = counts_by_loops(shop, groups[row[:2]], horizon)
        size, repeated, before, retained = counts
        assert row[2:6] == counts, row[:2]
        assert row[6] == pytest.approx(repeated / size, abs=6e-7)
        assert row[11] == horizon
        if before < 30:
            assert row[7:11] == (None,) * 4
            assert row[12] == "insufficient_data"
            continue
        expected = (retained / before, 1 - retained / before, *wilson(retained, before))
        assert row[7:11] == pytest.approx(expected, abs=6e-7)
        assert row[12] == "ok"


def test_segments_are_named_and_of_every_segmentation(demo):
    rows = demo.rows(
        "select segmentation, group_id, group_name from dev_marts.rpt_retention "
        "where group_kind = 'segment'"
    )
    assert {row[0] for row in rows} == {"value", "behaviour", "rfm"}
    names = dict(
        demo.rows("select segment_id, segment_name from dev_marts.dim_segments")
    )
    assert all(names[segment] == name for _, segment, name in rows)


def test_few_customers_get_a_status_and_no_figures(few_customers):
    assert few_customers.rows(
        "select day, at_risk_count, event_count, share_with_second_purchase, lower, "
        "upper, median_days, status from marts.rpt_second_purchase"
    ) == [(0, 49, 0, None, None, None, None, "insufficient_data")]
    kinds = few_customers.rows("select distinct group_kind from marts.rpt_retention")
    assert set(kinds) == {("all",), ("segment",)}
