"""Candidates: every number of clusters that was tried, and why one was chosen."""

import numpy as np
import pandas as pd

from segmentation.clustering import NotConvergedError, fit_kmeans, silhouette
from segmentation.frames import require_columns, with_dtypes
from segmentation.preparation import each_segmentation, fit_preparation, prepare
from segmentation.prototypes import PROTOTYPE_DTYPES, version_in_force

CANDIDATE_DTYPES = {
    "segmentation": "string",
    "algorithm": "string",
    "cluster_count": "Int64",
    "inertia": "float64",
    "silhouette": "float64",
    "smallest_share": "float64",
    "largest_share": "float64",
    "is_elbow": "boolean",
    "is_chosen": "boolean",
    "status": "string",
    "reason": "string",
}
MINIMUM_CUSTOMERS = 50
MINIMUM_DISTINCT_ROWS = 3
# Two clusters split customers into more and less, which a sort does as well; the
# silhouette prefers them on nearly every continuum.
MINIMUM_CLUSTER_COUNT = 3
SILHOUETTE_ROWS = 5_000
USABLE_SHARE = 0.01
MEASURE_DECIMALS = 6


def evaluate_candidates(
    sample: pd.DataFrame, settings: pd.DataFrame, registry: pd.DataFrame
) -> pd.DataFrame:
    """Return the measures of every number of clusters k, and which k is chosen.

    k runs from 2 to maximum_cluster_count and at most to the number of distinct
    prepared rows; a k that the settings ask for is tried wherever it lies. 'auto'
    chooses the highest silhouette from minimum_cluster_count (at least 3) on; equal
    ones, after rounding to 6 decimals, go to the smaller k. A published k of the
    same configuration is kept as long as it is usable, so that a refit does not
    rename the customers for a gain in the third decimal.

    Parameters
    ----------
    sample
        One row per segmentation and sampled customer: segmentation, sample_rank,
        and one column per feature, in raw units.
    settings
        One row per segmentation and feature, with
        ``segmentation.preparation.SETTINGS_COLUMNS``.
    registry
        All published versions as ``fit_prototypes`` returns them; may be empty.

    Returns
    -------
    DataFrame
        One row per segmentation and k, with ``CANDIDATE_DTYPES``: inertia (squared
        prepared units), silhouette (-1 to 1, on the first 5,000 customers by rank),
        smallest_share and largest_share (of the sampled customers), all rounded to
        6 decimals; is_elbow marks the largest distance below the chord of the
        normalised inertia curve ("kneedle", Satopaa et al. 2011). A segmentation
        has either one chosen row or one row without k that says why there is none,
        with the status 'insufficient_data', 'no_variation' or 'not_fitted'.

    Raises
    ------
    ValueError
        If a column is missing, a setting is wrong or a feature has nulls.

    """
    require_columns(registry, PROTOTYPE_DTYPES, name="registry")
    registry = with_dtypes(registry, PROTOTYPE_DTYPES)
    rows = []
    for segmentation, customers, own in each_segmentation(sample, settings):
        asked = _asked_cluster_count(own)
        published = registry[registry["segmentation"] == segmentation]
        found = _candidates_of(customers, own, published, asked)
        rows += [
            {"segmentation": segmentation, "algorithm": own["algorithm"].iloc[0]} | row
            for row in found
        ]
    return with_dtypes(pd.DataFrame(rows), CANDIDATE_DTYPES)


def _asked_cluster_count(settings: pd.DataFrame) -> int | None:
    """Return the number set, or None for 'auto'."""
    first = settings.iloc[0]
    text = str(first["cluster_count"]).strip()
    if text != "auto" and not (text.isdecimal() and int(text) >= 2):
        raise ValueError(
            f"cluster_count of segmentation {first['segmentation']!r} is {text!r}; "
            "use 'auto' or a whole number from 2"
        )
    lowest = max(int(first["minimum_cluster_count"]), MINIMUM_CLUSTER_COUNT)
    if text == "auto" and lowest > first["maximum_cluster_count"]:
        raise ValueError(
            f"maximum_cluster_count of segmentation {first['segmentation']!r} is "
            f"{first['maximum_cluster_count']}; use at least {lowest}"
        )
    return None if text == "auto" else int(text)


def _candidates_of(customers, settings, published, asked) -> list[dict]:
    first = settings.iloc[0]
    if len(customers) < MINIMUM_CUSTOMERS:
        return [
            _without_choice(
                "insufficient_data",
                f"{len(customers)} sampled customers; at least {MINIMUM_CUSTOMERS} "
                "are needed",
            )
        ]
    points = prepare(customers, fit_preparation(customers, settings))
    distinct = len(np.unique(points, axis=0))
    if distinct < MINIMUM_DISTINCT_ROWS:
        return [
            _without_choice(
                "no_variation",
                f"{len(points)} sampled customers differ in only {distinct} distinct "
                f"rows; at least {MINIMUM_DISTINCT_ROWS} are needed",
            )
        ]

    highest = min(int(first["maximum_cluster_count"]), distinct)
    counts = list(range(2, highest + 1))
    if asked and highest < asked <= distinct:
        counts.append(asked)
    seed = int(first["random_seed"])
    rows = [_measure(points, count, random_seed=seed) for count in counts]
    elbow = _elbow([row for row in rows if row["cluster_count"] <= highest])
    for row in rows:
        row["is_elbow"] = row["cluster_count"] == elbow
    if asked:
        return _choose_asked(rows, asked, distinct)
    return _choose_automatically(rows, first, published, distinct)


