"""What SQL says of every customer, against the package and against plain arithmetic."""

import numpy as np
import pandas as pd
import pytest

from segmentation import lifetime_value
from segmentation.lifetime_value import purchase_parameters, value_parameters

BUILDS = ["demo", "online_retail"]
HORIZON = 365
MONTH = 30.4375


@pytest.fixture(params=BUILDS)
def finished(request):
    return request.getfixturevalue(request.param)


def table(finished, sql):
    with finished.connection() as connection:
        return connection.execute(sql).df()


def customers_of(finished):
    return table(
        finished,
        "select customers.*, estimates.*, outlook.value_at_risk, margins.margin_rate, "
        "outlook.alive_probability as judged_alive, "
        "outlook.churn_probability, outlook.usual_churn_probability "
        "from dev_intermediate.int_snapshot_customers as customers "
        "inner join dev_intermediate.int_customer_values as estimates "
        "using (customer_id) "
        "inner join dev_intermediate.int_customer_outlook as outlook "
        "using (customer_id) "
        "inner join dev_intermediate.int_customer_margins as margins "
        "using (customer_id) where snapshot_number = 0 order by customer_id",
    )


def fitted(finished):
    models = table(finished, "select * from dev_intermediate.ml_purchase_models")
    horizon = finished.one(
        "select churn_horizon_days from dev_intermediate.int_churn_horizon"
    )
    return (
        purchase_parameters(models, snapshot_number=0),
        value_parameters(models, snapshot_number=0),
        horizon,
    )


def test_probabilities_are_those_of_the_package(finished):
    customers = customers_of(finished)
    purchases, _, horizon = fitted(finished)
    history = [customers[name] for name in ("repeat_count", "span_days")]
    observed = customers["observed_days"]
    alive = lifetime_value.alive_probability(purchases, *history, observed)
    buys = lifetime_value.purchase_probability(purchases, *history, observed, horizon)
    np.testing.assert_allclose(customers["alive_probability"], alive, atol=1e-6)
    np.testing.assert_allclose(customers["purchase_probability"], buys, atol=1e-6)
    # on the day of the last purchase the customer is one for sure, of this rhythm
    x, span = history
    rhythm = 1 - ((purchases.alpha + span) / (purchases.alpha + span + horizon)) ** (
        purchases.r + x
    )
    np.testing.assert_allclose(
        customers["usual_churn_probability"], 1 - rhythm, atol=2e-6
    )


def test_lifetime_value_is_that_of_the_package_month_by_month(finished):
    customers = customers_of(finished)
    purchases, values, _ = fitted(finished)
    x, span, observed = (
        customers[name] for name in ("repeat_count", "span_days", "observed_days")
    )
    net = customers["net_amount"].astype(float)
    kept = np.maximum(customers["monetary"].astype(float), 0) / net
    days = customers["purchase_day_count"]
    spend = lifetime_value.expected_value(values, days, net * kept / days)
    alive = lifetime_value.alive_probability(purchases, x, span, observed)
    ends = [*np.arange(MONTH, HORIZON, MONTH), HORIZON]
    assert len(ends) == 12
    totals = np.array(
        [
            lifetime_value.purchases_if_retained(purchases, x, observed, end)
            for end in ends
        ]
    )
    months = np.diff(totals, axis=0, prepend=0)
    discount = (1 + 0.1) ** (-np.arange(1, len(ends) + 1) / 12)
    worth = spend * customers["margin_rate"]
    expected = alive * (months * discount[:, None]).sum(axis=0) * worth
    found = customers["lifetime_value"].astype(float)
    np.testing.assert_allclose(found, expected, atol=2e-3, rtol=1e-6)
    np.testing.assert_allclose(
        customers["expected_purchases"], alive * totals[-1], atol=1e-6
    )
    retained = customers["value_if_retained"].astype(float)
    np.testing.assert_allclose(retained, totals[-1] * worth, atol=2e-3, rtol=1e-6)
    at_risk = customers["value_at_risk"].astype(float)
    np.testing.assert_allclose(
        at_risk, retained * (1 - customers["judged_alive"]), atol=1e-3, rtol=1e-6
    )


