"""Lifetime value: published figures, integrals, simulated customers, bad data."""

import math
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from purchase_history import (
    CDNOW_SUMMARY,
    cdnow_days,
    customers_of,
    online_retail_days,
    parameters_of,
    purchase_tuples_of,
    sample_of,
    settings_of,
    value_tuples_of,
)
from scipy.integrate import dblquad, quad
from scipy.optimize import minimize
from scipy.special import betaln, hyp2f1
from scipy.stats import gamma
from shared_data import shared_file

from segmentation import lifetime_value
from segmentation.lifetime_value import (
    GRID_DTYPES,
    PARAMETER_DTYPES,
    VALIDATION_DTYPES,
    PurchaseParameters,
    ValueParameters,
    alive_probability,
    expected_purchases,
    expected_purchases_grid,
    expected_value,
    fit_purchase_models,
    purchase_likelihood,
    purchase_parameters,
    purchase_probability,
    purchases_if_retained,
    validate_value,
    value_likelihood,
    value_parameters,
)

MODELS = ["bg_nbd", "mbg_nbd"]
TIMES = ["span_days", "observed_days"]
NO_PURCHASES = pd.DataFrame(
    columns=[
        *("snapshot_number", "repeat_count", "span_days", "observed_days"),
        "customer_count",
    ]
)
NO_VALUES = pd.DataFrame(
    columns=[
        *("snapshot_number", "purchase_day_count", "purchase_value", "customer_count")
    ]
)


@pytest.fixture(scope="module")
def calibration():
    """The CDNOW sample to 1997-09-30 in weeks, x as the authors counted it.

    They count the days of the eight orders of $0 as purchase days.
    """
    customers = customers_of(cdnow_days(with_free=True), "1997-09-30", values="repeat")
    customers[TIMES] /= 7
    return customers


@pytest.fixture(scope="module")
def summary():
    """The authors' summary of the same, with figures rounded to two decimals."""
    return pd.read_csv(shared_file(CDNOW_SUMMARY)).rename(
        columns={
            "x": "repeat_count",
            "t_x": "span_days",
            "T": "observed_days",
            "zbar": "purchase_value",
        }
    )


def fit(customers, **changes):
    """The parameters of both models, of customers that are all of one snapshot."""
    changes = {"purchase_prior": "none"} | changes
    if "purchase_day_count" not in customers:
        customers = customers.assign(purchase_day_count=customers["repeat_count"])
    return fit_purchase_models(
        purchase_tuples_of(customers),
        value_tuples_of(customers),
        settings_of(**changes),
    )


def figures(fitted, model):
    own = fitted[fitted["model"] == model]
    return own["estimate"].tolist(), own["log_likelihood"].iloc[0]


def statuses(fitted):
    return fitted.groupby("model", sort=False)["status"].first().tolist()


