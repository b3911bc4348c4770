"""Candidates: every number of clusters that was tried, and why one was chosen."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from segmentation import clustering, evidence
from segmentation.clustering import (
    ALGORITHMS,
    MINIMUM_SHARE,
    NOISE,
    Clustering,
    NotConvergedError,
    assign,
    fit_clustering,
    label_agreement,
    silhouette,
)
from segmentation.evidence import MINIMUM_STABILITY
from segmentation.frames import require_columns, with_dtypes
from segmentation.preparation import each_segmentation, fit_preparation, prepare
from segmentation.prototypes import (
    complete_registry,
    version_in_force,
)

CANDIDATE_DTYPES = {
    "segmentation": "string",
    "algorithm": "string",
    "cluster_count": "Int64",
    "inertia": "float64",
    "silhouette": "float64",
    "davies_bouldin": "float64",
    "calinski_harabasz": "float64",
    "stability": "float64",
    "stability_error": "float64",
    "separation": "float64",
    "smallest_share": "float64",
    "largest_share": "float64",
    "noise_share": "float64",
    "label_agreement": "float64",
    "period_persistence": "float64",
    "structure": "string",
    "is_elbow": "boolean",
    "is_usable": "boolean",
    "is_chosen": "boolean",
    "status": "string",
    "reason": "string",
}
MEASURES = tuple(name for name, dtype in CANDIDATE_DTYPES.items() if dtype == "float64")
MINIMUM_CUSTOMERS = 50
MINIMUM_DISTINCT_ROWS = 3
# Two clusters split customers into more and less, which a sort does as well; only a
# setting that says so lets 'auto' choose them.
LEAST_CLUSTER_COUNT = 2
# Fixed, because the elbow moves with the range it is looked for in.
ELBOW_RANGE = range(2, 11)
SILHOUETTE_ROWS = 5_000
RESAMPLES = 50
# What a single fit of the other algorithms costs grows with the square of the rows.
SLOW = {"resamples": 25, "most_rows": 2_000}
STABILITY_ROWS = {"kmeans": 10_000, "hierarchical": 5_000, "dbscan": 5_000}
DRAWS = 20
# Of the chosen one, where 20 draws leave the answer to chance.
MORE_DRAWS = 80
DOUBTFUL = 1.0
LEVEL_SHARE = 0.95
MEASURE_DECIMALS = 6


def evaluate_candidates(
    sample: pd.DataFrame,
    settings: pd.DataFrame,
    registry: pd.DataFrame,
    earlier_sample: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the measures of every number of clusters k, and which k is chosen.

    k runs from 2 to maximum_cluster_count and at most to the number of distinct
    prepared rows; a k that the settings ask for is tried wherever it lies. DBSCAN
    has the numbers it finds around the knee of its k-distance curve.

    'auto' answers two questions apart. A k is *usable* if it has at least
    minimum_cluster_count segments, each of at least 2 % of the customers (a smaller
    one on its own has been peeled off as the outliers), and a stability of at least
    .80. Of the usable ones the k farthest below the chord of the inertia curve from
    k = 2 to 10 is chosen, equal ones by the smaller k. A stability within one
    standard error of .80 is a tie, which the elbow decides: only the k farthest
    below the chord of all passes with it, or the published one. (For DBSCAN the
    knee takes the elbow's place.) Whether the clusters are *separated* is said by
    ``structure`` and does not decide. A usable published k of the same configuration
    is kept, so that a refit does not rename customers for a gain in the third
    decimal.

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
    earlier_sample
        The sampled customers as of half a period ago, by the same sample_rank; not
        all of them need to have been customers then.

    Returns
    -------
    DataFrame
        One row per segmentation, algorithm and k, with ``CANDIDATE_DTYPES``, of the
        customers as scoring labels them: inertia (squared prepared units);
        silhouette, davies_bouldin and calinski_harabasz (of the first 5,000
        customers by rank, without noise); stability, the mean adjusted Rand index
        of 50 refits (25 of the slower algorithms) on the first 10,000 (5,000)
        customers, and its standard error; separation, the spreads of the silhouette
        above data without clusters (null for what is unstable or below the
        minimum, unless asked for); smallest_share and largest_share of a segment;
        noise_share; label_agreement with the algorithm's own labels;
        period_persistence, the adjusted Rand index with the labels of half a period
        ago. All are rounded to 6 decimals. is_elbow marks the k farthest below the
        chord ("kneedle", Satopaa et al. 2011). A segmentation has either one chosen
        row or one row without k that says why there is none, with the status
        'insufficient_data', 'no_variation', 'not_fitted' or
        'unstable'. Below the chosen one's algorithm the others are rows for
        comparison.

    Raises
    ------
    ValueError
        If a column is missing, a setting is wrong or a feature has nulls.

    """
    registry = complete_registry(registry)
    rows = []
    for segmentation, customers, own in each_segmentation(sample, settings):
        asked = _asked_cluster_count(own)
        published = registry[registry["segmentation"] == segmentation]
        earlier = None
        if earlier_sample is not None:
            require_columns(
                earlier_sample,
                ["segmentation", "sample_rank", *own["feature"].unique()],
                name="earlier_sample",
            )
            earlier = earlier_sample[earlier_sample["segmentation"] == segmentation]
        found = _candidates_of(customers, own, published, asked, earlier)
        rows += [
            {"segmentation": segmentation, "algorithm": own["algorithm"].iloc[0]} | row
            for row in found
        ]
    return with_dtypes(pd.DataFrame(rows), CANDIDATE_DTYPES)


