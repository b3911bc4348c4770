"""Preparation: from raw features to the space in which distances are measured."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from segmentation.frames import require_columns, with_dtypes

DECIMALS = 9
SETTINGS_COLUMNS = (
    "segmentation",
    "feature",
    "position",
    "transform",
    "scaling",
    "algorithm",
    "cluster_count",
    "minimum_cluster_count",
    "maximum_cluster_count",
    "random_seed",
    "configuration_hash",
    "as_of_date",
)
PREPARATION_DTYPES = {
    "feature": "string",
    "position": "Int64",
    "transform": "string",
    "centring": "float64",
    "scale": "float64",
}


def round_values(values: np.ndarray) -> np.ndarray:
    """Return the values rounded to 9 decimals, without a negative zero.

    Negative zero equals zero but is written differently, which would change a
    hash over the text of the number.
    """
    return np.round(values, DECIMALS) + 0.0


def each_segmentation(
    sample: pd.DataFrame, settings: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yield name, sampled customers and settings of each segmentation, by name.

    The customers come sorted by ``sample_rank``, so that no result depends on the
    row order of the sample.

    Parameters
    ----------
    sample
        One row per segmentation and sampled customer: segmentation, sample_rank,
        and one column per feature.
    settings
        One row per segmentation and feature, with ``SETTINGS_COLUMNS``.

    Raises
    ------
    ValueError
        If a column is missing, settings contradict each other within a
        segmentation, the algorithm is unknown, or a sample rank occurs twice.

    """
    require_columns(settings, SETTINGS_COLUMNS, name="settings")
    require_columns(sample, ["segmentation", "sample_rank"], name="sample")
    require_columns(sample, sorted(set(settings["feature"])), name="sample")
    per_feature = {"segmentation", "feature", "position", "transform", "scaling"}
    for segmentation, rows in settings.groupby("segmentation", sort=True):
        for column in SETTINGS_COLUMNS:
            if column not in per_feature and len(rows[column].drop_duplicates()) > 1:
                raise ValueError(
                    f"settings of segmentation {segmentation!r} have more than one "
                    f"{column}"
                )
        if rows["algorithm"].iloc[0] != "kmeans":
            raise ValueError(
                f"algorithm of segmentation {segmentation!r} is "
                f"{rows['algorithm'].iloc[0]!r}; known: 'kmeans'"
            )
        customers = sample[sample["segmentation"] == segmentation]
        if customers["sample_rank"].duplicated().any():
            raise ValueError(
                f"sample has a sample_rank twice in segmentation {segmentation!r}"
            )
        yield str(segmentation), customers.sort_values("sample_rank"), rows


def fit_preparation(features: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return how to bring each feature of one segmentation onto a common scale.

    Standard scaling is the z-score with the population standard deviation, as in
    scikit-learn's ``StandardScaler``. Centring and scale are rounded to 9 decimals
    here, so that the stored numbers are the very ones the fit used.

    Parameters
    ----------
    features
        One row per customer: sample_rank, and one column per feature, in raw units.
    settings
        One row per feature: feature, position, transform ('log1p' or 'none'),
        scaling ('standard' or 'none').

    Returns
    -------
    DataFrame
        One row per feature, ordered by position: feature, position, transform,
        centring and scale (both in units of the transformed feature; 0 and 1
        without scaling; scale 1 where the feature does not vary).

    Raises
    ------
    ValueError
        If a column is missing, a transform or scaling is unknown, a feature or
        position occurs twice, there are no customers, or a feature has a value that
        is no finite number.

    """
    require_columns(
        settings, ["feature", "position", "transform", "scaling"], name="settings"
    )
    require_columns(features, ["sample_rank", *settings["feature"]], name="features")
    for column in ("feature", "position"):
        if settings[column].duplicated().any():
            raise ValueError(f"settings have the same {column} twice")
    if features.empty:
        raise ValueError("features has no rows")
    _require_known(settings, "scaling", ("standard", "none"))

    settings = settings.sort_values("position").reset_index(drop=True)
    # A sum of doubles depends on its order; the rank fixes the order.
    transformed = _transform(features.sort_values("sample_rank"), settings)
    standard = settings["scaling"].eq("standard").to_numpy()
    # The mean of equal numbers may miss them in the last digit and leave a spread
    # of rounding errors, so equal numbers are told by their range.
    constant = np.ptp(transformed, axis=0) == 0
    means = np.where(constant, transformed[0], transformed.mean(axis=0))
    spreads = round_values(np.where(constant, 0, transformed.std(axis=0)))
    centring = np.where(standard, round_values(means), 0.0)
    scale = np.where(standard & (spreads > 0), spreads, 1.0)
    return with_dtypes(
        settings.assign(centring=centring, scale=scale), PREPARATION_DTYPES
    )


def prepare(features: pd.DataFrame, preparation: pd.DataFrame) -> np.ndarray:
    """Return the customers as points: ``(t(x) - centring) / scale``.

    ``t(x)`` is ``log1p(max(x, 0))`` for 'log1p', where a negative net spend counts
    as zero, and ``x`` for 'none'. Raw and prepared values are rounded to 9 decimals,
    so that engines that add in another order give the same points.

    Parameters
    ----------
    features
        One row per customer, one column per feature, in raw units.
    preparation
        As ``fit_preparation`` returns it.

    Returns
    -------
    ndarray of shape (n customers, p features)
        Rows as in ``features``, columns by position.

    Raises
    ------
    ValueError
        If a column is missing, a transform is unknown, or a feature has a value
        that is no finite number.

    """
    require_columns(preparation, PREPARATION_DTYPES, name="preparation")
    require_columns(features, preparation["feature"], name="features")
    preparation = preparation.sort_values("position")
    centring = preparation["centring"].to_numpy(dtype=float)
    scale = preparation["scale"].to_numpy(dtype=float)
    return round_values((_transform(features, preparation) - centring) / scale)


def _transform(features: pd.DataFrame, preparation: pd.DataFrame) -> np.ndarray:
    _require_known(preparation, "transform", ("log1p", "none"))
    columns = []
    for feature, transform in zip(
        preparation["feature"], preparation["transform"], strict=True
    ):
        values = features[feature].to_numpy(dtype=float, na_value=np.nan)
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise ValueError(
                f"feature {feature!r} has {bad} values that are no finite number"
            )
        values = round_values(values)
        columns.append(
            np.log1p(np.maximum(values, 0)) if transform == "log1p" else values
        )
    return np.column_stack(columns)


def _require_known(frame: pd.DataFrame, column: str, known: tuple[str, ...]) -> None:
    unknown = sorted(set(frame[column]) - set(known))
    if unknown:
        raise ValueError(
            f"unknown {column} {unknown[0]!r}; known: {', '.join(map(repr, known))}"
        )
