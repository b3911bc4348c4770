"""Online Retail, by the published figures and by the independent computation."""

from decimal import Decimal

import pandas as pd
import pytest
from conftest import ONLINE_RETAIL
from independent import customer_rfm, read_online_retail, rfm_scores
from shared_data import shared_file
from test_build_demo import assert_marts_reconcile

RFM = "dev_intermediate.int_customer_rfm"


@pytest.fixture(scope="module")
def oracle():
    """Recency, frequency and monetary value under the project's defaults."""
    return customer_rfm(read_online_retail(shared_file(ONLINE_RETAIL)), "2011-12-10")


# ---- the literature's figures ------------------------------------------------------


def test_customers_orders_and_revenue_without_netting(returns_ignored):
    customers, orders, revenue = returns_ignored.rows(
        f"select count(*), sum(frequency), sum(monetary) from {RFM} where frequency > 0"
    )[0]
    assert (customers, orders, revenue) == (4338, 18532, Decimal("8911407.904"))


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("recency_days", (1, 51, 93.0595, 374)),
        ("frequency", (1, 2, 4.2720, 209)),
        ("monetary", (3.75, 674.485, 2054.2665, 280206.02)),
    ],
)
def test_distribution_of_each_metric_without_netting(returns_ignored, metric, expected):
    found = returns_ignored.rows(
        f"select min({metric}), median({metric}::double), avg({metric}::double), "
        f"max({metric}) from {RFM} where frequency > 0"
    )[0]
    assert [float(value) for value in found] == pytest.approx(expected, abs=5e-5)


@pytest.mark.slow
def test_clusterings_have_the_published_inertia_and_silhouettes(clustered_as_published):
    candidates = clustered_as_published.frame(
        "select cluster_count, inertia, silhouette "
        "from dev_intermediate.ml_segmentation_candidates "
        "where segmentation = 'value' and algorithm = 'kmeans' "
        "order by cluster_count"
    )
    assert candidates["cluster_count"].tolist() == list(range(2, 11))
    four = candidates.iloc[2]
    assert four["inertia"] == pytest.approx(3924.75, rel=1e-3)
    assert four["silhouette"] == pytest.approx(0.3322, abs=1e-3)
    assert candidates["silhouette"].tolist() == pytest.approx(
        [0.4327, 0.3374, 0.3322, 0.3185, 0.3154, 0.3102, 0.3020, 0.2820, 0.2772],
        abs=0.01,
    )
    inertias = candidates["inertia"].tolist()
    assert inertias == sorted(inertias, reverse=True)


# ---- returns netted: the figures of the reference ----------------------------------


def netting(finished):
    orders = finished.rows(
        "select count(distinct customer_id), count(*), sum(gross_amount), "
        "count(distinct customer_id) filter (net_amount > 0), "
        "count(*) filter (net_amount > 0), sum(net_amount) "
        "from dev_intermediate.int_orders where customer_id is not null"
    )[0]
    back = finished.one(
        "select sum(money_back_amount) from dev_intermediate.int_money_back "
        "where customer_id is not null"
    )
    customers, revenue = finished.rows(
        f"select count(*) filter (frequency > 0), sum(monetary) from {RFM}"
    )[0]
    assert customers == orders[3]
    return (*orders, back, revenue)


def money(*texts):
    return tuple(Decimal(text) for text in texts)


def test_netting_by_the_end_of_the_data(returns_netted):
    assert netting(returns_netted) == (
        4338, 18532, *money("8911407.904"), 4327, 18386,
        *money("8442139.094", "142073.280", "8300065.814"),
    )  # fmt: skip


def test_netting_by_an_earlier_date_knows_nothing_of_later_returns(
    returns_netted_in_july,
):
    assert netting(returns_netted_in_july) == (
        2960, 8802, *money("3993805.651"), 2955, 8730,
        *money("3819872.181", "91370.930", "3728501.251"),
    )  # fmt: skip


# ---- the defaults ------------------------------------------------------------------


def test_the_date_is_the_day_after_the_last_order(online_retail):
    assert online_retail.manifest()["as_of_date"] == "2011-12-10"
    assert online_retail.lines("Published")


def test_every_customer_has_the_figures_of_the_independent_computation(
    online_retail, oracle
):
    found = {
        row[0]: row[1:]
        for row in online_retail.rows(
            "select customer_id, recency_days, frequency, monetary "
            "from dev_marts.dim_customers where frequency > 0"
        )
    }
    columns = ["recency_days", "frequency", "monetary"]
    expected = {
        row[0]: tuple(row[1:])
        for row in oracle[["customer_id", *columns]].itertuples(index=False)
    }
    assert len(expected) > 4300
    assert found == expected


