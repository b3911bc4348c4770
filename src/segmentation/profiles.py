"""Profiles: how a segment differs from the rest, and what makes the segments."""

import re

import numpy as np
import pandas as pd

from segmentation.frames import require_columns, with_dtypes
from segmentation.preparation import eta_squared, round_values

DIFFERENTIATOR_DTYPES = {
    "segment_id": "string",
    "feature": "string",
    "level": "string",
    "mean": "float64",
    "median": "float64",
    "index_against_all": "float64",
    "effect_size": "float64",
    "difference_rank": "Int64",
}
IMPORTANCE_DTYPES = {
    "feature": "string",
    "eta_squared": "float64",
    "contribution": "float64",
    "note": "string",
}
MOSTLY = 0.9


def ordered_segments(labels) -> list[str]:
    """Return the distinct segment ids, by the number they end in, then as text.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Nulls are left out.

    Examples
    --------
    >>> ordered_segments(["value-10", "value-2", None, "value-10"])
    ['value-2', 'value-10']

    """
    distinct = pd.Series(np.asarray(labels, dtype="object")).dropna().astype("string")

    def key(segment_id: str) -> tuple[float, str]:
        number = re.search(r"\d+$", segment_id)
        return (float(number.group()) if number else np.inf, segment_id)

    return sorted(map(str, distinct.unique()), key=key)


def labels_of(labels, count: int) -> np.ndarray:
    """Return the labels as text, None where null, or raise if their count is wrong.

    Parameters
    ----------
    labels : array-like of shape (n,)
    count
        How many there must be.

    Raises
    ------
    ValueError
        If there are more or fewer.

    """
    labels = pd.Series(np.asarray(labels, dtype="object")).astype("string")
    if len(labels) != count:
        raise ValueError(f"there are {len(labels)} labels for {count} customers")
    return labels.astype("object").where(labels.notna(), None).to_numpy()


def is_category(values: pd.Series) -> bool:
    """Tell text from numbers; numbers may come as exact decimals.

    Parameters
    ----------
    values
        Any column.

    """
    if pd.api.types.is_bool_dtype(values):
        return True
    if pd.api.types.is_numeric_dtype(values):
        return False
    return any(isinstance(value, str | bool) for value in values.dropna())


def differentiators(features: pd.DataFrame, labels) -> pd.DataFrame:
    """Return how each segment differs from the other customers, feature by feature.

    The effect size of a number is Cohen's d (1988): the mean of the segment less
    that of the rest, over the pooled standard deviation. Of a category it is the
    share of one level in the segment less its share in the rest, for the level
    where that is largest. Features are ranked by the size of the difference; for
    this alone a difference in shares is divided by the pooled standard deviation of
    the level's indicator, which makes it a Cohen's d as well.

    Parameters
    ----------
    features
        One row per customer, one column per feature: numbers in raw units, or text.
        A missing value does not count.
    labels : array-like of shape (n,)
        Segment id of each customer; customers without one do not count.

    Returns
    -------
    DataFrame
        One row per segment and feature, by segment number and rank, with
        ``DIFFERENTIATOR_DTYPES``: level (of categories), mean and median (in raw
        units; of a category the level's share and null), index_against_all (mean of
        the segment / mean of all; null where that is not above zero), effect_size
        (null where it is undefined, as without a rest) and difference_rank (1 is
        the largest; null without any value). Two constants that differ have no
        Cohen's d and rank first.

    Raises
    ------
    ValueError
        If there is not one label per customer.

    """
    labels = labels_of(labels, len(features))
    labelled = np.array([label is not None for label in labels], dtype=bool)
    rows = []
    for segment_id in ordered_segments(labels):
        own = labels == segment_id
        found = [
            (_compare_levels if is_category(features[feature]) else _compare_numbers)(
                features[feature], own, labelled & ~own
            )
            | {"segment_id": segment_id, "feature": feature}
            for feature in features
        ]
        # A stable sort: equal differences stay in the order of the columns.
        strengths = [row["strength"] for row in found]
        order = sorted(
            (i for i, strength in enumerate(strengths) if not np.isnan(strength)),
            key=lambda i: -strengths[i],
        )
        for rank, position in enumerate(order, start=1):
            found[position]["difference_rank"] = rank
        unranked = [i for i in range(len(found)) if i not in order]
        rows.extend(found[i] for i in [*order, *unranked])
    return with_dtypes(
        pd.DataFrame(rows, columns=list(DIFFERENTIATOR_DTYPES)), DIFFERENTIATOR_DTYPES
    )


