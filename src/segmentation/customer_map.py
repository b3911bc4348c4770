"""Customer map: two principal components, to draw the segments on paper."""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from segmentation.frames import require_columns, with_dtypes
from segmentation.preparation import round_values

LOADING_DTYPES = {
    "component": "Int64",
    "feature": "string",
    "level": "string",
    "position": "Int64",
    "loading": "float64",
    "centring": "float64",
    "explained_variance_ratio": "float64",
}


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