@cache
def made_customers(count, *, model="mbg_nbd", seed=1, observed=400.0):
    """Customers who live as the model tells it, day by day rounded up."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.8, 1 / 60, count)
    chance = rng.beta(0.9, 2.5, count)
    level = rng.gamma(4.0, 1 / 60, count)
    rows = []
    for i in range(count):
        first = int(rng.integers(0, observed))
        window = observed - first
        days, time = [], 0.0
        is_alive = model == "bg_nbd" or rng.random() >= chance[i]
        while is_alive:
            time = np.ceil(time + rng.exponential(1 / rate[i]))
            if time > window:
                break
            days.append(time)
            is_alive = rng.random() >= chance[i]
        n = len(days) + 1
        value = rng.gamma(6.0 * n, 1 / (level[i] * n))
        rows.append((len(days), days[-1] if days else 0.0, window, n, value))
    return pd.DataFrame(
        rows,
        columns=["repeat_count", *TIMES, "purchase_day_count", "purchase_value"],
    )


# ---- published figures -------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "estimates", "log_likelihood"),
    [
        # Fader, Hardie and Lee (2005): .243, 4.414, .793, 2.426; -9582.4. These are
        # the same to more digits, as the tests of CLVTools have them.
        ("bg_nbd", [0.2425945, 4.4136019, 0.7929199, 2.4258881], -9582.429),
        # BTYDplus
        ("mbg_nbd", [0.525, 6.183, 0.891, 1.614], -9582.133),
    ],
)
def test_purchase_models_have_the_published_parameters(
    calibration, model, estimates, log_likelihood
):
    found, likelihood = figures(fit(calibration, purchase_model=model), model)
    assert found == pytest.approx(estimates, rel=1e-3)
    assert likelihood == pytest.approx(log_likelihood, abs=0.01)


def test_gamma_gamma_has_the_published_parameters(calibration):
    # Fader and Hardie (2013), of 946 customers with a repeat purchase; the
    # likelihood as CLVTools has it.
    fitted = fit(calibration)
    found, likelihood = figures(fitted, "gamma_gamma")
    assert found == pytest.approx([6.25, 3.74, 15.44], rel=2e-3)
    assert likelihood == pytest.approx(-4055.918, abs=0.01)
    assert fitted["customer_count"].tolist() == [2357] * 4 + [946] * 3


@pytest.mark.parametrize(
    ("model", "alive", "active", "purchases", "total"),
    [
        ("bg_nbd", 0.726609, 0.554607, 1.226, 1653.42),
        ("mbg_nbd", 0.706126, 0.559919, 1.262671, 1576.74),
    ],
)
def test_customers_have_the_published_expectations(
    summary, model, alive, active, purchases, total
):
    fitted = fit(summary, purchase_model=model)
    parameters = purchase_parameters(fitted, snapshot_number=0)
    customer = (2, 30.43, 38.86)
    close = {"rel": 1e-5}
    assert alive_probability(parameters, *customer) == pytest.approx([alive], **close)
    found = purchase_probability(parameters, *customer, 39)
    assert found == pytest.approx([active], **close)
    found = expected_purchases(parameters, *customer, 39)
    assert found == pytest.approx(
        [purchases], **({"abs": 5e-4} if purchases == 1.226 else close)
    )
    columns = (summary[name] for name in ("repeat_count", *TIMES))
    found = expected_purchases(parameters, *columns, 39).sum()
    assert found == pytest.approx(total, **close)


def test_one_time_customers_have_the_published_expectations(summary):
    fitted = fit(summary, purchase_model="mbg_nbd")
    parameters = purchase_parameters(fitted, snapshot_number=0)
    found = [
        alive_probability(parameters, 0, 0, 38.86)[0],
        purchase_probability(parameters, 0, 0, 38.86, 39)[0],
        expected_purchases(parameters, 0, 0, 38.86, 39)[0],
    ]
    assert found == pytest.approx([0.389716, 0.108796, 0.153954], rel=1e-5)


def test_purchase_values_have_the_published_expectations(summary):
    parameters = value_parameters(fit(summary), snapshot_number=0)
    found = expected_value(parameters, [2, 0], [22.35, np.nan])
    assert found == pytest.approx([24.658616, 35.171002], rel=1e-5)


def test_cdnow_customers_bought_1882_times_in_the_39_weeks_after():
    days = cdnow_days(with_free=True)
    known = set(customers_of(days, "1997-09-30")["customer_id"])
    later = days[days["day"] > "1997-09-30"]
    assert later["customer_id"].isin(known).sum() == 1882


# ---- fitting -----------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_forty_random_starts_find_the_same_maximum(calibration, model):
    columns = calibration[["repeat_count", *TIMES]].to_numpy(dtype=float)
    tuples, weights = np.unique(columns, axis=0, return_counts=True)
    likelihood = purchase_likelihood(*tuples.T, weights.astype(float), model=model)
    found, _ = figures(fit(calibration, purchase_model=model), model)

    def loss(theta):
        value, gradient = likelihood(theta)
        return -value / len(columns), -gradient / len(columns)

    rng = np.random.default_rng(1)
    for start in rng.normal(0, 1, (40, 4)):
        end = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-9})
        assert np.exp(end.x) == pytest.approx(found, rel=1e-6)


@pytest.mark.parametrize("factor", [1 / 7, 86_400.0])
def test_the_unit_of_time_changes_alpha_alone(factor):
    customers = made_customers(800)
    scaled = customers.assign(**{name: customers[name] * factor for name in TIMES})
    for prior in ("weak", "none"):
        one = fit(customers, purchase_prior=prior)
        other = fit(scaled, purchase_prior=prior)
        expected = one["estimate"].to_numpy(copy=True)
        expected[1] *= factor
        assert other["estimate"].tolist() == pytest.approx(expected, rel=1e-7)
        repeats = customers["repeat_count"].sum()
        assert other["log_likelihood"].iloc[0] == pytest.approx(
            one["log_likelihood"].iloc[0] - repeats * np.log(factor)
        )


def test_the_currency_changes_v_alone():
    customers = made_customers(800)
    scaled = customers.assign(purchase_value=customers["purchase_value"] * 0.01)
    for prior in ("weak", "none"):
        one, other = (fit(c, purchase_prior=prior) for c in (customers, scaled))
        expected = one["estimate"].to_numpy(copy=True)
        expected[-1] *= 0.01
        assert other["estimate"].tolist() == pytest.approx(expected, rel=1e-7)


def test_weighted_tuples_are_customers_one_by_one_in_any_order():
    customers = made_customers(300)
    of_tuples = fit(customers)
    purchases = customers.sample(frac=1, random_state=1).assign(
        snapshot_number=0, customer_count=1
    )
    one_by_one = fit_purchase_models(
        purchases, purchases, settings_of(purchase_prior="none")
    )
    pd.testing.assert_frame_equal(of_tuples, one_by_one)
    assert one_by_one.dtypes.astype(str).to_dict() == PARAMETER_DTYPES


def test_every_snapshot_is_fitted_for_itself():
    one, other = made_customers(300, seed=1), made_customers(300, seed=2)
    both = pd.concat([one.assign(snapshot_number=3), other.assign(snapshot_number=0)])
    fitted = fit_purchase_models(
        purchase_tuples_of(both), value_tuples_of(both), settings_of()
    )
    for number, customers in ((3, one), (0, other)):
        own = fitted[fitted["snapshot_number"] == number]
        alone = fit(customers, purchase_prior="weak")
        assert own["estimate"].tolist() == alone["estimate"].tolist()


@pytest.mark.parametrize("model", MODELS)
def test_the_purchase_likelihood_is_the_mean_over_customers_of_the_story(model):
    theta = np.log([0.7, 5.0, 1.3, 2.2])
    r, alpha, a, b = np.exp(theta)
    for x, t_x, observed in ((0, 0.0, 4.0), (2, 3.0, 4.0)):

        def one(chance, rate, x=x, t_x=t_x, observed=observed):
            kept = (1 - chance) ** (x + (model == "mbg_nbd"))
            alive = kept * np.exp(-rate * observed)
            gone = 0.0
            if x or model == "mbg_nbd":
                gone = kept / (1 - chance) * chance * np.exp(-rate * t_x)
            density = rate ** (r - 1) * np.exp(-alpha * rate) * alpha**r / math.gamma(r)
            density *= (
                chance ** (a - 1) * (1 - chance) ** (b - 1) / math.exp(betaln(a, b))
            )
            return rate**x * (alive + gone) * density

        mean, _ = dblquad(one, 0, 8, 0, 1, epsabs=1e-7, epsrel=1e-7)
        likelihood = purchase_likelihood(
            *(np.array([float(value)]) for value in (x, t_x, observed, 1)), model=model
        )
        assert likelihood(theta)[0] == pytest.approx(np.log(mean), abs=1e-5)


def test_the_value_likelihood_is_the_mean_over_customers_of_the_story():
    # Each of n values is Gamma(p, nu), their mean Gamma(p n, n nu), and nu Gamma(q, v).
    p, q, v, n, mean = 3.0, 2.5, 8.0, 4, 11.0

    def one(level):
        density = gamma.pdf(mean, p * n, scale=1 / (n * level))
        return density * gamma.pdf(level, q, scale=1 / v)

    expected, _ = quad(one, 0, np.inf)
    likelihood = value_likelihood(np.array([4.0]), np.array([11.0]), np.ones(1))
    assert likelihood(np.log([p, q, v]))[0] == pytest.approx(np.log(expected))


@pytest.mark.parametrize("model", [*MODELS, "gamma_gamma"])
def test_gradients_are_those_of_finite_differences(model):
    customers = made_customers(60)
    weights = np.arange(1.0, 61)
    if model == "gamma_gamma":
        names = ["purchase_day_count", "purchase_value"]
        columns = customers[names].to_numpy(dtype=float).T
        likelihood, theta = value_likelihood(*columns, weights), [1.0, 0.7, 2.0]
    else:
        columns = customers[["repeat_count", *TIMES]].to_numpy(dtype=float).T
        likelihood = purchase_likelihood(*columns, weights, model=model)
        theta = [-0.3, 3.0, 0.2, 0.9]
    _, gradient = likelihood(np.array(theta))
    for i, step in enumerate(1e-5 * np.eye(len(theta))):
        difference = likelihood(theta + step)[0] - likelihood(theta - step)[0]
        assert gradient[i] == pytest.approx(difference / 2e-5, rel=1e-6, abs=1e-5)


@pytest.mark.slow
def test_errors_are_the_spread_of_fits_to_many_draws():
    fits = [
        purchase_parameters(fit(made_customers(1000, seed=seed)), snapshot_number=0)
        for seed in range(30)
    ]
    spread = np.std([np.log([f.r, f.alpha]) for f in fits], axis=0, ddof=1)
    one = fit(made_customers(1000, seed=1)).iloc[:2]
    # Of 30 draws a spread is known to 13 %.
    found = one["standard_error"] / one["estimate"]
    assert found.tolist() == pytest.approx(spread, rel=0.4)
    low, high = np.log(one["lower"]), np.log(one["upper"])
    assert ((high - low) / 2 / 1.959964).tolist() == pytest.approx(found, rel=1e-6)
    assert ((high + low) / 2).tolist() == pytest.approx(np.log(one["estimate"]))


def test_the_planted_parameters_are_within_three_errors():
    fitted = fit(made_customers(4000, seed=5, observed=2000.0))
    planted = [0.8, 60, 0.9, 2.5, 6.0, 4.0, 60]
    away = np.log(fitted["estimate"] / planted)
    assert (np.abs(away) < 3 * fitted["standard_error"] / fitted["estimate"]).all()


# ---- expectations ------------------------------------------------------------------

QUADRATURE = [
    pytest.param(model, a, x, marks=[] if x in (0, 300) else [pytest.mark.slow])
    for model in MODELS
    for a in (0.05, 0.5, 0.999999, 1.0, 1.000001, 4.0)
    for x in (0, 1, 7, 60, 300)
]


def independent_integral(parameters, x, tau):
    """G by an adaptive rule with algebraic weights at both ends."""
    second = parameters.b + x + parameters.chances
    rate = parameters.r + x
    value, _ = quad(
        lambda p: -np.expm1(-rate * np.log1p(p * tau)) / p if p else rate * tau,
        0,
        1,
        weight="alg",
        wvar=(parameters.a - 1, second - 1),
        epsabs=0,
        epsrel=1e-11,
        limit=500,
    )
    return value / np.exp(betaln(parameters.a, second))


@pytest.mark.parametrize(("model", "a", "x"), QUADRATURE)
def test_the_integral_is_the_independent_one_to_nine_digits(model, a, x):
    parameters = PurchaseParameters(model, 0.6, 10.0, a, 1.7)
    tau = np.array([1e-6, 1e-3, 0.1, 1.0, 5.0, 20.0, 75.0])
    expected = [independent_integral(parameters, x, value) for value in tau]
    found = purchases_if_retained(parameters, x, 30.0, tau * 40.0)
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("a", [0.4, 2.3])
def test_the_integral_is_the_closed_form_of_the_paper(model, a):
    r, alpha, b, observed, horizon = 0.6, 10.0, 1.7, 30.0, 50.0
    parameters = PurchaseParameters(model, r, alpha, a, b)
    for x in (0, 3, 20):
        k = x + (model == "mbg_nbd")
        if not k and a < 1:
            continue  # the series of the paper does not converge there
        share = horizon / (alpha + observed + horizon)
        hypergeometric = hyp2f1(r + x, b + k, a + b + k - 1, share)
        power = ((alpha + observed) / (alpha + observed + horizon)) ** (r + x)
        expected = (a + b + k - 1) / (a - 1) * (1 - power * hypergeometric)
        found = purchases_if_retained(parameters, x, observed, horizon)
        assert found == pytest.approx([expected], rel=1e-8)


def test_nobody_buys_within_no_time_and_more_in_more():
    parameters = PurchaseParameters("mbg_nbd", 0.6, 10.0, 1.0, 1.7)
    assert purchases_if_retained(parameters, [0, 5], 30.0, 0.0).tolist() == [0, 0]
    # For short times the rate alone counts: (r + x) tau.
    found = purchases_if_retained(parameters, [0, 5], 30.0, 40e-9)
    assert found == pytest.approx([0.6e-9, 5.6e-9], rel=1e-8)
    growing = purchases_if_retained(parameters, 5, 30.0, np.arange(1.0, 400))
    assert (np.diff(growing) > 0).all()


@pytest.mark.parametrize("model", MODELS)
def test_simulated_customers_do_as_expected(model):
    rng = np.random.default_rng(7)
    parameters = PurchaseParameters(model, 0.9, 20.0, 0.8, 2.0)
    count, observed, horizon = 200_000, 60.0, 90.0
    rate = rng.gamma(parameters.r, 1 / parameters.alpha, count)
    chance = rng.beta(parameters.a, parameters.b, count)
    time, early, last = np.zeros(count), np.zeros(count, int), np.zeros(count)
    late = np.zeros(count, int)
    alive = np.full(count, True)
    if model == "mbg_nbd":
        alive = rng.random(count) >= chance
    alive_then = alive.copy()
    while alive.any():
        rows = np.flatnonzero(alive)
        time[rows] += rng.exponential(1 / rate[rows])
        is_early, is_late = time <= observed, time <= observed + horizon
        alive_then[rows[~is_early[rows]]] = True
        alive[rows[~is_late[rows]]] = False
        rows = rows[is_late[rows]]
        early[rows[is_early[rows]]] += 1
        late[rows[~is_early[rows]]] += 1
        last[rows[is_early[rows]]] = time[rows[is_early[rows]]]
        stays = rng.random(len(rows)) >= chance[rows]
        alive[rows[~stays]] = False
        before = is_early[rows]
        alive_then[rows[before]] = stays[before]
    for x in (0, 1, 3):
        own = early == x
        known = (parameters, early[own], last[own], observed)
        for found, happened in (
            (alive_probability(*known), alive_then[own]),
            (purchase_probability(*known, horizon), late[own] > 0),
            (expected_purchases(*known, horizon), late[own]),
        ):
            error = happened.std() / np.sqrt(own.sum())
            assert found.mean() == pytest.approx(happened.mean(), abs=4 * error + 1e-12)


def test_an_order_value_lies_between_the_own_mean_and_the_populations():
    parameters = ValueParameters(6.0, 4.0, 60.0)
    assert expected_value(parameters, 0, None) == pytest.approx([6 * 60 / 3])
    # By hand: 6 (60 + 2 * 20) / (12 + 3).
    assert expected_value(parameters, 2, 20.0) == pytest.approx([40])
    # Paid back means nothing was spent: 6 * 60 / (18 + 3).
    paid_back = expected_value(parameters, [3, 3], [-5.0, 0.0])
    assert paid_back == pytest.approx([360 / 21] * 2)


# ---- the grid ----------------------------------------------------------------------


PLAIN = PurchaseParameters("mbg_nbd", 0.6, 40.0, 1.2, 1.7)
PAIRS = pd.DataFrame({"repeat_count": [3, 0, 3, 3], "observed_days": [200, 0, 90, 200]})


def test_the_grid_discounts_every_month_and_a_shorter_last_one():
    found = expected_purchases_grid(
        PAIRS, parameters_of(PLAIN), settings_of(value_horizon_days=70)
    )
    assert found.dtypes.astype(str).to_dict() == GRID_DTYPES
    assert found[["repeat_count", "observed_days"]].to_numpy().tolist() == [
        [0, 0],
        [3, 90],
        [3, 200],
    ]
    for row in found.itertuples():
        until = [
            independent_integral(PLAIN, row.repeat_count, t / (40 + row.observed_days))
            for t in (30.4375, 60.875, 70)
        ]
        assert row.purchases_if_retained == pytest.approx(until[2], rel=1e-8)
        expected = (
            until[0] / 1.1 ** (1 / 12)
            + (until[1] - until[0]) / 1.1 ** (2 / 12)
            + (until[2] - until[1]) / 1.1 ** (3 / 12)
        )
        found_sum = row.discounted_purchases_if_retained
        assert found_sum == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("days", [20, 365, 730.5])
def test_without_discounting_both_figures_of_the_grid_are_one(days):
    found = expected_purchases_grid(
        PAIRS,
        parameters_of(PLAIN),
        settings_of(value_horizon_days=days, annual_discount_rate=0.0),
    )
    assert found["discounted_purchases_if_retained"].tolist() == pytest.approx(
        found["purchases_if_retained"].tolist(), rel=1e-8
    )


def test_without_a_purchase_model_the_grid_has_no_figures():
    fitted = fit_purchase_models(NO_PURCHASES, NO_VALUES, settings_of())
    found = expected_purchases_grid(PAIRS, fitted, settings_of())
    assert len(found) == 3
    assert found.iloc[:, 2:].isna().all(axis=None)
    empty = expected_purchases_grid(PAIRS.iloc[:0], fitted, settings_of())
    assert empty.dtypes.astype(str).to_dict() == GRID_DTYPES


def test_senseless_settings_of_the_grid_are_errors():
    for change, message in (
        ({"value_horizon_days": 0}, "value_horizon_days is 0"),
        ({"annual_discount_rate": -1.0}, "annual_discount_rate is -1"),
    ):
        with pytest.raises(ValueError, match=message):
            expected_purchases_grid(PAIRS, parameters_of(PLAIN), settings_of(**change))


# ---- data that cannot be fitted ----------------------------------------------------


def test_online_retail_is_degenerate_and_the_prior_cures_it():
    customers = customers_of(online_retail_days(), "2011-12-09")
    for model in MODELS:
        bare = fit(customers, purchase_model=model)
        assert statuses(bare) == ["degenerate", "ok"]
        assert bare["estimate"].isna().tolist() == [True] * 4 + [False] * 3
        assert bare["reason"].iloc[0].startswith("the data of 4,338 customers do not")
        cured = fit(customers, purchase_model=model, purchase_prior="weak")
        assert statuses(cured) == ["ok", "ok"]
        parameters = purchase_parameters(cured, snapshot_number=0)
        assert 0.7 < parameters.r < 0.9
        assert parameters.b < 100


def test_customers_who_never_leave_are_degenerate_without_a_prior():
    # All bought on the last day too: the chance to leave runs to 0.
    rng = np.random.default_rng(1)
    customers = pd.DataFrame(
        {
            "repeat_count": 1 + rng.poisson(rng.gamma(2, 5, 300)),
            "span_days": 300,
            "observed_days": 300,
            "purchase_value": np.nan,
        }
    )
    bare = fit(customers)
    assert statuses(bare)[0] == "degenerate"
    assert "the likelihood rises without end" in bare["reason"].iloc[0]
    cured = purchase_parameters(
        fit(customers, purchase_prior="weak"), snapshot_number=0
    )
    assert alive_probability(cured, 10, 300, 300) > 0.99


@pytest.mark.parametrize("count", [20, 50, 100])
def test_few_customers_have_a_status_or_wide_intervals(count):
    for seed in range(8):
        fitted = fit(made_customers(count, seed=seed), purchase_prior="weak")
        if count < 50:
            assert statuses(fitted) == ["insufficient_data"] * 2
            assert fitted["reason"].iloc[0] == "20 customers; 50 are needed"
            continue
        assert statuses(fitted) == ["ok", "ok"]
        assert fitted["reason"].iloc[0] == (
            f"fitted to {count} customers; below 500 the intervals are wide"
        )
        assert np.isfinite(fitted[["estimate", "lower", "upper"]]).all(axis=None)


NO_TIME = dict.fromkeys(TIMES, 0)


@pytest.mark.parametrize("prior", ["weak", "none"])
@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"repeat_count": 0, "span_days": 0}, ["no_repeat_purchases", "ok"]),
        ({"repeat_count": 0} | NO_TIME, ["no_repeat_purchases", "ok"]),
        ({"repeat_count": 1} | NO_TIME, ["no_observed_time", "ok"]),
        ({"purchase_value": 25.0}, ["ok", "no_variance"]),
        ({"purchase_value": 0.0}, ["ok", "insufficient_data"]),
        ({"purchase_value": None}, ["ok", "insufficient_data"]),
    ],
    ids=["single", "today", "no time", "equal", "zero", "null"],
)
def test_what_cannot_be_fitted_has_a_status_and_a_reason(columns, expected, prior):
    fitted = fit(made_customers(600).assign(**columns), purchase_prior=prior)
    assert statuses(fitted) == expected
    bad = fitted[fitted["status"] != "ok"]
    numbers = ["estimate", "standard_error", "lower", "upper", "log_likelihood"]
    assert bad[numbers].isna().all(axis=None)
    assert fitted["reason"].notna().all()


@pytest.mark.parametrize("prior", ["weak", "none"])
def test_values_over_eighty_powers_of_ten_have_no_model(prior):
    customers = made_customers(600).assign(
        purchase_value=np.exp(np.linspace(0, 190, 600))
    )
    fitted = fit(customers, purchase_prior=prior)
    assert statuses(fitted)[1] in ("no_mean", "degenerate")


def test_customers_first_seen_today_do_not_disturb_the_others():
    customers = made_customers(500)
    today = customers.iloc[:50].assign(repeat_count=0, span_days=0, observed_days=0)
    fitted = fit(pd.concat([customers, today]), purchase_prior="weak")
    assert statuses(fitted) == ["ok", "ok"]


def test_values_that_are_not_positive_are_left_out_and_counted():
    customers = made_customers(200)
    dirty = customers.copy()
    dirty.loc[:9, "purchase_value"] = [-5.0, 0.0] * 5
    dirty.loc[10, "purchase_value"] = np.nan
    fitted = fit(dirty, purchase_prior="weak")
    own = fitted[fitted["model"] == "gamma_gamma"]
    alone = fit(customers.iloc[11:], purchase_prior="weak")
    expected = alone.loc[alone["model"] == "gamma_gamma", "estimate"]
    assert own["estimate"].tolist() == expected.tolist()
    assert own["customer_count"].tolist() == [189] * 3
    assert (
        own["reason"]
        .iloc[0]
        .endswith(
            "; 11 of 200 are left out, because they have no positive purchase value"
        )
    )


def test_a_heavy_tail_has_no_mean():
    rng = np.random.default_rng(1)
    level = rng.gamma(0.7, 1.0, 3000)  # q = .7
    value = rng.gamma(3.0 * 2, 1 / (level * 2))
    customers = made_customers(3000).assign(purchase_day_count=2, purchase_value=value)
    fitted = fit(customers, purchase_prior="weak")
    assert statuses(fitted) == ["ok", "no_mean"]
    assert "q = 0." in fitted["reason"].iloc[-1]


def test_a_search_that_ends_on_a_slope_gives_no_figures(monkeypatch):
    monkeypatch.setattr(
        lifetime_value,
        "_newton",
        lambda loss, theta: (theta + 0.1, lifetime_value._curvature(loss, theta)),
    )
    fitted = fit(made_customers(600), purchase_prior="weak")
    assert statuses(fitted) == ["not_converged"] * 2
    assert fitted["estimate"].isna().all()


def test_without_any_tuples_snapshot_0_says_so():
    fitted = fit_purchase_models(NO_PURCHASES, NO_VALUES, settings_of())
    assert fitted["snapshot_number"].tolist() == [0] * 7
    assert statuses(fitted) == ["insufficient_data"] * 2
    assert fitted.dtypes.astype(str).to_dict() == PARAMETER_DTYPES


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"span_days": 500.0}, "impossible tuple: .*span_days 500"),
        ({"repeat_count": -1}, "impossible tuple: repeat_count -1"),
        ({"observed_days": np.nan}, "impossible tuple"),
        ({"customer_count": 0}, "customer_count below 1"),
    ],
)
def test_impossible_tuples_are_errors(change, message):
    tuples = purchase_tuples_of(made_customers(60)).assign(**change)
    with pytest.raises(ValueError, match=message):
        fit_purchase_models(tuples, NO_VALUES, settings_of())


def test_a_missing_column_and_an_unknown_setting_are_named():
    with pytest.raises(
        ValueError, match="purchase_tuples lacks the column 'span_days'"
    ):
        fit_purchase_models(
            NO_PURCHASES.drop(columns="span_days"), NO_VALUES, settings_of()
        )
    for name in ("purchase_model", "purchase_prior"):
        with pytest.raises(ValueError, match=f"{name} is 'pareto'; use "):
            fit_purchase_models(
                NO_PURCHASES, NO_VALUES, settings_of(**{name: "pareto"})
            )


purchase_rows = st.lists(
    st.tuples(
        st.integers(0, 400),
        st.integers(0, 900),
        st.integers(0, 900),
        st.integers(1, 90),
    ),
    max_size=8,
)
value_rows = st.lists(
    st.tuples(
        st.integers(1, 300),
        st.one_of(st.floats(0.01, 1e6), st.just(-3.0), st.just(0.0)),
        st.integers(1, 90),
    ),
    max_size=8,
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(purchase_rows, value_rows, st.sampled_from(MODELS), st.booleans())
def test_any_tuples_have_finite_figures_or_a_status(rows, values, model, has_prior):
    purchases = pd.DataFrame(
        [
            (0, x, min(s, t), max(s, t), n) if x else (0, 0, 0, t, n)
            for x, s, t, n in rows
        ],
        columns=NO_PURCHASES.columns,
    )
    own = pd.DataFrame([(0, *row) for row in values], columns=NO_VALUES.columns)
    chosen = settings_of(
        purchase_model=model, purchase_prior="weak" if has_prior else "none"
    )
    fitted = fit_purchase_models(purchases, own, chosen)
    is_ok = fitted["status"] == "ok"
    numbers = fitted[["estimate", "standard_error", "lower", "upper", "log_likelihood"]]
    assert np.isfinite(numbers[is_ok]).all(axis=None)
    assert numbers[~is_ok].isna().all(axis=None)
    assert fitted["reason"].notna().all()
    pairs = purchases[["repeat_count", "observed_days"]]
    grid = expected_purchases_grid(pairs, fitted, chosen)
    if is_ok.iloc[0]:
        assert np.isfinite(grid.iloc[:, 2:].to_numpy(dtype=float)).all()


# ---- validation --------------------------------------------------------------------


@pytest.fixture(scope="module")
def validated():
    """The CDNOW sample at 1998-06-30, snapshot 1 being 90 days before."""
    sample = sample_of(cdnow_days(), "1998-06-30", snapshots=2)
    fitted = fit_purchase_models(
        purchase_tuples_of(sample), value_tuples_of(sample), settings_of()
    )
    return sample, fitted, validate_value(sample, fitted, settings_of())


def cell(found, model, measure, column="estimate"):
    own = found[(found["model"] == model) & (found["measure"] == measure)]
    return own[column].iloc[0]


def test_cdnow_expected_value_foretells_spend_better_than_the_past(validated):
    _, _, found = validated
    assert found.dtypes.astype(str).to_dict() == VALIDATION_DTYPES
    assert set(found["status"]) == {"ok"}
    gini = [
        cell(found, model, "normalised_gini")
        for model in ("expected_value", "past_spend_rate", "past_spend")
    ]
    assert gini[0] > max(gini[1:]) + 0.03
    assert cell(found, "expected_value", "grade", "verdict").startswith("A: the model")
    ratio = found[found["measure"] == "total_ratio"]
    assert ratio["estimate"].tolist() == pytest.approx(
        (ratio["predicted"] / ratio["actual"]).tolist()
    )


def test_deciles_are_means_of_all_customers(validated):
    sample, _, found = validated
    later = sample.loc[sample["snapshot_number"] == 1, "later_value"]
    for model, own in found[found["measure"] == "decile"].groupby("model"):
        assert own["bin"].is_monotonic_increasing
        assert own["customer_count"].sum() == len(later)
        total = (own["actual"] * own["customer_count"]).sum()
        assert total == pytest.approx(later.sum())
        assert own["predicted"].is_monotonic_increasing, model


def test_validation_does_not_depend_on_row_order_or_on_other_snapshots(validated):
    sample, fitted, found = validated
    other = sample.sample(frac=1, random_state=1)
    other.loc[other["snapshot_number"] == 0, "monetary"] = 0.0
    again = validate_value(other, fitted.sample(frac=1, random_state=2), settings_of())
    pd.testing.assert_frame_equal(found, again)


def hand_made(later, *, monetary=None, purchases=None):
    """Sixty customers whose expected spend rises with their number."""
    count = len(later)
    frame = pd.DataFrame(
        {
            "snapshot_number": 1,
            "customer_id": [f"c{i:03d}" for i in range(count)],
            "repeat_count": 0,
            "span_days": 0,
            "observed_days": 100,
            "purchase_day_count": 1,
            "purchase_value": np.arange(1.0, count + 1),
            "monetary": np.ones(count) if monetary is None else monetary,
            "later_purchase_count": 1 if purchases is None else purchases,
            "later_value": later,
        }
    )
    parameters = pd.concat(
        [parameters_of(PLAIN, 1), parameters_of(ValueParameters(6.0, 4.0, 60.0), 1)]
    )
    return frame, parameters


def test_a_perfect_order_has_a_gini_of_one_and_an_uninformed_one_of_zero():
    found = validate_value(*hand_made(np.arange(60.0) ** 2), settings_of())
    assert cell(found, "expected_value", "normalised_gini") == pytest.approx(1)
    assert cell(found, "expected_value", "top_fifth_found") == pytest.approx(1)
    assert cell(found, "past_spend", "normalised_gini") == pytest.approx(0, abs=1e-12)
    # Sixty tied customers share the twelve places.
    assert cell(found, "past_spend", "top_fifth_found") == pytest.approx(0.2)
    assert cell(found, "expected_value", "grade") == pytest.approx(4)
    found = validate_value(*hand_made(np.arange(60.0)[::-1]), settings_of())
    assert cell(found, "expected_value", "normalised_gini") == pytest.approx(-1)
    verdict = cell(found, "expected_value", "grade", "verdict")
    assert verdict.startswith("C: the model finds 0.0%")


def test_who_spent_nothing_is_in_no_top_fifth():
    later = np.zeros(60)
    later[[59, 0]] = 100.0  # two of the twelve places are taken
    found = validate_value(*hand_made(later), settings_of())
    assert cell(found, "expected_value", "top_fifth_found") == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("gain", "letter"),
    [(0.06, "A"), (0.05, "A"), (0.04, "B"), (0.0, "B"), (-0.01, "C")],
)
def test_the_grade_is_by_the_gain_over_the_better_baseline(gain, letter):
    # Two hundred of a thousand customers spend. The model, whose order is that of
    # their number, finds so many of them; the past finds a hundred.
    hits = round(100 * (1 + gain))
    later = np.zeros(1000)
    later[800 : 800 + hits] = later[: 200 - hits] = 1.0
    wanted = np.zeros(1000)
    wanted[np.flatnonzero(later == 1)[:100]] = 1.0
    wanted[np.flatnonzero(later == 0)[:100]] = 1.0
    found = validate_value(*hand_made(later, monetary=wanted), settings_of())
    assert cell(found, "past_spend", "top_fifth_found") == pytest.approx(0.5)
    assert cell(found, "expected_value", "grade") == pytest.approx(gain, abs=1e-9)
    assert cell(found, "expected_value", "grade", "verdict").startswith(f"{letter}: ")


def test_ratios_are_predicted_to_actual_totals():
    later = np.full(60, 10.0)
    frame, parameters = hand_made(later, monetary=np.full(60, 20.0), purchases=2)
    found = validate_value(frame, parameters, settings_of())
    # 20 in 100 days are 18 in 90; 10 came.
    assert cell(found, "past_spend_rate", "total_ratio") == pytest.approx(1.8)
    verdict = cell(found, "past_spend_rate", "total_ratio", "verdict")
    assert verdict == (
        "past spend per day predicts 80% more than was spent in the 90 days after: "
        "1,080 for 600"
    )
    own = expected_purchases(PLAIN, 0, 0, 100, 90)[0]
    assert cell(found, "expected_value", "purchase_ratio") == pytest.approx(own / 2)


def test_what_cannot_be_validated_says_why():
    frame, parameters = hand_made(np.arange(60.0))
    degenerate = parameters.assign(status="degenerate", reason="it runs away")
    for sample, fitted, changes, status, reason in (
        (frame, parameters, {"churn_horizon_days": None}, "not_validated", "no churn"),
        (frame.assign(snapshot_number=0), parameters, {}, "not_validated", "too short"),
        (frame.iloc[:49], parameters, {}, "insufficient_data", "49 customers 90 days"),
        (frame, degenerate, {}, "degenerate", "mbg_nbd at snapshot 1: it runs away"),
        (frame, parameters.iloc[:0], {}, "not_validated", "no model was fitted"),
        (frame.assign(later_value=0.0), parameters, {}, "no_later_spend", "spent any"),
    ):
        found = validate_value(sample, fitted, settings_of(**changes))
        assert found.dtypes.astype(str).to_dict() == VALIDATION_DTYPES
        assert set(found["status"]) == {status}
        assert found["verdict"].str.contains(reason).all()
        assert found[["estimate", "lower", "upper", "predicted"]].isna().all(axis=None)
        assert len(found) == 13 == len(found[["model", "measure"]].drop_duplicates())
