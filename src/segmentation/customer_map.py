"""Customer map: two principal components, to draw the segments on paper."""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from segmentation.frames import require_columns, with_dtypes
from segmentation.preparation import round_values
from segmentation.profiles import labels_of, ordered_segments

LOADING_DTYPES = {
    "component": "Int64",
    "feature": "string",
    "level": "string",
    "position": "Int64",
    "loading": "float64",
    "centring": "float64",
    "explained_variance_ratio": "float64",
}
MINIMUM_PER_SEGMENT = 30


def fit_map(
    points: np.ndarray, columns: pd.DataFrame, *, component_count: int = 2
) -> pd.DataFrame:
    """Return the first principal components of the prepared customers.

    A component is only known up to its sign: here the largest absolute loading is
    positive, the first of equals after rounding to 9 decimals.

    Parameters
    ----------
    points : ndarray of shape (n, p)
        Prepared customers.
    columns
        The preparation: feature, position and, where there are categories, level of
        each column of the points.
    component_count
        How many components.

    Returns
    -------
    DataFrame
        One row per component and column, with ``LOADING_DTYPES``: a customer's
        place is the sum of (prepared - centring) * loading. centring is the mean
        of the column in prepared units; explained_variance_ratio that of the
        component (0 to 1; null where nothing varies). A component beyond the number
        of columns or of customers less one has the loadings 0.

    Raises
    ------
    ValueError
        If a column is missing, columns do not fit the points, or there is no point.

    """
    require_columns(columns, ["feature", "position"], name="columns")
    columns = columns.sort_values("position").reset_index(drop=True)
    if "level" not in columns:
        columns = columns.assign(level=pd.NA)
    if points.shape[1] != len(columns):
        raise ValueError(
            f"points have {points.shape[1]} columns, the preparation {len(columns)}"
        )
    if len(points) == 0:
        raise ValueError("points has no rows")
    loadings = np.zeros((component_count, len(columns)))
    ratios = np.zeros(component_count)
    if (np.ptp(points, axis=0) == 0).all():
        ratios[:] = np.nan
    else:
        model = PCA(min(component_count, *points.shape), svd_solver="full")
        # Threads add their partial sums in the order they finish.
        with threadpool_limits(limits=1):
            model.fit(points)
        found = round_values(model.components_)
        signs = [np.sign(row[np.abs(row).argmax()]) for row in found]
        # A direction in which nothing varies is whatever the solver leaves over.
        varies = round_values(model.explained_variance_) > 0
        fitted = len(found)
        loadings[:fitted] = found * np.array(signs)[:, None] * varies[:, None] + 0.0
        ratios[:fitted] = round_values(model.explained_variance_ratio_)
    rows = [
        columns[["feature", "level", "position"]].assign(
            component=component + 1,
            loading=loadings[component],
            centring=round_values(points.mean(axis=0)),
            explained_variance_ratio=ratios[component],
        )
        for component in range(component_count)
    ]
    return with_dtypes(pd.concat(rows), LOADING_DTYPES)


def project(points: np.ndarray, loadings: pd.DataFrame) -> np.ndarray:
    """Return the place of each customer on the map, as SQL computes it.

    Parameters
    ----------
    points : ndarray of shape (n, p)
        Prepared customers.
    loadings
        As ``fit_map`` returns it.

    Returns
    -------
    ndarray of shape (n, components)
        Sums of (prepared - centring) * loading, rounded to 9 decimals.

    Raises
    ------
    ValueError
        If a column is missing or the loadings do not fit the points.

    """
    require_columns(loadings, LOADING_DTYPES, name="loadings")
    places = []
    for _, rows in loadings.groupby("component", sort=True):
        rows = rows.sort_values("position")
        if len(rows) != points.shape[1]:
            raise ValueError(
                f"points have {points.shape[1]} columns, the loadings {len(rows)}"
            )
        centred = points - rows["centring"].to_numpy()
        places.append((centred * rows["loading"].to_numpy()).sum(axis=1))
    return round_values(np.column_stack(places))


def sample_for_map(segment_ids, hash_order, *, size: int) -> np.ndarray:
    """Return which customers to draw: a bounded sample of every segment.

    Segments have places in proportion to their customers, but at least 30 or all
    they have; what that adds to small ones is taken from the others. Fractions of a
    place go to the largest remainders, then by segment number.

    Parameters
    ----------
    segment_ids : array-like of shape (n,)
        Customers without one are not drawn.
    hash_order : array-like of shape (n,)
        A hash of the customer id; within a segment the lowest are drawn.
    size
        How many customers to draw at most; only the 30 of each of many segments may
        exceed it.

    Returns
    -------
    ndarray of shape (n,) of bool

    Raises
    ------
    ValueError
        If the two differ in length.

    """
    hash_order = pd.Series(np.asarray(hash_order))
    labels = labels_of(segment_ids, len(hash_order))
    segments = ordered_segments(labels)
    counts = np.array([(labels == segment).sum() for segment in segments])
    ranks = hash_order.groupby(pd.Series(labels)).rank(method="first").to_numpy()
    mask = np.zeros(len(labels), dtype=bool)
    for segment, places in zip(segments, _allot(counts, size), strict=True):
        mask |= (labels == segment) & (ranks <= places)
    return mask


def _allot(counts: np.ndarray, size: int) -> np.ndarray:
    """Return how many of ``size`` places each segment gets."""
    if counts.sum() <= size:
        return counts
    least = np.minimum(counts, MINIMUM_PER_SEGMENT)
    fixed = np.zeros(len(counts), dtype=bool)
    # A segment lifted to its minimum leaves less to the others, which may bring the
    # next one below its own.
    while True:
        left = max(size - least[fixed].sum(), 0)
        quota = np.where(fixed, least, counts * left / max(counts[~fixed].sum(), 1))
        below = ~fixed & (quota < least)
        if not below.any():
            break
        fixed |= below
    places = np.floor(quota).astype(int)
    spare = max(size - places.sum(), 0) if not fixed.all() else 0
    remainders = round_values(quota - places)
    for position in np.argsort(-remainders, kind="stable")[:spare]:
        places[position] += 1
    return places