def _measure(points: np.ndarray, cluster_count: int, *, random_seed: int) -> dict:
    row = _row(cluster_count=cluster_count, status="ok")
    try:
        _, labels, inertia = fit_kmeans(points, cluster_count, random_seed=random_seed)
    except NotConvergedError as error:
        return row | {"status": "not_converged", "reason": str(error)}
    shares = np.bincount(labels) / len(labels)
    first = slice(SILHOUETTE_ROWS)
    measures = {
        "inertia": inertia,
        "silhouette": silhouette(points[first], labels[first]),
        "smallest_share": shares.min(),
        "largest_share": shares.max(),
    }
    return row | {name: round(v, MEASURE_DECIMALS) for name, v in measures.items()}


def _elbow(rows: list[dict]) -> int | None:
    """Return the k farthest below the chord, or None where the curve has no bend."""
    rows = [row for row in rows if row["status"] == "ok"]
    if len(rows) < 3:
        return None
    counts = np.array([row["cluster_count"] for row in rows], dtype=float)
    inertias = np.array([row["inertia"] for row in rows])
    if inertias[0] <= inertias[-1]:
        return None
    x = (counts - counts[0]) / (counts[-1] - counts[0])
    y = (inertias - inertias[-1]) / (inertias[0] - inertias[-1])
    below = np.round((1 - x - y) / np.sqrt(2), 9)
    return int(counts[below.argmax()]) if below.max() > 0 else None


def _choose_asked(rows: list[dict], asked: int, distinct: int) -> list[dict]:
    reason = f"cluster_count is set to {asked}"
    for row in rows:
        if row["status"] == "ok":
            row["is_chosen"] = row["cluster_count"] == asked
            row["reason"] = reason
    if any(row["is_chosen"] for row in rows):
        return rows
    failed = [row["reason"] for row in rows if row["cluster_count"] == asked]
    why = failed[0] if failed else f"the sample has only {distinct} distinct rows"
    return [*rows, _without_choice("not_fitted", f"{reason}, but {why}")]


def _choose_automatically(rows, settings, published, distinct) -> list[dict]:
    lowest = max(int(settings["minimum_cluster_count"]), MINIMUM_CLUSTER_COUNT)
    measured = [row for row in rows if row["status"] == "ok"]
    eligible = [
        row
        for row in measured
        if row["cluster_count"] >= lowest and not np.isnan(row["silhouette"])
    ]
    if not eligible:
        reason = (
            f"no k from {lowest} to {settings['maximum_cluster_count']} could be "
            f"fitted to {distinct} distinct rows"
        )
        for row in measured:
            row["reason"] = _rejection(row, lowest)
        return [*rows, _without_choice("not_fitted", reason)]

    # max returns the first of equals, and the rows are in order of k.
    best = max(eligible, key=lambda row: row["silhouette"])
    best_count = best["cluster_count"]
    kept_count, kept_since = _published_choice(published, settings)
    kept = [
        row
        for row in measured
        if row["cluster_count"] == kept_count and row["smallest_share"] >= USABLE_SHARE
    ]
    chosen = kept[0] if kept else best
    for row in measured:
        if row not in eligible:
            row["reason"] = _rejection(row, lowest)
        elif row is best:
            row["reason"] = (
                f"highest silhouette, {best['silhouette']:.3f}, from k = {lowest} to "
                f"{eligible[-1]['cluster_count']}"
            )
        else:
            row["reason"] = (
                f"silhouette {row['silhouette']:.3f}, against "
                f"{best['silhouette']:.3f} at k = {best_count}"
            )
    # Said only where it makes a difference, so that the build after publishing
    # gives the same rows as the build before.
    if chosen is not best:
        chosen["reason"] = (
            f"kept at k = {kept_count} from published version {kept_since}; the "
            f"silhouette alone would now choose {best_count}"
        )
    chosen["is_chosen"] = True
    return rows


def _published_choice(published, settings) -> tuple[int | None, int | None]:
    """Return the k in force under this configuration, and the version it is from.

    That is the first version of the unbroken run with this k and configuration, not
    the last: publishing a refit must not change the reason of its own rebuild.
    """
    held = version_in_force(published, settings["as_of_date"])
    if held.empty:
        return None, None
    version = held["model_version"].iloc[0]
    count = held["cluster_count"].iloc[0]
    earlier = (
        published[published["model_version"] <= version]
        .drop_duplicates("model_version")
        .sort_values("model_version", ascending=False)
    )
    since = None
    for row in earlier.itertuples():
        if (row.cluster_count, row.configuration_hash) != (
            count,
            settings["configuration_hash"],
        ):
            break
        since = row.model_version
    return (None, None) if since is None else (int(count), int(since))


def _rejection(row: dict, lowest: int) -> str:
    if row["cluster_count"] < lowest:
        return f"fewer than the minimum of {lowest} clusters"
    return f"no silhouette: undefined for the first {SILHOUETTE_ROWS:,} customers"


def _without_choice(status: str, reason: str) -> dict:
    return _row(cluster_count=None, status=status, reason=reason)


def _row(*, cluster_count: int | None, status: str, reason: str | None = None) -> dict:
    nan = float("nan")
    return {
        "cluster_count": cluster_count,
        "inertia": nan,
        "silhouette": nan,
        "smallest_share": nan,
        "largest_share": nan,
        "is_elbow": False,
        "is_chosen": False,
        "status": status,
        "reason": reason,
    }