def _lowest(settings: pd.Series) -> int:
    return max(int(settings["minimum_cluster_count"]), LEAST_CLUSTER_COUNT)


def _asked_cluster_count(settings: pd.DataFrame) -> int | None:
    """Return the number set, or None for 'auto'."""
    first = settings.iloc[0]
    text = str(first["cluster_count"]).strip()
    if text != "auto" and not (text.isdecimal() and int(text) >= 2):
        raise ValueError(
            f"cluster_count of segmentation {first['segmentation']!r} is {text!r}; "
            "use 'auto' or a whole number from 2"
        )
    lowest = _lowest(first)
    if text == "auto" and lowest > first["maximum_cluster_count"]:
        raise ValueError(
            f"maximum_cluster_count of segmentation {first['segmentation']!r} is "
            f"{first['maximum_cluster_count']}; use at least {lowest}"
        )
    return None if text == "auto" else int(text)


@dataclass(frozen=True)
class _Customers:
    """The prepared customers of one segmentation, and what is kept between fits."""

    points: np.ndarray
    earlier_points: np.ndarray
    earlier_rows: np.ndarray
    random_seed: int
    trees: dict


def _candidates_of(customers, settings, published, asked, earlier) -> list[dict]:
    first = settings.iloc[0]
    if len(customers) < MINIMUM_CUSTOMERS:
        return [
            _without_choice(
                "insufficient_data",
                f"{len(customers)} sampled customers; at least {MINIMUM_CUSTOMERS} "
                "are needed",
            )
        ]
    preparation = fit_preparation(customers, settings)
    points = prepare(customers, preparation)
    distinct = len(np.unique(points, axis=0))
    if distinct < MINIMUM_DISTINCT_ROWS:
        return [
            _without_choice(
                "no_variation",
                f"{len(points)} sampled customers differ in only {distinct} distinct "
                f"rows; at least {MINIMUM_DISTINCT_ROWS} are needed",
            )
        ]
    then = customers.iloc[:0]
    if earlier is not None:
        then = earlier[earlier["sample_rank"].isin(customers["sample_rank"])]
        then = then.sort_values("sample_rank")
    prepared = _Customers(
        points,
        prepare(then, preparation) if len(then) else points[:0],
        np.searchsorted(
            customers["sample_rank"].to_numpy(), then["sample_rank"].to_numpy()
        ),
        int(first["random_seed"]),
        {},
    )

    algorithm = first["algorithm"]
    highest = min(int(first["maximum_cluster_count"]), distinct)
    counts = set(range(2, highest + 1)) | ({asked} if asked else set())
    fits, failures = _fits(prepared, algorithm, counts, distinct)
    lowest = _lowest(first)
    spread = float(((points - points.mean(axis=0)) ** 2).sum())
    elbow, below = _elbow(fits, algorithm, {1: spread} if lowest < 3 else {})
    if algorithm == "dbscan":
        counts = {count for count in fits if count <= highest or count == asked}
    shown = {count: fit for count, fit in fits.items() if count in counts}
    held, since = _published_choice(published, first)
    rows = []
    for count, fit in shown.items():
        row = _measure(prepared, algorithm, count, fit, lowest)
        row["is_elbow"] = count == elbow
        tie = count in (elbow, held)
        row["reason"] = _rejection(row, fit, lowest, tie=tie)
        row["is_usable"] = row["reason"] is None
        if count == asked and np.isnan(row["separation"]):
            row["separation"] = _separation(prepared, fit)
            row["structure"] = evidence.structure(row["stability"], row["separation"])
        if row["is_usable"] and row["stability"] < MINIMUM_STABILITY:  # a tie
            row["separation"] = _separation(prepared, fit)
            row["structure"] = evidence.structure(MINIMUM_STABILITY, row["separation"])
        rows.append(_rounded(row))
    rows += [
        _row(cluster_count=count, status="not_converged", reason=reason)
        for count, reason in failures.items()
        if count in counts
    ]
    rows.sort(key=lambda row: row["cluster_count"])
    if asked:
        rows = _choose_asked(rows, asked, distinct, algorithm)
    else:
        rows = _choose(rows, below, held, since, lowest, first, distinct)
    chosen = next((row for row in rows if row["is_chosen"]), None)
    if chosen is None:
        return rows
    fit = shown[chosen["cluster_count"]]
    labels = assign(points, fit)
    if abs(chosen["separation"] - evidence.SEPARATED) < DOUBTFUL:
        z = _separation(prepared, fit, draws=MORE_DRAWS)
        chosen["separation"] = round(z, MEASURE_DECIMALS)
        if chosen["structure"] != "unstable":
            chosen["structure"] = evidence.structure(MINIMUM_STABILITY, z)
    chosen["reason"] += f"; {_said(chosen)}"
    chosen["reason"] += "".join(_levels(customers, settings["feature"], labels))
    return rows + _comparisons(prepared, algorithm, chosen, labels, distinct)