def feature_importance(
    points: np.ndarray, columns: pd.DataFrame, labels
) -> pd.DataFrame:
    """Return what each feature contributes to the segmentation as a whole.

    Parameters
    ----------
    points : ndarray of shape (n, p)
        Prepared customers.
    columns
        The preparation: feature and position of each column of the points; the
        columns of a category are taken together.
    labels : array-like of shape (n,)
        Segment id of each customer; customers without one do not count.

    Returns
    -------
    DataFrame
        One row per feature, the largest contribution first, with
        ``IMPORTANCE_DTYPES``: eta_squared (share of the feature's variance that
        lies between segments; null where it does not vary), contribution (the
        feature's share of all variance between segments in prepared space; they sum
        to 1; null where there is none), and a note where eta squared is above .9
        for some features but not for all.

    Raises
    ------
    ValueError
        If a column is missing, or labels or columns do not fit the points.

    """
    require_columns(columns, ["feature", "position"], name="columns")
    features = columns.sort_values("position")["feature"].to_numpy()
    if points.shape[1] != len(features):
        raise ValueError(
            f"points have {points.shape[1]} columns, the preparation {len(features)}"
        )
    labels = labels_of(labels, len(points))
    labelled = pd.notna(labels)
    points, labels = points[labelled], labels[labelled]
    between = np.zeros(len(features))
    for segment_id in ordered_segments(labels):
        own = points[labels == segment_id]
        between += len(own) * (own.mean(axis=0) - points.mean(axis=0)) ** 2
    total = between.sum()
    rows = [
        {
            "feature": feature,
            "eta_squared": eta_squared(points[:, features == feature], labels),
            "contribution": between[features == feature].sum() / total
            if round_values(total) > 0
            else np.nan,
        }
        for feature in dict.fromkeys(features)
    ]
    found = pd.DataFrame(rows, columns=list(IMPORTANCE_DTYPES))
    found["contribution"] = round_values(found["contribution"].astype("float64"))
    mostly = found["eta_squared"] > MOSTLY
    # Where every feature is settled by the segments, none stands out.
    if mostly.any() and not mostly.all():
        names = " and ".join(found["feature"][mostly])
        found["note"] = np.where(mostly, f"this segmentation is mostly {names}", None)
    found = found.sort_values("contribution", ascending=False, kind="stable")
    return with_dtypes(found, IMPORTANCE_DTYPES)


def _compare_numbers(values: pd.Series, own: np.ndarray, rest: np.ndarray) -> dict:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    present = ~np.isnan(numbers)
    # In the order of their size, so that no sum depends on the order of the rows.
    inside, outside = np.sort(numbers[own & present]), np.sort(numbers[rest & present])
    row = _row()
    if len(inside):
        row["mean"] = _rounded(_mean(inside))
        row["median"] = _rounded(np.median(inside))
        row["index_against_all"] = _index(
            _mean(inside), _mean(np.sort(numbers[(own | rest) & present]))
        )
    if len(inside) and len(outside):
        d = _cohens_d(inside, outside)
        row |= {"effect_size": _finite(d), "strength": abs(d)}
    return row


def _compare_levels(values: pd.Series, own: np.ndarray, rest: np.ndarray) -> dict:
    levels = values.astype("string")
    present = levels.notna().to_numpy()
    inside, outside = levels[own & present], levels[rest & present]
    row = _row()
    if inside.empty:
        return row
    shares = pd.DataFrame(
        {
            "inside": inside.value_counts(normalize=True),
            "outside": outside.value_counts(normalize=True),
        }
    )
    # By text, so that the first of equal differences is always the same.
    shares = shares.fillna(0).sort_index()
    difference = round_values((shares["inside"] - shares["outside"]).to_numpy())
    alone = outside.empty
    size = shares["inside"].to_numpy() if alone else np.abs(difference)
    best = int(size.argmax())
    level = shares.index[best]
    share_of_all = (levels[(own | rest) & present] == level).mean()
    row |= {
        "level": level,
        "mean": _rounded(shares["inside"].iloc[best]),
        "index_against_all": _index(shares["inside"].iloc[best], share_of_all),
    }
    if not alone:
        row["effect_size"] = difference[best]
        row["strength"] = abs(
            _cohens_d(
                np.sort((inside == level).to_numpy(dtype=float)),
                np.sort((outside == level).to_numpy(dtype=float)),
            )
        )
    return row


def _row() -> dict:
    names = ("mean", "median", "index_against_all", "effect_size", "strength")
    return dict.fromkeys(names, np.nan) | {"level": None, "difference_rank": None}


def _cohens_d(inside: np.ndarray, outside: np.ndarray) -> float:
    """Return Cohen's d of two sorted groups; infinite if they are two constants."""
    difference = _mean(inside) - _mean(outside)
    freedom = len(inside) + len(outside) - 2
    if np.ptp(inside) == 0 and np.ptp(outside) == 0:
        return 0.0 if difference == 0 else float(np.copysign(np.inf, difference))
    squares = sum(((group - _mean(group)) ** 2).sum() for group in (inside, outside))
    return float(round_values(difference / np.sqrt(squares / freedom)))


def _mean(values: np.ndarray) -> float:
    """Return the mean; of equal numbers exactly that number."""
    return values[0] if np.ptp(values) == 0 else values.mean()


def _index(mean: float, mean_of_all: float) -> float:
    return _rounded(mean / mean_of_all) if mean_of_all > 0 else np.nan


def _finite(value: float) -> float:
    return value if np.isfinite(value) else np.nan


def _rounded(value: float) -> float:
    return float(round_values(value))
