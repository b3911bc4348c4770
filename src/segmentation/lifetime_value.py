"""Lifetime value: models of how often customers buy and of what they spend.

A customer buys at a rate of their own and leaves for good after any purchase with a
chance of their own ("buy till you die"). The symbols are the literature's: x repeat
purchase days, t_x the days from the first purchase to the last, T the days from the
first purchase to the last day observed, the one before the snapshot. Rates vary between
customers as Gamma(r, alpha), chances to leave as Beta(a, b). BG/NBD (Fader, Hardie and
Lee 2005) lets nobody leave before the first repeat purchase, MBG/NBD (Batislam, Denizel
and Filiztekin 2007) also after the first purchase. With k = x + m opportunities to
leave, m = 1 for MBG and 0 for BG, both are one formula. The value of a purchase day is
Gamma-Gamma with parameters p, q and v (Fader and Hardie 2013).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import minimize
from scipy.special import digamma, expit, gammaln

from segmentation.clustering import one_thread
from segmentation.frames import require_columns, with_dtypes
from segmentation.ranking import Ranking, deciles, interval, resamples

PARAMETER_DTYPES = {
    "snapshot_number": "Int64",
    "model": "string",
    "parameter": "string",
    "estimate": "float64",
    "standard_error": "float64",
    "lower": "float64",
    "upper": "float64",
    "log_likelihood": "float64",
    "customer_count": "Int64",
    "status": "string",
    "reason": "string",
}
GRID_DTYPES = {
    "repeat_count": "Int64",
    "observed_days": "Int64",
    "purchases_if_retained": "float64",
    "discounted_purchases_if_retained": "float64",
}
VALIDATION_DTYPES = {
    "model": "string",
    "measure": "string",
    "bin": "Int64",
    "estimate": "float64",
    "lower": "float64",
    "upper": "float64",
    "predicted": "float64",
    "actual": "float64",
    "customer_count": "Int64",
    "status": "string",
    "verdict": "string",
}
# How often one has had the chance to leave, beside x.
CHANCES_BEFORE_REPEAT = {"mbg_nbd": 1, "bg_nbd": 0}
PURCHASE_PARAMETERS = ("r", "alpha", "a", "b")
GAMMA_GAMMA = "gamma_gamma"
VALUE_PARAMETERS = ("p", "q", "v")
MINIMUM_CUSTOMERS = 50
FEW_CUSTOMERS = 500
DIGITS = 9
# Time is counted in tenths of the mean T and money in its mean, so that the unit does
# not matter, and these are plain values in any business.
MEAN_SCALED_TIME = 10.0
PURCHASE_CENTRE = np.log([1.0, 3.0, 1.0, 3.0])
VALUE_CENTRE = np.log([2.0, 3.0, 1.0])  # a mean of p v / (q - 1) = 1
PRIOR_SPREAD = 2.0
STARTS = (0.0, -1.5, 1.5)
# Of |ln parameter|, scaled. Where the likelihood rises without end, the optimiser
# stops anywhere and calls it success.
LARGEST_LOG = 7.0
SEARCHED_LOG = 12.0
# Of the error of a logarithm: 95 % within a factor of 360 either way. A flat ridge has
# a maximum too, at an accidental place. The prior alone says more, with its 2.
LARGEST_ERROR = 3.0
SMALL_GRADIENT = 1e-7  # per customer
LIMIT = 1.959963984540054  # of 95 % of a normal distribution
STEP_DAYS = 30.4375  # a twelfth of 365.25 days
FEWEST_NODES, MOST_NODES = 16, 2048
INTEGRAL_TOLERANCE = 1e-10
BLOCK = 1_000_000  # values at a time: 8 MB
TOP_SHARE = 0.2
GRADE_A_GAIN = 0.05
EXPECTED, SPEND_RATE, SPEND = MODELS = (
    "expected_value",
    "past_spend_rate",
    "past_spend",
)
# Which models give an amount that later spend can be held against.
AMOUNTS = (EXPECTED, SPEND_RATE)


@dataclass(frozen=True)
class PurchaseParameters:
    """Parameters of a purchase model; alpha in days."""

    model: str
    r: float
    alpha: float
    a: float
    b: float

    @property
    def chances(self) -> int:
        """Chances to leave before the first repeat purchase, m."""
        return CHANCES_BEFORE_REPEAT[self.model]


@dataclass(frozen=True)
class ValueParameters:
    """Parameters of Gamma-Gamma; v in money."""

    p: float
    q: float
    v: float


# ---- what the parameters say of a customer -----------------------------------------


def alive_probability(
    parameters: PurchaseParameters, repeat_count, span_days, observed_days
) -> np.ndarray:
    """Return the probability that customers have not left, P(alive | x, t_x, T).

    Fader, Hardie and Lee (2008), "Computing P(alive) using the BG/NBD model", and
    its MBG form: 1 / (1 + e^d), and 1 where there was no chance to leave.

    Parameters
    ----------
    parameters
        Of the purchase model.
    repeat_count, span_days, observed_days : array_like of shape (n,)
        x, t_x and T, in the unit of alpha.

    Returns
    -------
    ndarray of shape (n,)

    """
    x, t_x, observed = _arrays(repeat_count, span_days, observed_days)
    had_chance, odds = _log_odds_gone(
        x + parameters.chances,
        parameters.r + x,
        np.log((parameters.alpha + observed) / (parameters.alpha + t_x)),
        parameters.a,
        parameters.b,
    )
    return np.where(had_chance, expit(-odds), 1.0)


def purchase_probability(
    parameters: PurchaseParameters,
    repeat_count,
    span_days,
    observed_days,
    horizon_days: float,
) -> np.ndarray:
    """Return the probability of at least one purchase within the horizon.

    P(alive) [1 - ((alpha + T) / (alpha + T + t))^(r + x)]: the next purchase of who
    is alive comes before they can leave.

    Parameters
    ----------
    parameters
        Of the purchase model.
    repeat_count, span_days, observed_days : array_like of shape (n,)
        x, t_x and T, in the unit of alpha.
    horizon_days
        t, in the same unit.

    Returns
    -------
    ndarray of shape (n,)

    """
    x, t_x, observed = _arrays(repeat_count, span_days, observed_days)
    growth = np.log1p(horizon_days / (parameters.alpha + observed))
    return alive_probability(parameters, x, t_x, observed) * -np.expm1(
        -(parameters.r + x) * growth
    )


def purchases_if_retained(
    parameters: PurchaseParameters, repeat_count, observed_days, horizon_days
) -> np.ndarray:
    """Return the expected purchase days within the horizon of who is alive, G(x, T, t).

    The mean over p from Beta(a, b + k) of [1 - (1 + p tau)^-(r + x)] / p, with
    tau = t / (alpha + T): the closed form of Fader, Hardie and Lee (2005), whose 2F1
    is 0/0 at a = 1, written as the integral it comes from. By Gauss-Jacobi rules of
    16, 32, ... nodes until the relative change is below 1e-10.

    Parameters
    ----------
    parameters
        Of the purchase model.
    repeat_count, observed_days : array_like of shape (n,)
        x and T, in the unit of alpha.
    horizon_days : array_like, scalar or of shape (n,)
        t, in the same unit.

    Returns
    -------
    ndarray of shape (n,)

    """
    x, observed, horizon = _arrays(repeat_count, observed_days, horizon_days)
    tau = horizon / (parameters.alpha + observed)
    found = np.empty(len(x))
    order = np.lexsort([tau, x])
    counts, starts = np.unique(x[order], return_index=True)
    for count, rows in zip(counts, np.split(order, starts[1:]), strict=True):
        distinct, back = np.unique(tau[rows], return_inverse=True)
        found[rows] = _integral(parameters, count, distinct)[back]
    return found


def _integral(parameters, count: float, tau: np.ndarray) -> np.ndarray:
    """Return G for one x, doubling the nodes where it still changes."""
    second = parameters.b + count + parameters.chances
    found = np.full(len(tau), np.inf)
    open_rows = np.arange(len(tau))
    nodes = FEWEST_NODES
    while len(open_rows) and nodes <= MOST_NODES:
        values = _quadrature(parameters, count, second, tau[open_rows], nodes)
        change = np.abs(values - found[open_rows])
        found[open_rows] = values
        open_rows = open_rows[~(change <= INTEGRAL_TOLERANCE * np.abs(values))]
        nodes *= 2
    return found


def _quadrature(parameters, count, second, tau, nodes) -> np.ndarray:
    chances, weights = _beta_nodes(parameters.a, second, nodes)
    parts = []
    for some in np.array_split(tau, len(tau) * nodes // BLOCK + 1):
        powers = -(parameters.r + count) * np.log1p(np.outer(some, chances))
        parts.append(-np.expm1(powers) @ (weights / chances))
    return np.concatenate(parts)


def _beta_nodes(first: float, second: float, count: int):
    """Return nodes and weights of the mean over Beta(first, second), by Gauss's rule.

    Golub and Welsch (1969): the nodes are the eigenvalues of the matrix of the
    recurrence of the Jacobi polynomials, here on (0, 1); the weights are the squares
    of the first entries of its eigenvectors. With the weights a mean, nothing
    overflows however large the parameters are.
    """
    n = np.arange(1, count, dtype=float)
    # The exponents of 1 - p and of p; total + 2 is never 0, total and total + 1 are
    # in the first terms, which are therefore written out.
    above, below = second - 1, first - 1
    total = above + below
    diagonal = np.empty(count)
    diagonal[0] = first / (first + second)
    twice = 2 * n + total
    diagonal[1:] = (1 + (below**2 - above**2) / (twice * (twice + 2))) / 2
    squares = np.empty(count - 1)
    squares[0] = first * second / ((total + 2) ** 2 * (total + 3))
    m, twice = n[1:], twice[1:]
    squares[1:] = (m * (m + above) * (m + below) * (m + total)) / (
        twice**2 * (twice + 1) * (twice - 1)
    )
    nodes, vectors = eigh_tridiagonal(diagonal, np.sqrt(squares))
    # Rounding may put a node of a very narrow distribution on 0.
    return np.clip(nodes, 1e-300, 1.0), vectors[0] ** 2


def expected_purchases(
    parameters: PurchaseParameters,
    repeat_count,
    span_days,
    observed_days,
    horizon_days,
) -> np.ndarray:
    """Return the expected purchase days within the horizon, E[Y(t)] = P(alive) G.

    Parameters
    ----------
    parameters
        Of the purchase model.
    repeat_count, span_days, observed_days : array_like of shape (n,)
        x, t_x and T, in the unit of alpha.
    horizon_days : array_like, scalar or of shape (n,)
        t, in the same unit.

    Returns
    -------
    ndarray of shape (n,)

    """
    alive = alive_probability(parameters, repeat_count, span_days, observed_days)
    return alive * purchases_if_retained(
        parameters, repeat_count, observed_days, horizon_days
    )


def expected_value(
    parameters: ValueParameters, purchase_day_count, purchase_value
) -> np.ndarray:
    """Return the expected value of a purchase day, E[M].

    p (v + n z) / (p n + q - 1), with z the mean value of the n purchase days known
    (Fader and Hardie 2013). Who has none gets the population's mean p v / (q - 1);
    whose purchases were paid back has spent 0.

    Parameters
    ----------
    parameters
        Of Gamma-Gamma, with q > 1.
    purchase_day_count, purchase_value : array_like of shape (n,)
        Number of purchase days and their mean value in money; the value may be null.

    Returns
    -------
    ndarray of shape (n,)
        Money.

    """
    days, value = _arrays(purchase_day_count, purchase_value)
    is_known = (days > 0) & ~np.isnan(value)
    days, value = np.where(is_known, days, 0.0), np.where(value > 0, value, 0.0)
    p, q, v = parameters.p, parameters.q, parameters.v
    return p * (v + days * value) / (p * days + q - 1)


def purchase_parameters(
    parameters: pd.DataFrame, *, snapshot_number: int
) -> PurchaseParameters | None:
    """Return the parameters of the purchase model of a snapshot, or None.

    Parameters
    ----------
    parameters
        As ``fit_purchase_models`` returns them.
    snapshot_number
        Which snapshot.

    Returns
    -------
    PurchaseParameters or None
        None where the snapshot has no model with the status 'ok'.

    """
    own = _own(parameters, snapshot_number)
    own = own[own["model"].isin(list(CHANCES_BEFORE_REPEAT))]
    if not _is_fitted(own):
        return None
    values = own.set_index("parameter")["estimate"]
    return PurchaseParameters(
        str(own["model"].iloc[0]),
        *(float(values[name]) for name in PURCHASE_PARAMETERS),
    )


def value_parameters(
    parameters: pd.DataFrame, *, snapshot_number: int
) -> ValueParameters | None:
    """Return the parameters of Gamma-Gamma of a snapshot, or None.

    Parameters
    ----------
    parameters
        As ``fit_purchase_models`` returns them.
    snapshot_number
        Which snapshot.

    Returns
    -------
    ValueParameters or None
        None where the snapshot has no model with the status 'ok'.

    """
    own = _own(parameters, snapshot_number)
    own = own[own["model"] == GAMMA_GAMMA]
    if not _is_fitted(own):
        return None
    values = own.set_index("parameter")["estimate"]
    return ValueParameters(*(float(values[name]) for name in VALUE_PARAMETERS))


def _own(parameters, snapshot_number) -> pd.DataFrame:
    require_columns(parameters, list(PARAMETER_DTYPES), name="parameters")
    return parameters[parameters["snapshot_number"] == snapshot_number]


def _is_fitted(own) -> bool:
    return len(own) > 0 and bool((own["status"] == "ok").all())


def _arrays(*columns) -> list[np.ndarray]:
    """Return the columns as arrays of one length; nulls become NaN."""
    arrays = [
        column.to_numpy(dtype=float, na_value=np.nan)
        if isinstance(column, pd.Series)
        else np.asarray(column, dtype=float)
        for column in columns
    ]
    return [np.atleast_1d(array) for array in np.broadcast_arrays(*arrays)]


def _log_odds_gone(k, rate_shape, growth, a, b):
    """Return where there was a chance to leave, and d: the log odds of having left.

    d = ln a - ln(b + k - 1) + (r + x) [ln(alpha + T) - ln(alpha + t_x)], 0 where
    there was none: b + k - 1 may be negative there.
    """
    had_chance = k > 0
    shifted = np.where(had_chance, b + k - 1, 1.0)
    odds = np.log(a) - np.log(shifted) + rate_shape * growth
    return had_chance, np.where(had_chance, odds, 0.0)


# ---- fitting -----------------------------------------------------------------------


class _CannotFitError(Exception):
    """Why there are no parameters."""

    def __init__(self, status: str, reason: str):
        super().__init__(reason)
        self.status = status


def fit_purchase_models(
    purchase_tuples: pd.DataFrame, value_tuples: pd.DataFrame, settings: pd.DataFrame
) -> pd.DataFrame:
    """Return the parameters of the purchase model and of Gamma-Gamma, per snapshot.

    Maximum likelihood over the logarithms of the parameters, with the analytic
    gradient, from three fixed starts and ended by Newton's steps. With
    purchase_prior 'weak', each logarithm also has a normal prior of spread 2, so wide
    that 500 customers outweigh it; it keeps the fit finite where the likelihood alone
    rises without end, as where nearly nobody seems to leave.

    Parameters
    ----------
    purchase_tuples
        One row per snapshot and distinct (x, t_x, T): snapshot_number, repeat_count,
        span_days, observed_days, customer_count (how many customers have it).
    value_tuples
        One row per snapshot and distinct (n, mean): snapshot_number,
        purchase_day_count, purchase_value (mean value of these days, in money),
        customer_count. Values that are null or not positive are left out.
    settings
        One row: purchase_model ('mbg_nbd' or 'bg_nbd'), purchase_prior ('weak' or
        'none').

    Returns
    -------
    DataFrame
        One row per snapshot (0 always), model and parameter, with
        ``PARAMETER_DTYPES``: estimate and standard_error (by the delta method, from
        the curvature), lower and upper (95 %, symmetric on the log scale), all
        rounded to 9 digits; alpha in days, v in money. log_likelihood is without the
        prior, in days or money. status is 'ok', or there are no figures:
        'insufficient_data' (fewer than 50 customers), 'no_repeat_purchases',
        'no_observed_time', 'no_variance' (all values equal), 'no_mean' (q <= 1),
        'degenerate' (a parameter runs away, or the data do not tell them apart), or
        'not_converged'. reason says it in a sentence.

    Raises
    ------
    ValueError
        If a column is missing, a setting is unknown, or a tuple is impossible: a
        null, a negative count or time, t_x above T, or a weight below 1.

    """
    purchase_columns = ["repeat_count", "span_days", "observed_days"]
    value_columns = ["purchase_day_count", "purchase_value"]
    purchases = _tuples(purchase_tuples, purchase_columns, "purchase_tuples")
    values = _tuples(value_tuples, value_columns, "value_tuples")
    model = _setting(settings, "purchase_model", tuple(CHANCES_BEFORE_REPEAT))
    has_prior = _setting(settings, "purchase_prior", ("weak", "none")) == "weak"
    _check_purchases(purchases)
    rows = []
    for number in sorted(
        {0} | set(purchases["snapshot_number"]) | set(values["snapshot_number"])
    ):
        for name, parameters, tuples, fit in (
            (model, PURCHASE_PARAMETERS, purchases, _fit_purchases),
            (GAMMA_GAMMA, VALUE_PARAMETERS, values, _fit_values),
        ):
            own = tuples[tuples["snapshot_number"] == number]
            found = _fitted_rows(fit, own, name, has_prior)
            rows += [
                {"snapshot_number": number, "model": name, "parameter": parameter}
                | {
                    column: value[i] if np.ndim(value) else value
                    for column, value in found.items()
                }
                for i, parameter in enumerate(parameters)
            ]
    figures = [name for name, dtype in PARAMETER_DTYPES.items() if dtype == "float64"]
    frame = pd.DataFrame(rows).reindex(columns=list(PARAMETER_DTYPES))
    frame[figures] = frame[figures].astype(float).map(_rounded)
    return with_dtypes(frame, PARAMETER_DTYPES)


def _fitted_rows(fit, own, name, has_prior) -> dict:
    try:
        with one_thread():
            return {"status": "ok"} | fit(own, name, has_prior)
    except _CannotFitError as why:
        count = int(own["customer_count"].sum())
        return {"customer_count": count, "status": why.status, "reason": str(why)}


def _setting(settings: pd.DataFrame, name: str, allowed: tuple[str, ...]) -> str:
    require_columns(settings, [name], name="settings")
    value = settings[name].iloc[0]
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; use {' or '.join(map(repr, allowed))}")
    return value


def _tuples(frame, columns, name) -> pd.DataFrame:
    """Return the distinct tuples in their own order, with the weights summed."""
    keys = ["snapshot_number", *columns]
    require_columns(frame, [*keys, "customer_count"], name=name)
    typed = with_dtypes(
        frame,
        {"snapshot_number": "int64"}
        | dict.fromkeys(columns, "float64")
        | {"customer_count": "float64"},
    )
    if not (typed["customer_count"] >= 1).all():
        raise ValueError(f"{name} have a customer_count below 1")
    grouped = typed.groupby(keys, dropna=False, sort=True)["customer_count"]
    return grouped.sum().reset_index()


def _check_purchases(tuples) -> None:
    x, t_x = tuples["repeat_count"], tuples["span_days"]
    possible = (x >= 0) & (t_x >= 0) & (t_x <= tuples["observed_days"])
    possible &= np.isfinite(tuples["observed_days"])
    if not possible.all():
        bad = tuples[~possible].iloc[0]
        raise ValueError(
            "purchase_tuples have an impossible tuple: repeat_count "
            f"{bad['repeat_count']:g}, span_days {bad['span_days']:g}, observed_days "
            f"{bad['observed_days']:g}; counts and days are at least 0, and the span "
            "is no longer than what was observed"
        )


def _fit_purchases(tuples, model, has_prior) -> dict:
    count = int(tuples["customer_count"].sum())
    if count < MINIMUM_CUSTOMERS:
        raise _too_few(count, "customers")
    x, t_x, observed, weights = (
        tuples[["repeat_count", "span_days", "observed_days", "customer_count"]]
        .to_numpy(dtype=float)
        .T
    )
    if not x.any():
        raise _CannotFitError(
            "no_repeat_purchases",
            f"none of the {count:,} customers has bought on a second day",
        )
    scale = weights @ observed / count / MEAN_SCALED_TIME
    if not scale:
        raise _CannotFitError(
            "no_observed_time",
            f"all {count:,} customers bought first on the day of the snapshot",
        )
    likelihood = purchase_likelihood(
        x, t_x / scale, observed / scale, weights, model=model
    )
    prior = PURCHASE_CENTRE if has_prior else None
    theta, covariance = _maximum(
        likelihood, PURCHASE_CENTRE, prior, count, PURCHASE_PARAMETERS
    )
    units = np.array([0.0, np.log(scale), 0.0, 0.0])
    # A density per day, not per unit of the scale.
    constant = -(weights @ x) * np.log(scale)
    return _estimates(theta + units, covariance) | {
        "log_likelihood": likelihood(theta)[0] + constant,
        "customer_count": count,
        "reason": _fitted_to(count, "customers"),
    }


def _fit_values(tuples, model, has_prior) -> dict:
    everybody = int(tuples["customer_count"].sum())
    days, values = tuples["purchase_day_count"], tuples["purchase_value"]
    tuples = tuples[(days >= 1) & (values > 0) & np.isfinite(values)]
    count = int(tuples["customer_count"].sum())
    without = everybody - count
    left_out = ""
    if without:
        left_out = (
            f"; {without:,} of {everybody:,} are left out, because they have no "
            "positive purchase value"
        )
    if count < MINIMUM_CUSTOMERS:
        raise _too_few(count, "customers with a purchase value", left_out)
    n, value, weights = (
        tuples[["purchase_day_count", "purchase_value", "customer_count"]]
        .to_numpy(dtype=float)
        .T
    )
    if np.ptp(value) <= 1e-9 * value.max():
        raise _CannotFitError(
            "no_variance",
            f"all {count:,} customers have the same purchase value, "
            f"{value[0]:,.2f}{left_out}",
        )
    scale = weights @ value / count
    likelihood = value_likelihood(n, value / scale, weights)
    prior = VALUE_CENTRE if has_prior else None
    theta, covariance = _maximum(
        likelihood, VALUE_CENTRE, prior, count, VALUE_PARAMETERS, left_out
    )
    if theta[1] <= 0:
        raise _CannotFitError(
            "no_mean",
            f"the purchase values of {count:,} customers spread so widely that their "
            f"mean is infinite (q = {np.exp(theta[1]):.3g}, above 1 is needed)"
            f"{left_out}",
        )
    units = np.array([0.0, 0.0, np.log(scale)])
    return _estimates(theta + units, covariance) | {
        "log_likelihood": likelihood(theta)[0] - count * np.log(scale),
        "customer_count": count,
        "reason": _fitted_to(count, "customers with a purchase value", left_out),
    }


def purchase_likelihood(
    repeat_count: np.ndarray,
    span: np.ndarray,
    observed: np.ndarray,
    weights: np.ndarray,
    *,
    model: str,
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Return the log likelihood of a purchase model, of ln(r, alpha, a, b).

    Fader, Hardie and Lee (2005), equation (6), in logarithms: of each customer
    lnG(r+x) - lnG(r) + r ln alpha + lnG(a+b) + lnG(b+k) - lnG(b) - lnG(a+b+k)
    - (r+x) ln(alpha+T) + ln(1 + e^d), the last only where k > 0.

    Parameters
    ----------
    repeat_count, span, observed : ndarray of shape (n,)
        x, t_x and T, in any one unit of time.
    weights : ndarray of shape (n,)
        How many customers have the tuple.
    model
        'mbg_nbd' or 'bg_nbd'.

    Returns
    -------
    callable
        From ndarray of shape (4,) to the log likelihood and its gradient, of shape
        (4,).

    """
    chances = CHANCES_BEFORE_REPEAT[model]
    k = repeat_count + chances
    # The gamma functions depend on x alone, of which there are few.
    counts, of_tuple = np.unique(repeat_count, return_inverse=True)
    count_weights = np.bincount(of_tuple, weights)
    total = weights.sum()

    def likelihood(theta):
        r, alpha, a, b = np.exp(theta)
        shape = r + repeat_count
        growth = np.log((alpha + observed) / (alpha + span))
        had_chance, d = _log_odds_gone(k, shape, growth, a, b)
        log_time = np.log(alpha + observed)
        per_tuple = np.where(had_chance, np.logaddexp(0, d), 0.0) - shape * log_time
        per_count = (gammaln(r + counts) + gammaln(b + counts + chances)) - gammaln(
            a + b + counts + chances
        )
        value = (
            weights @ per_tuple
            + count_weights @ per_count
            + total * (gammaln(a + b) - gammaln(b) - gammaln(r) + r * theta[1])
        )
        gone = weights * np.where(had_chance, expit(d), 0.0)
        shifted = np.where(had_chance, b + k - 1, 1.0)
        sum_digamma = digamma(a + b + counts + chances)
        both = total * digamma(a + b) - count_weights @ sum_digamma
        gradient = np.array(
            [
                count_weights @ digamma(r + counts)
                + total * (theta[1] - digamma(r))
                - weights @ log_time
                + gone @ growth,
                total * r / alpha
                - weights @ (shape / (alpha + observed))
                + gone @ (shape * (1 / (alpha + observed) - 1 / (alpha + span))),
                both + gone.sum() / a,
                both
                + count_weights @ digamma(b + counts + chances)
                - total * digamma(b)
                - (gone / shifted).sum(),
            ]
        )
        return float(value), gradient * np.exp(theta)

    return likelihood