# ---- fits and measures -------------------------------------------------------------


def _fits(prepared, algorithm, counts, distinct) -> tuple[dict, dict]:
    """Return the clusterings by k, over the elbow's range too, and failures by k."""
    if algorithm == "dbscan":
        # The knee comes first, which _elbow relies on.
        found = clustering.fit_dbscan(prepared.points)
        return {fit.segment_count: fit for fit in found}, {}
    fits, failures = {}, {}
    for count in sorted(counts | set(ELBOW_RANGE)):
        if count > distinct:
            break
        try:
            fits[count] = _fit(prepared, algorithm, count)
        except NotConvergedError as error:
            failures[count] = str(error)
    return fits, failures


def _fit(prepared: _Customers, algorithm: str, count: int) -> Clustering:
    seed = prepared.random_seed
    if algorithm != "hierarchical":
        return fit_clustering(prepared.points, algorithm, count, random_seed=seed)
    if "all" not in prepared.trees:
        prepared.trees["all"] = clustering.fit_ward(prepared.points, random_seed=seed)
    return clustering.cut_ward(
        prepared.points, prepared.trees["all"], count, random_seed=seed
    )


def _elbow(fits: dict, algorithm: str, before: dict) -> tuple[int | None, dict]:
    """Return the k farthest below the chord, if any is, and how far each is below.

    Where two clusters may be chosen, the curve starts ``before`` them, at one: a
    chord that starts at two could never have them as its elbow.
    """
    if algorithm == "dbscan":
        below = {count: -place for place, count in enumerate(fits)}
        return next(iter(fits), None), below
    inertias = before | {count: fit.inertia for count, fit in fits.items()}
    in_range = [count for count in inertias if count in {1, *ELBOW_RANGE}]
    if not in_range or inertias[in_range[0]] <= inertias[in_range[-1]]:
        return None, dict.fromkeys(fits, 0.0)
    start, end = in_range[0], in_range[-1]
    top, bottom = inertias[start], inertias[end]
    below = {
        count: round(
            (1 - (count - start) / (end - start) - (inertia - bottom) / (top - bottom))
            / np.sqrt(2),
            MEASURE_DECIMALS,
        )
        for count, inertia in inertias.items()
    }
    elbow = max(in_range, key=below.get)
    return (elbow if below[elbow] > 0 else None), below


