"""Preparation: from raw features to the space in which distances are measured."""

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.stats import rankdata

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
# What a settings column means where it is absent.
OPTIONAL_SETTINGS = {
    "kind": "numeric",
    "missing": "refuse",
    "maximum_missing_share": 1.0,
    "lower_quantile": 0.0,
    "upper_quantile": 1.0,
    "minimum_level_share": 0.05,
    "maximum_correlation": 0.95,
    "check_volume": False,
    "fallback": "none",
}
# Whether the segmentation is fitted anew, and why; anew where nothing is said. The fit
# and its evidence do not depend on it otherwise.
REFIT_SETTINGS = ("is_refit", "refit_reason")
PER_SEGMENTATION = (
    "algorithm",
    "cluster_count",
    "minimum_cluster_count",
    "maximum_cluster_count",
    "random_seed",
    "configuration_hash",
    "as_of_date",
    "check_volume",
    "fallback",
    *REFIT_SETTINGS,
)
ALGORITHMS = ("kmeans", "hierarchical", "dbscan")
KNOWN = {
    "kind": ("numeric", "categorical"),
    "transform": ("log1p", "none"),
    "scaling": ("standard", "robust", "min_max", "none"),
    "missing": ("median", "most_frequent", "refuse"),
    "fallback": ("none", "tertiles"),
}
PREPARATION_DTYPES = {
    "feature": "string",
    "level": "string",
    "position": "Int64",
    "transform": "string",
    "fill_value": "float64",
    "fill_level": "string",
    "lower": "float64",
    "upper": "float64",
    "centring": "float64",
    "scale": "float64",
}
# A preparation stored before there were categories has only these.
REQUIRED_PREPARATION = ("feature", "position", "transform", "centring", "scale")
DESCRIPTION_DTYPES = {
    "feature": "string",
    "status": "string",
    "note": "string",
    "missing_count": "Int64",
    "clipped_count": "Int64",
    "distinct_count": "Int64",
}
OTHER_LEVEL = "(other)"
CATEGORY_WEIGHT = 0.5
# With fewer customers two unrelated features may well have the same order.
CORRELATION_CUSTOMERS = 30
VOLUME_FEATURE = "frequency"
VOLUME_CORRELATION = 0.9
VOLUME_ITSELF = ("frequency", "monetary", "recency_days")


def round_values(values: np.ndarray) -> np.ndarray:
    """Return the values rounded to 9 decimals, without a negative zero.

    Negative zero equals zero but is written differently, which would change a
    hash over the text of the number.
    """
    return np.round(values, DECIMALS) + 0.0