def value_likelihood(
    day_count: np.ndarray, value: np.ndarray, weights: np.ndarray
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """Return the log likelihood of Gamma-Gamma, of ln(p, q, v).

    Fader and Hardie (2013), equation (1a), in logarithms: of each customer
    lnG(pn+q) - lnG(pn) - lnG(q) + q ln v + (pn-1) ln z + pn ln n - (pn+q) ln(v + nz).

    Parameters
    ----------
    day_count, value : ndarray of shape (n,)
        Number of purchase days n >= 1 and their mean value z > 0, in any unit.
    weights : ndarray of shape (n,)
        How many customers have the tuple.

    Returns
    -------
    callable
        From ndarray of shape (3,) to the log likelihood and its gradient, of shape
        (3,).

    """
    counts, of_tuple = np.unique(day_count, return_inverse=True)
    count_weights = np.bincount(of_tuple, weights)
    total = weights.sum()
    spent = day_count * value
    log_spent = weights @ (day_count * np.log(spent))
    constant = -(weights @ np.log(value))

    def likelihood(theta):
        p, q, v = np.exp(theta)
        shape = p * day_count + q
        log_sum = np.log(v + spent)
        of_count = p * counts
        value = (
            count_weights @ (gammaln(of_count + q) - gammaln(of_count))
            + total * (q * theta[2] - gammaln(q))
            + p * log_spent
            + constant
            - weights @ (shape * log_sum)
        )
        with_q = count_weights * digamma(of_count + q)
        gradient = np.array(
            [
                with_q @ counts
                - (count_weights * counts) @ digamma(of_count)
                + log_spent
                - weights @ (day_count * log_sum),
                with_q.sum() + total * (theta[2] - digamma(q)) - weights @ log_sum,
                total * q / v - weights @ (shape / (v + spent)),
            ]
        )
        return float(value), gradient * np.exp(theta)

    return likelihood


def _maximum(likelihood, centre, prior, count, names, left_out=""):
    """Return the logarithms at the maximum and their covariance matrix."""

    def loss(theta):
        value, gradient = likelihood(theta)
        if prior is not None:
            away = (theta - prior) / PRIOR_SPREAD
            value, gradient = value - away @ away / 2, gradient - away / PRIOR_SPREAD
        return -value / count, -gradient / count

    bounds = [(-SEARCHED_LOG, SEARCHED_LOG)] * len(centre)
    tries = [
        minimize(loss, centre + start, jac=True, method="L-BFGS-B", bounds=bounds)
        for start in STARTS
    ]
    theta = min(tries, key=lambda found: found.fun).x
    theta, curvature = _newton(loss, theta)
    said = ", ".join(
        f"{name} = {value:.3g}"
        for name, value in zip(names, np.exp(theta), strict=True)
    )
    if np.abs(theta).max() > LARGEST_LOG:
        raise _CannotFitError(
            "degenerate",
            f"of {count:,} customers the likelihood rises without end ({said}, "
            f"scaled){left_out}",
        )
    is_bowl = np.linalg.eigvalsh(curvature)[0] > 0
    covariance = np.linalg.inv(curvature * count) if is_bowl else None
    if not is_bowl or np.sqrt(np.diag(covariance)).max() > LARGEST_ERROR:
        raise _CannotFitError(
            "degenerate",
            f"the data of {count:,} customers do not tell the parameters apart "
            f"({said}, scaled){left_out}",
        )
    slope = np.abs(loss(theta)[1]).max()
    if not slope <= SMALL_GRADIENT:
        raise _CannotFitError(
            "not_converged",
            f"no maximum was reached with {count:,} customers (slope {slope:.2g} a "
            f"customer){left_out}",
        )
    return theta, covariance


def _newton(loss, theta, steps: int = 30):
    """Return the minimum to the last digits, and the matrix of second derivatives."""
    value, gradient = loss(theta)
    curvature = _curvature(loss, theta)
    for _ in range(steps):
        # No quadratic bowl, or so far out that there is none.
        if np.linalg.eigvalsh(curvature)[0] <= 0 or np.abs(theta).max() > LARGEST_LOG:
            break
        step = -np.linalg.solve(curvature, gradient)
        step *= min(1.0, 1.0 / np.abs(step).max())
        for _ in range(10):
            new_value, new_gradient = loss(theta + step)
            if new_value <= value + 1e-12 * abs(value):
                break
            step = step / 2
        else:
            break
        theta, value, gradient = theta + step, new_value, new_gradient
        is_last = np.abs(step).max() < 1e-7
        curvature = _curvature(loss, theta)
        if is_last:
            break
    return theta, curvature


def _curvature(loss, theta, width: float = 1e-4) -> np.ndarray:
    """Return the second derivatives by differences of the analytic gradient."""
    columns = []
    for step in width * np.eye(len(theta)):
        after, before = loss(theta + step)[1], loss(theta - step)[1]
        columns.append((after - before) / (2 * width))
    curvature = np.array(columns)
    return (curvature + curvature.T) / 2


def _estimates(theta, covariance) -> dict:
    errors = np.sqrt(np.diag(covariance))
    estimate = np.exp(theta)
    return {
        "estimate": estimate,
        "standard_error": estimate * errors,
        "lower": np.exp(theta - LIMIT * errors),
        "upper": np.exp(theta + LIMIT * errors),
    }


def _too_few(count: int, what: str, left_out: str = "") -> _CannotFitError:
    return _CannotFitError(
        "insufficient_data",
        f"{count:,} {what}; {MINIMUM_CUSTOMERS} are needed{left_out}",
    )


def _fitted_to(count: int, what: str, left_out: str = "") -> str:
    few = f"; below {FEW_CUSTOMERS} the intervals are wide"
    return f"fitted to {count:,} {what}{few if count < FEW_CUSTOMERS else ''}{left_out}"


def _rounded(value: float) -> float:
    """Return the value with 9 significant digits."""
    return float(f"{value:.{DIGITS - 1}e}") if np.isfinite(value) else float("nan")


# ---- what SQL joins ----------------------------------------------------------------


def expected_purchases_grid(
    pairs: pd.DataFrame, parameters: pd.DataFrame, settings: pd.DataFrame
) -> pd.DataFrame:
    """Return the expected purchase days of who is alive, for each (x, T).

    Times P(alive) these are what a customer is expected to buy; the integral depends
    on x and T alone, so that it is evaluated here once for each pair, and joined.

    Parameters
    ----------
    pairs
        repeat_count and observed_days; repetitions count once.
    parameters
        As ``fit_purchase_models`` returns them; those of snapshot 0 are used.
    settings
        One row: value_horizon_days (L) and annual_discount_rate.

    Returns
    -------
    DataFrame
        One row per pair, in their order, with ``GRID_DTYPES``:
        purchases_if_retained, G(x, T, L), and discounted_purchases_if_retained, the
        sum of (G(t_i) - G(t_{i-1})) / (1 + d)^i, where t_i are 30.4375 days apart, the
        last one is L, and d = (1 + annual rate)^(1/12) - 1. Both have 9 digits, and
        are null where snapshot 0 has no purchase model.

    Raises
    ------
    ValueError
        If a column is missing, L is not positive or the rate is -1 or lower.

    """
    keys = ["repeat_count", "observed_days"]
    require_columns(pairs, keys, name="pairs")
    require_columns(
        settings, ["value_horizon_days", "annual_discount_rate"], name="settings"
    )
    horizon = float(settings["value_horizon_days"].iloc[0])
    rate = float(settings["annual_discount_rate"].iloc[0])
    if not horizon > 0:
        raise ValueError(f"value_horizon_days is {horizon:g}; use a positive number")
    if not rate > -1:
        raise ValueError(f"annual_discount_rate is {rate:g}; use a rate above -1")
    fitted = purchase_parameters(parameters, snapshot_number=0)
    grid = with_dtypes(pairs, dict.fromkeys(keys, "Int64"))
    grid = grid.drop_duplicates().sort_values(keys)
    total = discounted = np.full(len(grid), np.nan)
    if fitted is not None and len(grid):
        periods = int(np.ceil(horizon / STEP_DAYS))
        times = np.append(STEP_DAYS * np.arange(1, periods), horizon)
        with one_thread():
            purchases = purchases_if_retained(
                fitted,
                np.repeat(grid["repeat_count"].to_numpy(dtype=float), periods),
                np.repeat(grid["observed_days"].to_numpy(dtype=float), periods),
                np.tile(times, len(grid)),
            ).reshape(-1, periods)
        factors = (1 + rate) ** (-np.arange(1, periods + 1) / 12)
        total = purchases[:, -1]
        discounted = np.diff(purchases, axis=1, prepend=0) @ factors
    grid["purchases_if_retained"] = [_rounded(value) for value in total]
    grid["discounted_purchases_if_retained"] = [_rounded(value) for value in discounted]
    return with_dtypes(grid, GRID_DTYPES)


# ---- validation --------------------------------------------------------------------

MEASURES = {
    EXPECTED: (
        "normalised_gini",
        "total_ratio",
        "purchase_ratio",
        "top_fifth_found",
        "decile",
        "grade",
    ),
    SPEND_RATE: ("normalised_gini", "total_ratio", "top_fifth_found", "decile"),
    SPEND: ("normalised_gini", "top_fifth_found", "decile"),
}
# As a reader calls them.
NAMES = {
    EXPECTED: "the expected value",
    SPEND_RATE: "past spend per day",
    SPEND: "past spend",
}


def validate_value(
    sample: pd.DataFrame, parameters: pd.DataFrame, settings: pd.DataFrame
) -> pd.DataFrame:
    """Return how well expected spend foretold what the customers then spent.

    From what was known at snapshot 1, one horizon H ago, spend within H is predicted
    as E[Y(H)] E[M] ('expected_value'), and held against two baselines: spend per
    observed day times H ('past_spend_rate') and spend so far ('past_spend').

    Parameters
    ----------
    sample
        One row per snapshot and sampled customer: snapshot_number, customer_id,
        repeat_count, span_days, observed_days, purchase_day_count, purchase_value,
        monetary, later_purchase_count and later_value (both within H). Only the rows
        of snapshot 1 are read.
    parameters
        As ``fit_purchase_models`` returns them; those of snapshot 1 are used.
    settings
        One row: churn_horizon_days (H; may be null) and random_seed.

    Returns
    -------
    DataFrame
        Long, with ``VALIDATION_DTYPES``. measure is

        - 'normalised_gini': how well the order of the predictions is that of later
          spend, 0 for chance and 1 for the very order (Wang, Liu and Miao 2019);
        - 'total_ratio': predicted to actual spend of all, of models that predict an
          amount, and 'purchase_ratio' the same of purchase days;
        - 'top_fifth_found': the share of the customers in the top fifth by later
          spend that are in the top fifth by prediction. Who spent nothing is in no
          top fifth;
        - 'decile': per bin, 10 for the highest predictions, mean prediction and mean
          later spend (also the estimate). For 'past_spend' the prediction is no
          amount of H days;
        - 'grade': by how much more of the top fifth the model finds than the better
          baseline: A from 5 %, B from 0, C below. The verdict begins with the letter.

        lower and upper are the 95 % percentile interval of 500 resamples. Tied
        predictions share their places, and lie in the one decile of their middle
        rank. Figures are rounded to 9 digits. Where status is not 'ok' there is one
        row per model and measure without figures, and the verdict says why:
        'not_validated', 'insufficient_data', 'no_later_spend', or the status of the
        model that could not be fitted.

    Raises
    ------
    ValueError
        If a column is missing.

    """
    columns = [
        *("snapshot_number", "customer_id", "repeat_count", "span_days"),
        *("observed_days", "purchase_day_count", "purchase_value", "monetary"),
        *("later_purchase_count", "later_value"),
    ]
    require_columns(sample, columns, name="sample")
    require_columns(settings, ["churn_horizon_days", "random_seed"], name="settings")
    customers = sample[sample["snapshot_number"] == 1].sort_values("customer_id")
    horizon = settings["churn_horizon_days"].iloc[0]
    why_not = _why_not_validated(customers, parameters, horizon)
    if why_not is not None:
        status, reason = why_not
        rows = [
            {"model": model, "measure": measure, "status": status, "verdict": reason}
            for model, measures in MEASURES.items()
            for measure in measures
        ]
        count = {"customer_count": len(customers)}
        frame = pd.DataFrame(rows).assign(**count)
        return with_dtypes(
            frame.reindex(columns=list(VALIDATION_DTYPES)), VALIDATION_DTYPES
        )
    with one_thread():
        held = _Held.of(customers, parameters, float(horizon))
        rows = _measured(held, int(settings["random_seed"].iloc[0]))
    frame = pd.DataFrame(rows).reindex(columns=list(VALIDATION_DTYPES))
    figures = [name for name, dtype in VALIDATION_DTYPES.items() if dtype == "float64"]
    frame[figures] = frame[figures].astype(float).map(_rounded)
    return with_dtypes(frame.assign(status="ok"), VALIDATION_DTYPES)


def _why_not_validated(customers, parameters, horizon) -> tuple[str, str] | None:
    if pd.isna(horizon):
        return "not_validated", "there is no churn horizon to validate over"
    if customers.empty:
        return (
            "not_validated",
            f"the history is too short: nobody was a customer {int(horizon)} days ago",
        )
    if len(customers) < MINIMUM_CUSTOMERS:
        why = _too_few(len(customers), f"customers {int(horizon)} days ago")
        return why.status, str(why)
    own = _own(parameters, 1)
    failed = own[own["status"] != "ok"]
    if own.empty:
        return "not_validated", "no model was fitted to what was known at snapshot 1"
    if len(failed):
        first = failed.iloc[0]
        return (
            str(first["status"]),
            f"no model {first['model']} at snapshot 1: {first['reason']}",
        )
    if not _arrays(customers["later_value"])[0].clip(0).sum() > 0:
        return (
            "no_later_spend",
            f"none of {len(customers):,} customers spent anything in the "
            f"{int(horizon)} days after",
        )
    return None


@dataclass(frozen=True)
class _Held:
    """What was predicted, and what came, of the customers of snapshot 1."""

    predicted: dict[str, np.ndarray]
    actual: np.ndarray
    purchases: np.ndarray
    later_purchases: np.ndarray
    horizon: float

    @classmethod
    def of(cls, customers, parameters, horizon):
        days = expected_purchases(
            purchase_parameters(parameters, snapshot_number=1),
            customers["repeat_count"],
            customers["span_days"],
            customers["observed_days"],
            horizon,
        )
        value = expected_value(
            value_parameters(parameters, snapshot_number=1),
            customers["purchase_day_count"],
            customers["purchase_value"],
        )
        spent, observed, later, later_days = (
            np.nan_to_num(column)
            for column in _arrays(
                customers["monetary"],
                customers["observed_days"],
                customers["later_value"],
                customers["later_purchase_count"],
            )
        )
        # Who came on the day of the snapshot has been observed for that day.
        rate = spent / np.maximum(observed, 1) * horizon
        predicted = {EXPECTED: days * value, SPEND_RATE: rate, SPEND: spent}
        return cls(predicted, later, days, later_days, horizon)


def _measured(held: _Held, random_seed: int) -> list[dict]:
    count = len(held.actual)
    rankings = {model: Ranking(held.predicted[model]) for model in MODELS}
    by_actual = Ranking(held.actual)

    def measure(weights) -> dict:
        """Return every measure by model, under the weights of a resample."""
        top = by_actual.top(weights, TOP_SHARE) * (held.actual > 0) * weights
        best = by_actual.gini(weights, held.actual)
        spent = weights @ held.actual
        found = {
            (model, "normalised_gini"): _ratio(ranking.gini(weights, held.actual), best)
            for model, ranking in rankings.items()
        }
        for model, ranking in rankings.items():
            shared = ranking.top(weights, TOP_SHARE) @ top
            found[model, "top_fifth_found"] = _ratio(shared, top.sum())
        for model in AMOUNTS:
            found[model, "total_ratio"] = _ratio(weights @ held.predicted[model], spent)
        found[EXPECTED, "purchase_ratio"] = _ratio(
            weights @ held.purchases, weights @ held.later_purchases
        )
        baseline = max(found[model, "top_fifth_found"] for model in (SPEND_RATE, SPEND))
        found[EXPECTED, "grade"] = (
            _ratio(found[EXPECTED, "top_fifth_found"], baseline) - 1
        )
        return found

    estimates = measure(np.ones(count))
    drawn = [measure(w) for w in resamples(count, random_seed=random_seed)]
    rows = []
    for model, measures in MEASURES.items():
        for name in measures:
            if name == "decile":
                rows += _deciles(model, held.predicted[model], held.actual)
                continue
            key = (model, name)
            lower, upper = interval(np.array([found[key] for found in drawn]))
            rows.append(
                {"model": model, "measure": name, "estimate": estimates[key]}
                | {"lower": lower, "upper": upper, "customer_count": count}
                | _totals(held, model, name)
                | {"verdict": _verdict(model, name, estimates, (lower, upper), held)}
            )
    return rows


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _deciles(model, predicted, actual) -> list[dict]:
    bins = deciles(predicted)
    rows = []
    for number in range(1, 11):
        own = bins == number
        if own.any():
            mean = actual[own].mean()
            rows.append(
                {"model": model, "measure": "decile", "bin": number}
                | {"estimate": mean, "predicted": predicted[own].mean()}
                | {"actual": mean, "customer_count": int(own.sum())}
            )
    return rows


def _totals(held, model, name) -> dict:
    if name == "total_ratio":
        return {"predicted": held.predicted[model].sum(), "actual": held.actual.sum()}
    if name == "purchase_ratio":
        return {
            "predicted": held.purchases.sum(),
            "actual": held.later_purchases.sum(),
        }
    return {}


def _verdict(model, name, estimates, limits, held) -> str:
    estimate, (lower, upper) = estimates[model, name], limits
    said, what = NAMES[model], f"the {held.horizon:.0f} days after"
    if name == "grade":
        return _grade(estimates)
    if np.isnan(estimate):
        return f"{said} has nothing to be held against in {what}"
    between = f"(95 % interval {lower:.2f} to {upper:.2f})"
    if name == "normalised_gini":
        skill = "no better than chance" if not lower > 0 else "better than chance"
        return f"{said} orders later spend {skill}: {estimate:.2f} of 1 {between}"
    if name == "top_fifth_found":
        return (
            f"{said} finds {estimate:.0%} of the fifth of the customers who spent most "
            f"in {what}; chance finds {TOP_SHARE:.0%}"
        )
    unit = "spent" if name == "total_ratio" else "bought"
    noun = "spend" if name == "total_ratio" else "purchase days"
    totals = _totals(held, model, name)
    figures = f"{totals['predicted']:,.0f} for {totals['actual']:,.0f}"
    if lower <= 1 <= upper:
        return f"{said} predicts the {noun} of {what} within chance: {figures}"
    way = "less" if estimate < 1 else "more"
    return (
        f"{said} predicts {abs(estimate - 1):.0%} {way} than was {unit} in {what}: "
        f"{figures}"
    )


def _grade(estimates) -> str:
    gain = estimates[EXPECTED, "grade"]
    better = max(
        (SPEND_RATE, SPEND), key=lambda model: estimates[model, "top_fifth_found"]
    )
    own, other = (estimates[m, "top_fifth_found"] for m in (EXPECTED, better))
    finds = (
        f"the model finds {own:.1%} of the fifth of the customers who spent most, "
        f"{NAMES[better]} {other:.1%}"
    )
    if np.isnan(gain):  # the baselines find nobody
        return f"{'A' if own > 0 else 'C'}: {finds}"
    # Five hundredths are five hundredths, whatever the last digits of a quotient.
    gain = round(gain, DIGITS)
    letter = "A" if gain >= GRADE_A_GAIN else "B" if gain >= 0 else "C"
    way = "more" if gain >= 0 else "fewer"
    return f"{letter}: {finds}, so it is {abs(gain):.1%} {way}"
