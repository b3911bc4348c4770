"""Exploration: what figures look like before anything is modelled.

Pure functions on frames that the notebook draws: distributions, outliers, missing
values, concentration, correlations, seasons.
"""

import numpy as np
import pandas as pd

TUKEY = 1.5  # interquartile ranges beyond the quartiles
YEAR = 12


def describe(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what the numeric columns look like, one row per column.

    Parameters
    ----------
    frame
        Shape (n, p), doubles; missing values are NaN.

    Returns
    -------
    Indexed by column, in the order of the frame: count (values), missing_share, mean,
    median, standard_deviation, percentile_1, percentile_99, skewness (adjusted
    Fisher-Pearson), outlier_share and outlier_share_of_log (see ``outliers``; of
    ln(1 + x), NaN where a value is negative). Columns without a value have NaN.

    """
    rows = {}
    for name in frame:
        values = frame[name].dropna().astype(float)
        logs = np.log1p(values) if (values >= 0).all() else values.iloc[:0]
        rows[name] = {
            "count": len(values),
            "missing_share": frame[name].isna().mean(),
            "mean": values.mean(),
            "median": values.median(),
            "standard_deviation": values.std(),
            "percentile_1": values.quantile(0.01),
            "percentile_99": values.quantile(0.99),
            "skewness": values.skew(),
            "outlier_share": outliers(values).mean(),
            "outlier_share_of_log": outliers(logs).mean(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def outliers(values: pd.Series) -> pd.Series:
    """Return which values lie beyond Tukey's fences.

    The fences are 1.5 interquartile ranges beyond the quartiles (Tukey 1977,
    Exploratory Data Analysis). Missing values are none.
    """
    lower, upper = values.quantile(0.25), values.quantile(0.75)
    reach = TUKEY * (upper - lower)
    return (values < lower - reach) | (values > upper + reach)


def missing_shares(frame: pd.DataFrame) -> pd.Series:
    """Return the share of rows without a value for each column, the largest first.

    Columns without any missing value are left out; ties go by name.
    """
    shares = frame.isna().mean()
    return shares[shares > 0].sort_index().sort_values(ascending=False, kind="stable")


def top_share(amounts: pd.Series, share: float = 0.2) -> float:
    """Return the part of the sum that the largest amounts make.

    Parameters
    ----------
    amounts
        One per customer, without missing values; negative ones count as they are.
    share
        Of the customers, rounded up to a whole one.

    Returns
    -------
    The part, or NaN where the sum is not positive.

    """
    total = amounts.sum()
    count = int(np.ceil(share * len(amounts)))
    return float(amounts.nlargest(count).sum() / total) if total > 0 else float("nan")


def lorenz_curve(amounts: pd.Series, points: int = 200) -> pd.DataFrame:
    """Return cumulated shares of customers and of amount, from the largest down.

    Returns
    -------
    Columns customer_share and amount_share, at most ``points`` + 1 rows from (0, 0) to
    (1, 1); no rows where the sum is not positive.

    """
    total = amounts.sum()
    if not total > 0:
        return pd.DataFrame({"customer_share": [], "amount_share": []})
    cumulated = np.concatenate([[0], np.sort(amounts)[::-1].cumsum()]) / total
    places = np.unique(np.linspace(0, len(amounts), points + 1).round().astype(int))
    return pd.DataFrame(
        {
            "customer_share": places / len(amounts),
            "amount_share": cumulated[places],
        }
    )


def strongest_correlations(frame: pd.DataFrame, count: int = 5) -> pd.DataFrame:
    """Return the pairs of columns with the largest rank correlation.

    Spearman's, on the rows where both have a value: it asks for order alone, so skewed
    amounts do no harm.

    Returns
    -------
    Columns first, second, correlation; at most ``count`` rows, the strongest first,
    ties by name. Columns of one value correlate with nothing and are left out.

    """
    correlations = frame.corr(method="spearman")
    names = list(frame)
    pairs = pd.DataFrame(
        [
            (first, second, correlations.loc[first, second])
            for place, first in enumerate(names)
            for second in names[place + 1 :]
        ],
        columns=["first", "second", "correlation"],
    ).dropna()
    strength = pairs["correlation"].abs().round(12)
    order = pairs.assign(strength=-strength).sort_values(
        ["strength", "first", "second"]
    )
    return order.drop(columns="strength").head(count).reset_index(drop=True)


def complete_months(daily: pd.Series, last_day: pd.Timestamp) -> pd.Series:
    """Return the sums of whole calendar months, months without anything as 0.

    Parameters
    ----------
    daily
        Amounts with their day as index, in any order, one day as often as you like.
    last_day
        The last day that was observed: a month that ends later is left out.

    Returns
    -------
    By month (period), from the first day's on. That month may lack its beginning.

    """
    if daily.empty:
        return pd.Series(dtype=float, index=pd.PeriodIndex([], freq="M"))
    months = pd.DatetimeIndex(daily.index).to_period("M")
    sums = daily.groupby(months).sum()
    last = pd.Timestamp(last_day).to_period("M")
    if last.end_time.normalize() > pd.Timestamp(last_day):
        last -= 1
    every = pd.period_range(months.min(), last, freq="M")
    return sums.reindex(every, fill_value=0.0).astype(float)


def yearly_growth(monthly: pd.Series) -> float:
    """Return the last twelve months against the twelve before, less 1.

    NaN with less than 24 months, or where the earlier sum is not positive.
    """
    if len(monthly) < 2 * YEAR:
        return float("nan")
    earlier = monthly.iloc[-2 * YEAR : -YEAR].sum()
    return float(monthly.iloc[-YEAR:].sum() / earlier - 1) if earlier > 0 else np.nan


def seasonal_indices(monthly: pd.Series) -> pd.DataFrame:
    """Return how far each month of the year lies above or below its year.

    The ratio to the centred moving average of twelve months, averaged by month of the
    year and divided by the mean of the twelve: classical multiplicative decomposition
    (Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice, 3rd edition,
    section 3.4).

    Parameters
    ----------
    monthly
        Amounts by month (period), without gaps.

    Returns
    -------
    Columns month (1 to 12), seasonal_index (1 is an average month), year_count (how
    many years it is averaged over). No rows with less than 24 months, or where a moving
    average is not positive: then there is no season to be told from the trend.

    """
    empty = pd.DataFrame({"month": [], "seasonal_index": [], "year_count": []})
    if len(monthly) < 2 * YEAR:
        return empty
    # two averages of twelve months, half a month early and half a month late
    centred = monthly.rolling(YEAR).mean().rolling(2).mean().shift(-YEAR // 2)
    known = centred.notna()
    if not (centred[known] > 0).all():
        return empty
    ratios = monthly[known] / centred[known]
    by_month = ratios.groupby(ratios.index.month).agg(["mean", "size"])
    if len(by_month) < YEAR:
        return empty
    return pd.DataFrame(
        {
            "month": by_month.index,
            "seasonal_index": by_month["mean"].to_numpy() / by_month["mean"].mean(),
            "year_count": by_month["size"].to_numpy(),
        }
    )