def is_refit(settings: pd.DataFrame) -> bool:
    """Tell whether the settings of one segmentation ask for a fit."""
    return "is_refit" not in settings or bool(settings["is_refit"].iloc[0])


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
        One row per segmentation and feature, with ``SETTINGS_COLUMNS`` and any of
        ``OPTIONAL_SETTINGS``.

    Raises
    ------
    ValueError
        If a column is missing, settings contradict each other within a
        segmentation, the algorithm or fallback is unknown, or a sample rank occurs
        twice.

    """
    require_columns(settings, SETTINGS_COLUMNS, name="settings")
    require_columns(sample, ["segmentation", "sample_rank"], name="sample")
    for segmentation, rows in settings.groupby("segmentation", sort=True):
        # A feature of another segmentation may be absent.
        require_columns(sample, sorted(set(rows["feature"])), name="sample")
        for column in PER_SEGMENTATION:
            if column in rows and len(rows[column].drop_duplicates()) > 1:
                raise ValueError(
                    f"settings of segmentation {segmentation!r} have more than one "
                    f"{column}"
                )
        if rows["algorithm"].iloc[0] not in ALGORITHMS:
            raise ValueError(
                f"algorithm of segmentation {segmentation!r} is "
                f"{rows['algorithm'].iloc[0]!r}; known: "
                f"{', '.join(map(repr, ALGORITHMS))}"
            )
        if "fallback" in rows:
            _require_known(rows, "fallback")
        customers = sample[sample["segmentation"] == segmentation]
        if customers["sample_rank"].duplicated().any():
            raise ValueError(
                f"sample has a sample_rank twice in segmentation {segmentation!r}"
            )
        yield str(segmentation), customers.sort_values("sample_rank"), rows


def fit_preparation(features: pd.DataFrame, settings: pd.DataFrame) -> pd.DataFrame:
    """Return how to bring each feature of one segmentation onto a common scale.

    Scaling is as in scikit-learn: 'standard' by mean and population standard
    deviation, 'robust' by median and interquartile range (where the quartiles
    coincide, by median and standard deviation: raw units would outweigh all
    else), 'min_max' to 0..1. Values are clipped at quantiles of the values that
    are present.

    A category becomes one column per level; levels of fewer than
    ``minimum_level_share`` of the customers are pooled into '(other)'. Its columns
    have one scale, so that all levels are equally far apart, and together half the
    variance of a numeric column; all categories together have at most the variance
    of all numeric columns. Plain standardised dummies would decide the segments
    alone.

    Left out are features that do not vary, miss more values than the limit, or
    order the customers nearly as an earlier feature or as the number of orders
    does; ``describe_preparation`` says which and why. All numbers are rounded to 9
    decimals here, so that the stored numbers are the very ones the fit used.

    Parameters
    ----------
    features
        One row per customer: sample_rank, and one column per feature, in raw units.
    settings
        One row per feature: feature, position, transform ('log1p' or 'none'),
        scaling ('standard', 'robust', 'min_max' or 'none'; numeric only), and any
        of ``OPTIONAL_SETTINGS``, with these defaults: kind ('numeric' or
        'categorical'), missing ('median', 'most_frequent' or 'refuse', an error),
        maximum_missing_share, lower_quantile and upper_quantile (0 and 1: no
        clipping), minimum_level_share, maximum_correlation (absolute Spearman
        correlation with an earlier feature, 1 for no check), check_volume (drop
        what has one above .9 with the column ``frequency``). (``fallback``, 'none'
        or 'tertiles', is for ``fit_prototypes``.)

    Returns
    -------
    DataFrame
        One row per prepared column, ordered by position (1, 2, ...): feature,
        level (null for numbers), position, transform, fill_value and fill_level
        (what a missing value counts as; null: refused), lower and upper (limits in
        raw units, null for none), centring and scale (in units of the transformed
        feature; 0 and 1 without scaling). No rows if no feature is left.

    Raises
    ------
    ValueError
        If a column is missing, a setting is unknown or contradicts another, a
        feature or position occurs twice, there are no customers, or a feature has
        an infinite value or, where it refuses them, a missing one.

    """
    fits = _examine(features, settings)
    rows = [row for fit in fits if fit["status"] == "used" for row in fit["rows"]]
    frame = pd.DataFrame(rows, columns=list(PREPARATION_DTYPES))
    return with_dtypes(
        frame.assign(position=range(1, len(frame) + 1)), PREPARATION_DTYPES
    )


def prepare(features: pd.DataFrame, preparation: pd.DataFrame) -> np.ndarray:
    """Return the customers as points in prepared space.

    A number becomes ``(t(clip(coalesce(x, fill_value))) - centring) / scale``,
    where ``t(x)`` is ``log1p(max(x, 0))`` for 'log1p', where a negative net spend
    counts as zero, and ``x`` for 'none'. A level becomes ``((coalesce(x,
    fill_level) is the level) - centring) / scale``, where '(other)' stands for
    every level that is not listed. Raw and prepared values are rounded to 9
    decimals, so that engines that add in another order give the same points.

    Parameters
    ----------
    features
        One row per customer, one column per feature, in raw units.
    preparation
        As ``fit_preparation`` returns it; absent columns count as null.

    Returns
    -------
    ndarray of shape (n customers, p prepared columns)
        Rows as in ``features``, columns by position.

    Raises
    ------
    ValueError
        If a column is missing, a transform is unknown, or a feature has an
        infinite value or, without a fill value, a missing one.

    """
    require_columns(preparation, REQUIRED_PREPARATION, name="preparation")
    require_columns(features, preparation["feature"], name="features")
    _require_known(preparation, "transform")
    preparation = preparation.reindex(columns=list(PREPARATION_DTYPES))
    preparation = with_dtypes(preparation.sort_values("position"), PREPARATION_DTYPES)
    points = np.empty((len(features), len(preparation)))
    for column, row in enumerate(preparation.itertuples()):
        if pd.isna(row.level):
            values = _transformed(_filled_numbers(features, row), row)
        else:
            own = preparation["level"][preparation["feature"] == row.feature]
            values = _is_level(_filled_levels(features, row), row.level, set(own))
        points[:, column] = (values - row.centring) / row.scale
    return round_values(points)


def describe_preparation(
    features: pd.DataFrame, settings: pd.DataFrame, preparation: pd.DataFrame
) -> pd.DataFrame:
    """Return what became of each configured feature, and why.

    Parameters
    ----------
    features, settings
        As for ``fit_preparation``.
    preparation
        The preparation in use; usually that of the same features and settings.

    Returns
    -------
    DataFrame
        One row per feature by configured position, with ``DESCRIPTION_DTYPES``:
        status 'used', 'dropped' or 'refused' (too many values missing); a note in
        words; how many customers miss it, how many the limits of the preparation
        clip (null unless used), and how many distinct values there are.

    Raises
    ------
    ValueError
        As ``fit_preparation``.

    """
    require_columns(preparation, REQUIRED_PREPARATION, name="preparation")
    preparation = with_dtypes(
        preparation.reindex(columns=list(PREPARATION_DTYPES)), PREPARATION_DTYPES
    )
    described = []
    for fit in _examine(features, settings):
        row = {name: fit[name] for name in ("feature", "status", "note")}
        raw = _levels(features, fit["feature"])
        if fit["kind"] == "numeric":
            raw = pd.Series(_numbers(features, fit["feature"]))
        row["missing_count"] = raw.isna().sum()
        row["distinct_count"] = raw.nunique()
        row["clipped_count"] = None
        used = preparation[preparation["feature"] == fit["feature"]]
        if used.empty and fit["status"] == "used":
            row |= {"status": "dropped", "note": "not part of the model in use"}
        elif not used.empty:
            notes, row["clipped_count"] = _use(features, fit, used, raw)
            row |= {"status": "used", "note": "; ".join(notes)}
        described.append(row)
    return with_dtypes(
        pd.DataFrame(described, columns=list(DESCRIPTION_DTYPES)), DESCRIPTION_DTYPES
    )


def _examine(features: pd.DataFrame, settings: pd.DataFrame) -> list[dict]:
    """Return per configured feature: its status, note, and rows of parameters."""
    settings = _completed(settings)
    require_columns(features, ["sample_rank", *settings["feature"]], name="features")
    if features.empty:
        raise ValueError("features has no rows")
    # A sum of doubles depends on its order; the rank fixes the order.
    features = features.sort_values("sample_rank")
    fits: list[dict] = []
    for setting in settings.itertuples():
        fit = {"feature": setting.feature, "kind": setting.kind, "note": None}
        numeric = setting.kind == "numeric"
        reason = _too_much_missing(features, setting)
        if reason:
            fits.append(fit | {"status": "refused", "note": reason})
            continue
        fit |= (_fit_number if numeric else _fit_category)(features, setting)
        reason = fit.pop("constant") or (
            numeric and _order_of_another(features, setting, fit, fits)
        )
        fits.append(
            fit
            | {"status": "dropped" if reason else "used"}
            | ({"note": reason} if reason else {})
        )
    _weigh_categories([fit for fit in fits if fit["status"] == "used"])
    return fits


def _completed(settings: pd.DataFrame) -> pd.DataFrame:
    """Return the settings by position, with defaults, or raise if they are wrong."""
    require_columns(
        settings, ["feature", "position", "transform", "scaling"], name="settings"
    )
    for column in ("feature", "position"):
        if settings[column].duplicated().any():
            raise ValueError(f"settings have the same {column} twice")
    defaults = {c: v for c, v in OPTIONAL_SETTINGS.items() if c not in settings}
    settings = settings.assign(**defaults).sort_values("position")
    for column in KNOWN:
        _require_known(settings, column)
    for row in settings.itertuples():
        if not 0 <= row.lower_quantile < row.upper_quantile <= 1:
            raise ValueError(
                f"feature {row.feature!r} is clipped at the quantiles "
                f"{row.lower_quantile} and {row.upper_quantile}; they must rise "
                "within 0 to 1"
            )
        for setting, value in (("missing", "median"), ("transform", "log1p")):
            if row.kind == "categorical" and getattr(row, setting) == value:
                raise ValueError(
                    f"feature {row.feature!r} is categorical; {setting} {value!r} is "
                    "for numbers"
                )
    return settings


def _too_much_missing(features, setting) -> str | None:
    missing = _raw(features, setting).isna()
    if missing.all() and setting.missing != "refuse":
        return "all values are missing"
    if missing.mean() > setting.maximum_missing_share:
        return (
            f"{missing.mean():.1%} of the values are missing, more than the limit of "
            f"{setting.maximum_missing_share:.1%}"
        )
    return None


def _fit_number(features, setting) -> dict:
    values = _numbers(features, setting.feature)
    present = np.sort(values[~np.isnan(values)])
    row = dict.fromkeys(PREPARATION_DTYPES)
    row |= {"feature": setting.feature, "transform": setting.transform}
    row |= {"fill_value": np.nan, "lower": np.nan, "upper": np.nan}
    if setting.missing == "median":
        row["fill_value"] = np.median(present)
    elif setting.missing == "most_frequent":
        distinct, counts = np.unique(present, return_counts=True)
        row["fill_value"] = distinct[counts.argmax()]  # of equals the smallest
    if setting.lower_quantile > 0:
        row["lower"] = np.quantile(present, setting.lower_quantile)
    if setting.upper_quantile < 1:
        row["upper"] = np.quantile(present, setting.upper_quantile)
    for name in ("fill_value", "lower", "upper"):
        row[name] = float(round_values(row[name]))
    parameters = SimpleNamespace(**row)
    filled = _filled_numbers(features, parameters)
    transformed = _transformed(filled, parameters)
    # The mean of equal numbers may miss them in the last digit and leave a spread
    # of rounding errors, so equal numbers are told by their range.
    spread = round_values(transformed.std())
    if np.ptp(transformed) == 0 or spread == 0:
        clipped = np.ptp(filled) > 0
        constant = "the same for all customers" + (" once prepared" if clipped else "")
        return {"constant": constant}
    row["centring"], row["scale"] = 0.0, 1.0
    note = None
    if setting.scaling == "standard":
        row["centring"], row["scale"] = transformed.mean(), spread
    elif setting.scaling == "min_max":
        row["centring"], row["scale"] = transformed.min(), np.ptp(transformed)
    elif setting.scaling == "robust":
        low, row["centring"], high = np.quantile(transformed, [0.25, 0.5, 0.75])
        row["scale"] = round_values(high - low)
        if row["scale"] == 0:
            row["scale"] = spread
            note = "quartiles coincide, so scaled by the standard deviation"
    for name in ("centring", "scale"):
        row[name] = float(round_values(row[name]))
    return {
        "constant": None,
        "rows": [row],
        "note": note,
        "transformed": transformed,
        "variance": (transformed.std() / row["scale"]) ** 2,
    }


def _fit_category(features, setting) -> dict:
    levels = _levels(features, setting.feature)
    # value_counts puts the rows of equal counts in order of appearance.
    counts = levels.value_counts().sort_index()
    fill = counts.idxmax() if setting.missing == "most_frequent" else None
    row = dict.fromkeys(PREPARATION_DTYPES)
    row |= {"feature": setting.feature, "transform": "none", "fill_level": fill}
    filled = _filled_levels(features, SimpleNamespace(**row))
    shares = filled.value_counts(normalize=True)
    rare = (shares < setting.minimum_level_share) | (shares.index == OTHER_LEVEL)
    listed = sorted(shares.index[~rare])
    pooled = sorted(shares.index[rare])
    if pooled:
        listed.append(OTHER_LEVEL)
    if len(listed) < 2:
        return {
            "constant": f"every level is rarer than {setting.minimum_level_share:.1%}"
            if pooled
            else "the same for all customers"
        }
    rows = [
        row
        | {
            "level": level,
            "centring": float(
                round_values(_is_level(filled, level, set(listed)).mean())
            ),
        }
        for level in listed
    ]
    noun = "level" if len(pooled) == 1 else "levels"
    return {
        "constant": None,
        "rows": rows,
        "note": f"{len(pooled)} rare {noun} pooled" if pooled else None,
    }


def _weigh_categories(fits: list[dict]) -> None:
    """Set the scale of all columns of categories, which depends on the others."""
    numbers = [fit["variance"] for fit in fits if fit["kind"] == "numeric"]
    categories = [fit for fit in fits if fit["kind"] == "categorical"]
    variance = CATEGORY_WEIGHT * (np.mean(numbers) if numbers else 1.0)
    if numbers and categories:
        variance = min(variance, np.sum(numbers) / len(categories))
    for fit in categories:
        own = sum(row["centring"] * (1 - row["centring"]) for row in fit["rows"])
        for row in fit["rows"]:
            row["scale"] = float(round_values(np.sqrt(own / variance)))


def _order_of_another(features, setting, fit, earlier) -> str | None:
    """Say which other feature orders the customers nearly as this one, if any."""
    if len(features) < CORRELATION_CUSTOMERS:
        return None
    if (
        setting.check_volume
        and VOLUME_FEATURE in features
        and setting.feature not in VOLUME_ITSELF
    ):
        volume = _numbers(features, VOLUME_FEATURE)
        known = ~np.isnan(volume)
        found = _spearman(fit["transformed"][known], volume[known])
        if abs(found) > VOLUME_CORRELATION:
            return (
                f"the number of orders in disguise: rank correlation {found:.3f} "
                f"with {VOLUME_FEATURE}"
            )
    for other in earlier:
        if other["status"] == "used" and other["kind"] == "numeric":
            found = _spearman(fit["transformed"], other["transformed"])
            if abs(found) > setting.maximum_correlation:
                return f"rank correlation {found:.3f} with {other['feature']}"
    return None


def _spearman(one: np.ndarray, other: np.ndarray) -> float:
    """Return Spearman's rank correlation, 0 where one side does not vary."""
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(round_values(np.corrcoef(rankdata(one), rankdata(other))[0, 1]))