def _measure(prepared, algorithm, count, fit, lowest) -> dict:
    points = prepared.points
    labels = assign(points, fit)
    sizes = np.bincount(labels[labels != NOISE], minlength=fit.segment_count)
    shares = sizes / len(labels)
    first = np.flatnonzero(labels[:SILHOUETTE_ROWS] != NOISE)
    inner, inner_labels = points[first], labels[first]
    mean, error = _stability(prepared, algorithm, count, fit, labels)
    z = float("nan")
    stable = mean >= MINIMUM_STABILITY
    if stable and fit.segment_count >= lowest:
        z = _separation(prepared, fit)
    return _row(cluster_count=count, status="ok") | {
        "inertia": fit.inertia,
        "silhouette": silhouette(inner, inner_labels),
        "davies_bouldin": evidence.davies_bouldin(inner, inner_labels),
        "calinski_harabasz": evidence.calinski_harabasz(inner, inner_labels),
        "stability": mean,
        "stability_error": error,
        "separation": z,
        "structure": None if np.isnan(z) and stable else evidence.structure(mean, z),
        "smallest_share": shares.min(),
        "largest_share": shares.max(),
        "noise_share": (labels == NOISE).mean(),
        "label_agreement": label_agreement(points, fit),
        "period_persistence": adjusted_rand_score(
            labels[prepared.earlier_rows], assign(prepared.earlier_points, fit)
        )
        if len(prepared.earlier_rows) > 1
        else float("nan"),
    }


def _stability(prepared, algorithm, count, fit, labels) -> tuple[float, float]:
    """Return stability and error; of what is peeled off, that of the rest."""
    first = slice(STABILITY_ROWS[algorithm])
    points, labels = prepared.points[first], labels[first]
    key = len(points)
    if algorithm != "dbscan" and (labels == NOISE).any():
        points, labels = points[labels != NOISE], labels[labels != NOISE]
        count, key = fit.segment_count, len(points)
    refits = {
        "kmeans": lambda: evidence.refit_kmeans(count),
        "hierarchical": lambda: evidence.refit_ward(
            count, prepared.trees.setdefault(key, {})
        ),
        "dbscan": lambda: evidence.refit_dbscan(
            fit.radius / clustering.knee_distance(points)
        ),
    }
    return evidence.stability(
        points,
        refits[algorithm](),
        labels,
        random_seed=prepared.random_seed,
        **({"resamples": RESAMPLES} if algorithm == "kmeans" else SLOW),
    )


def _separation(prepared, fit, draws=None) -> float:
    labels = assign(prepared.points, fit)
    points, labels = prepared.points[labels != NOISE], labels[labels != NOISE]
    first = slice(SILHOUETTE_ROWS)
    return evidence.separation(
        points,
        fit.segment_count,
        silhouette(points[first], labels[first]),
        draws=draws or DRAWS,
        random_seed=prepared.random_seed,
    )


def _rounded(row: dict) -> dict:
    return row | {name: round(row[name], MEASURE_DECIMALS) for name in MEASURES}


def _levels(customers, features, labels) -> list[str]:
    """Say which clusters are one level of a discrete feature, and thus no discovery.

    That is: 95 % of its customers have one value, as at most half of all others do.
    """
    found = []
    for label in range(labels.max() + 1):
        for feature in features.unique():
            values = customers[feature].reset_index(drop=True)
            if pd.api.types.is_numeric_dtype(values) or values.map(np.isreal).all():
                values = pd.to_numeric(values).astype("float64")
                if (values.dropna() % 1 != 0).any():
                    continue
                values = values.astype("Int64")
            own, others = values[labels == label], values[labels != label]
            counts = own.value_counts()
            if counts.empty or counts.iloc[0] < LEVEL_SHARE * len(own):
                continue
            level = counts.index[0]
            if (others == level).sum() <= 0.5 * len(others):
                found.append(f"; cluster {label + 1} is {feature} = {level}")
    return found


# ---- the choice --------------------------------------------------------------------


def _choose_asked(rows, asked, distinct, algorithm) -> list[dict]:
    reason = f"cluster_count is set to {asked}"
    for row in rows:
        if row["status"] == "ok":
            row["is_chosen"] = row["cluster_count"] == asked
            row["reason"] = f"{reason}; {row['reason'] or 'usable'}"
    if any(row["is_chosen"] for row in rows):
        return rows
    failed = [row["reason"] for row in rows if row["cluster_count"] == asked]
    if failed:
        why = failed[0]
    elif algorithm == "dbscan":
        why = f"no eps gives {asked} density clusters"
    else:
        why = f"the sample has only {distinct} distinct rows"
    return [*rows, _without_choice("not_fitted", f"{reason}, but {why}")]