@pytest.mark.parametrize(
    ("customer", "frequency", "monetary"),
    [("16446", 1, "2.90"), ("12346", 0, "0"), ("15098", 2, "649.50")],
)
def test_phantom_big_spenders_are_none(online_retail, customer, frequency, monetary):
    assert online_retail.rows(
        "select frequency, monetary from dev_marts.dim_customers "
        f"where customer_id = '{customer}'"
    ) == [(frequency, Decimal(monetary))]


def test_marts_reconcile_and_no_row_is_lost(online_retail):
    assert_marts_reconcile(online_retail)
    counts = online_retail.rows(
        "select measure, sum(row_count) from dev_marts.rpt_data_quality "
        "where source_table = 'order_lines' and measure <> 'note' group by measure"
    )
    counts = {measure: int(count) for measure, count in counts}
    assert counts["physical"] == 541_909 == counts["used"] + counts["quarantined"]
    assert online_retail.one(
        "select row_count from dev_marts.rpt_data_quality where reason = 'zero_price'"
    ) == 2515  # fmt: skip
    assert online_retail.one("select count(*) from dev_staging.stg_customers") == 4372


@pytest.mark.slow
@pytest.mark.parametrize("as_of", ["2011-02-01", "2011-07-01"])
def test_a_month_has_the_figures_of_the_independent_computation_of_then(
    online_retail, as_of
):
    lines = read_online_retail(shared_file(ONLINE_RETAIL))
    expected = customer_rfm(lines, as_of).set_index("customer_id")
    found = online_retail.frame(
        "select customer_id, recency_days, frequency, monetary "
        "from dev_marts.fct_customer_months "
        f"where month_end_date = date '{as_of}' - 1 and frequency > 0"
    ).set_index("customer_id")
    expected = expected[expected["frequency"] > 0]
    assert set(found.index) == set(expected.index)
    assert len(found) > 1_000
    for metric in ("recency_days", "frequency", "monetary"):
        assert found[metric].to_dict() == expected[metric].to_dict(), metric


def test_scores_are_the_independent_ranks_before_the_horizon(online_retail, oracle):
    scores = ("recency", "frequency", "monetary")
    compared = {
        "recency": "<= cuts.maximum_recency_days",
        "frequency": ">= cuts.minimum_frequency",
        "monetary": ">= cuts.minimum_monetary",
    }
    by_cut_points = online_retail.frame(
        "select customer_id, "
        + ", ".join(
            f"1 + count(*) filter ({'recency_days' if s == 'recency' else s} "
            f"{compared[s]}) as {s}_score"
            for s in scores
        )
        + f" from {RFM} cross join dev_intermediate.int_rfm_cut_points as cuts "
        "where frequency > 0 group by customer_id"
    ).set_index("customer_id")
    expected = rfm_scores(oracle).set_index("customer_id")
    for score in scores:
        name = f"{score}_score"
        pd.testing.assert_series_equal(
            by_cut_points[name].astype(int).sort_index(),
            expected[name].astype(int).sort_index(),
            check_index_type=False,
        )


def test_beyond_the_horizon_recency_scores_at_most_2(online_retail, oracle):
    expected = rfm_scores(oracle).set_index("customer_id")
    horizon = online_retail.one(
        "select churn_horizon_days from dev_intermediate.int_churn_horizon"
    )
    found = online_retail.rows(
        "select customer_id, recency_days, recency_score, frequency_score, "
        "monetary_score from dev_marts.dim_customers where frequency > 0"
    )
    capped = 0
    for customer, days, *scores in found:
        r, f, m = expected.loc[
            customer, ["recency_score", "frequency_score", "monetary_score"]
        ]
        capped += days > horizon and r > 2
        assert scores == [min(r, 2) if days > horizon else r, f, m], customer
    assert 30 < horizon < 374
    assert len(found) == len(expected)


# ---- other forms of the same rows --------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("form", ["from_parquet", "from_shuffled_rows"])
def test_another_form_of_the_same_rows_gives_the_same_figures(
    online_retail, request, form
):
    other = request.getfixturevalue(form)
    for table in ("int_customer_rfm", "int_orders", "int_money_back"):
        sql = f"select * from dev_intermediate.{table} order by all"
        if table == "int_money_back":  # its line ids hash the text of the row
            sql = sql.replace("*", "* exclude (return_line_id)")
        assert other.rows(sql) == online_retail.rows(sql), table