def _use(features, fit, used, raw) -> tuple[list[str], int]:
    """Return in words how the preparation treats a feature, and the clipped count."""
    row = next(used.itertuples())
    notes = []
    missing = int(raw.isna().sum())
    if missing:
        numeric = fit["kind"] == "numeric"
        fill = _text(row.fill_value) if numeric else row.fill_level
        noun = "value" if missing == 1 else "values"
        notes.append(f"{missing:,} missing {noun} filled with {fill}")
    clipped = 0
    if fit["kind"] == "numeric":
        filled = _filled_numbers(features, row)
        clipped = int(((filled < row.lower) | (filled > row.upper)).sum())
        limits = {"to at least": row.lower, "to at most": row.upper}
        words = [f"{w} {_text(v)}" for w, v in limits.items() if not np.isnan(v)]
        if words:
            noun = "customer" if clipped == 1 else "customers"
            notes.append(f"{clipped:,} {noun} clipped {' and '.join(words)}")
    if fit["status"] == "used" and fit["note"]:
        notes.append(fit["note"])
    return notes or ["nothing filled, clipped or pooled"], clipped


def _text(value: float) -> str:
    digits = 2 if abs(value) >= 1 else 4
    return np.format_float_positional(round(value, digits), trim="-")


def _raw(features, setting) -> pd.Series:
    if setting.kind == "categorical":
        return _levels(features, setting.feature)
    return pd.Series(_numbers(features, setting.feature))