def test_churn_is_scored_as_the_chosen_model_says(finished):
    customers = customers_of(finished)
    features = table(
        finished,
        "select * from dev_intermediate.int_churn_features order by customer_id",
    )
    leaves = table(finished, "select * from dev_intermediate.ml_churn_trees")
    coefficients = table(
        finished, "select * from dev_intermediate.ml_churn_coefficients"
    )
    (model,) = {
        name
        for (name,) in finished.rows(
            "select model from dev_intermediate.ml_churn_validation where is_chosen"
        )
    }
    if model == "gradient_boosting":
        log_odds = boosted(features, leaves)
    elif model == "logistic":
        weights = coefficients.set_index("feature")["coefficient"]
        own = weights.drop("intercept")
        log_odds = features[list(own.index)].to_numpy() @ own.to_numpy()
        log_odds += weights["intercept"]
    else:
        pytest.fail(f"{model} is chosen, which SQL does not add up")
    np.testing.assert_allclose(
        customers["churn_probability"], 1 / (1 + np.exp(log_odds)), atol=1e-6
    )


def boosted(features, leaves):
    """Look for the leaf that each customer is in, tree by tree."""
    names = [name.removesuffix("_above") for name in leaves if name.endswith("_above")]
    total = np.zeros(len(features))
    for _, tree in leaves.groupby("tree"):
        within = np.ones((len(features), len(tree)), dtype=bool)
        for name in names:
            above, most = tree[f"{name}_above"], tree[f"{name}_at_most"]
            if above.notna().any():
                column = features[name].to_numpy()[:, None]
                within &= column > above.fillna(-np.inf).to_numpy()
            if most.notna().any():
                column = features[name].to_numpy()[:, None]
                within &= column <= most.fillna(np.inf).to_numpy()
        assert (within.sum(axis=1) == 1).all(), "a customer is in one leaf of a tree"
        total += within @ tree["value"].to_numpy()
    return total


def test_what_follows_from_value_and_risk(finished):
    """Fifths, the core and the list, by sorting all customers."""
    customers = table(
        finished,
        "select * from dev_marts.dim_customers where value_status = 'predicted'",
    )
    value = customers["lifetime_value"].astype(float)
    share = pd.Series(value).rank(pct=True)
    for band, low in ((1, 0.0), (2, 0.2), (3, 0.4), (4, 0.6), (5, 0.8)):
        own = share[customers["lifetime_value_band"] == band]
        assert low - 0.001 <= own.min()
        assert own.max() <= low + 0.2 + 0.001
    largest = value.sort_values(ascending=False)
    needed = (largest.cumsum() < 0.8 * largest.sum()).sum() + 1
    core = customers["is_core_value"].astype(bool)
    assert needed <= core.sum() <= needed + 0.01 * len(customers)
    left = (1 - customers["churn_probability"]) / (
        1 - customers["usual_churn_probability"]
    )
    for band, low, high in (
        ("gone", 0, 0.1), ("high", 0.1, 0.5), ("elevated", 0.5, 0.9), ("low", 0.9, 99),
    ):  # fmt: skip
        own = left[customers["risk_band"] == band]
        assert ((own >= low - 2e-5) & (own < high + 2e-5)).all(), band


def test_few_customers_get_a_status_in_place_of_a_number(few_customers):
    statuses = few_customers.rows(
        "select distinct value_status, churn_status, lifetime_value, "
        "churn_probability, risk_band from marts.dim_customers"
    )
    assert statuses == [("insufficient_data", "insufficient_data", None, None, None)]
    reasons = few_customers.rows(
        "select distinct status, reason from marts.rpt_purchase_models"
    )
    assert {status for status, _ in reasons} == {"insufficient_data"}
    assert all("49" in reason for _, reason in reasons)