def _choose(rows, below, held, since, lowest, settings, distinct) -> list[dict]:
    measured = [row for row in rows if row["status"] == "ok"]
    usable = [row for row in measured if row["is_usable"]]
    if not usable:
        return [*rows, _nothing_usable(measured, lowest, settings, distinct)]
    # max returns the first of equals, and the rows are in order of k.
    best = max(usable, key=lambda row: below[row["cluster_count"]])
    kept = [row for row in usable if row["cluster_count"] == held]
    chosen = kept[0] if kept else best
    best_count = best["cluster_count"]
    bend = "knee" if settings["algorithm"] == "dbscan" else "elbow"
    for row in usable:
        row["reason"] = (
            f"usable, but farther from the {bend} than k = {best_count}"
            if row is not best
            else f"{'the' if row['is_elbow'] else 'nearest to the'} {bend}, and usable"
        )
    # Said only where it makes a difference, so that the build after publishing
    # gives the same rows as the build before.
    if chosen is not best:
        chosen["reason"] = (
            f"kept at k = {held} from published version {since}; the {bend} alone "
            f"would now choose {best_count}"
        )
    chosen["is_chosen"] = True
    return rows


def _said(row: dict) -> str:
    """Say how stable and how separated the chosen clusters are."""
    words = {
        "separated": "separated clusters",
        "continuous": "slices of a continuum",
        "unstable": "unstable",
    }
    z = row["separation"]
    apart = (
        ""
        if np.isnan(z)
        else f", silhouette {z:.1f} spreads above data without clusters"
    )
    return (
        f"{words[row['structure']]} (stability {row['stability']:.2f} ± "
        f"{row['stability_error']:.2f}{apart})"
    )


def _nothing_usable(measured, lowest, settings, distinct) -> dict:
    tried = [row for row in measured if row["cluster_count"] >= lowest]
    span = f"no k from {lowest} to {settings['maximum_cluster_count']}"
    if not tried:
        of = f"to {distinct} distinct rows"
        return _without_choice("not_fitted", f"{span} could be fitted {of}")
    best = max(tried, key=lambda row: row["stability"])
    return _without_choice(
        "unstable",
        f"{span} is usable; the most stable, k = {best['cluster_count']}, has a "
        f"stability of {best['stability']:.2f} and a smallest segment of "
        f"{best['smallest_share']:.1%} ({MINIMUM_STABILITY:.2f} and "
        f"{MINIMUM_SHARE:.0%} are needed)",
    )


def _rejection(row: dict, fit: Clustering, lowest: int, *, tie: bool) -> str | None:
    """Say why a k is not usable, or None if it is."""
    if row["cluster_count"] < lowest:
        return f"fewer than the minimum of {lowest} clusters"
    if fit.segment_count < lowest:
        return f"fewer than the minimum of {lowest} clusters beside the outliers"
    if row["smallest_share"] < MINIMUM_SHARE:
        return (
            f"smallest segment {row['smallest_share']:.1%}, below {MINIMUM_SHARE:.0%}"
        )
    if np.isnan(row["silhouette"]):
        return f"no silhouette: undefined for the first {SILHOUETTE_ROWS:,} customers"
    mean, error = row["stability"], row["stability_error"]
    if mean < MINIMUM_STABILITY and not (tie and mean + error >= MINIMUM_STABILITY):
        return f"stability {mean:.2f} ± {error:.2f}, below {MINIMUM_STABILITY:.2f}"
    return None


def _comparisons(prepared, algorithm, chosen, labels, distinct) -> list[dict]:
    """Return what the other algorithms find with so many clusters, as evidence."""
    rows = []
    for other in ALGORITHMS:
        if other == algorithm:
            continue
        count = chosen["cluster_count"]
        try:
            if other == "dbscan":
                fit = next(
                    iter(clustering.fit_dbscan(prepared.points, factors=(1.0,))), None
                )
                if fit is None:
                    continue
                count = fit.segment_count
            elif 2 <= count <= distinct:
                fit = _fit(prepared, other, count)
            else:
                continue
        except NotConvergedError:
            continue
        row = _measure(prepared, other, count, fit, LEAST_CLUSTER_COUNT)
        agreement = adjusted_rand_score(labels, assign(prepared.points, fit))
        rows.append(
            _rounded(row)
            | {
                "algorithm": other,
                "reason": f"for comparison with {algorithm}; adjusted Rand index "
                f"{agreement:.2f} with the chosen segments",
            }
        )
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


def _without_choice(status: str, reason: str) -> dict:
    return _row(cluster_count=None, status=status, reason=reason) | {
        "structure": "unstable" if status == "unstable" else None
    }


def _row(*, cluster_count: int | None, status: str, reason: str | None = None) -> dict:
    return dict.fromkeys(MEASURES, float("nan")) | {
        "cluster_count": cluster_count,
        "structure": None,
        "is_elbow": False,
        "is_usable": False,
        "is_chosen": False,
        "status": status,
        "reason": reason,
    }