def _numbers(features: pd.DataFrame, feature: str) -> np.ndarray:
    """Return the values rounded, NaN where missing."""
    values = features[feature].to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        _raise_not_finite(feature, values)
    return round_values(values)


def _filled_numbers(features: pd.DataFrame, row) -> np.ndarray:
    values = _numbers(features, row.feature)
    missing = np.isnan(values)
    if missing.any() and np.isnan(row.fill_value):
        _raise_not_finite(row.feature, values)
    return np.where(missing, row.fill_value, values)


def _raise_not_finite(feature: str, values: np.ndarray) -> None:
    bad = int((~np.isfinite(values)).sum())
    raise ValueError(f"feature {feature!r} has {bad} values that are no finite number")


def _transformed(values: np.ndarray, row) -> np.ndarray:
    low = -np.inf if np.isnan(row.lower) else row.lower
    high = np.inf if np.isnan(row.upper) else row.upper
    values = np.clip(values, low, high)
    return np.log1p(np.maximum(values, 0)) if row.transform == "log1p" else values


def _levels(features: pd.DataFrame, feature: str) -> pd.Series:
    return features[feature].astype("string")


def _filled_levels(features: pd.DataFrame, row) -> pd.Series:
    levels = _levels(features, row.feature)
    if not pd.isna(row.fill_level):
        return levels.fillna(row.fill_level)
    if levels.isna().any():
        raise ValueError(
            f"feature {row.feature!r} has {int(levels.isna().sum())} missing values"
        )
    return levels


def _is_level(levels: pd.Series, level: str, listed: set[str]) -> np.ndarray:
    if level == OTHER_LEVEL:
        return (~levels.isin(listed - {OTHER_LEVEL})).to_numpy(dtype=float)
    return levels.eq(level).to_numpy(dtype=float)


def _require_known(frame: pd.DataFrame, column: str) -> None:
    known = KNOWN[column]
    unknown = sorted(set(frame[column]) - set(known))
    if unknown:
        raise ValueError(
            f"unknown {column} {unknown[0]!r}; known: {', '.join(map(repr, known))}"
        )
