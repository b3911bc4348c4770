"""Candidates: every number of clusters that was tried, and why one was chosen."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

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
    one_thread,
    silhouette,
)
from segmentation.evidence import MINIMUM_STABILITY, Kept
from segmentation.frames import require_columns, with_dtypes
from segmentation.known_evidence import Choice, evidence_key, reusable_rows
from segmentation.preparation import (
    each_segmentation,
    fit_preparation,
    is_refit,
    prepare,
    round_values,
)
from segmentation.prototypes import (
    TERTILES,
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
    "evidence_key": "string",
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
# What is only looked at beside the chosen one.
COMPARED = {"resamples": 10, "most_rows": 2_000}
STABILITY_ROWS = {"kmeans": 10_000, "hierarchical": 5_000, "dbscan": 5_000}
DRAWS = 20
# Of the chosen one, where 20 draws leave the answer to chance.
MORE_DRAWS = 80
DOUBTFUL = 1.0
LEVEL_SHARE = 0.95
MEASURE_DECIMALS = 6
# Two numbers of clusters are measured at a time, or four where there are the cores;
# each thread holds the distances of 5,000 customers, 200 MB.
THREADS = min(4, os.cpu_count() or 1)


def evaluate_candidates(
    sample: pd.DataFrame,
    settings: pd.DataFrame,
    registry: pd.DataFrame,
    earlier_sample: pd.DataFrame | None = None,
    *,
    known: pd.DataFrame | None = None,
    published: pd.DataFrame | None = None,
    progress: Callable[[str], None] | None = None,
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

    Nothing is measured of a segmentation whose settings say ``is_refit`` is false: it
    has the evidence that the version in force was published with.

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
        all of them need to have been customers then. May have no rows.
    known
        What an earlier call returned. The rows of a segmentation are returned again
        instead of being measured where that would give the very same: with neither
        its data, its configuration nor the published k changed. Rows that lack a
        column, as those of an earlier release, count as none.
    published
        What was returned for each published version, with its model_version.
    progress
        Gets a line of text after each step of the measuring.

    Returns
    -------
    DataFrame
        One row per segmentation, algorithm and k, with ``CANDIDATE_DTYPES``, of the
        customers as scoring labels them: inertia (squared prepared units);
        silhouette, davies_bouldin and calinski_harabasz (of the first 5,000
        customers by rank, without noise); stability, the mean adjusted Rand index
        of 50 refits (25 of the slower algorithms, 10 of them for comparison) on the
        first 10,000 (5,000) customers, and its standard error; separation, the
        spreads of the silhouette above data without clusters (null for what is
        unstable or below the minimum, unless asked for); smallest_share and
        largest_share of a segment;
        noise_share; label_agreement with the algorithm's own labels;
        period_persistence, the adjusted Rand index with the labels of half a period
        ago. All are rounded to 6 decimals. is_elbow marks the k farthest below the
        chord ("kneedle", Satopaa et al. 2011). A segmentation has either one chosen
        row or one row without k that says why there is none, with the status
        'insufficient_data', 'no_variation', 'not_fitted' or
        'unstable'. Below the chosen one's algorithm the others are rows for
        comparison. evidence_key is the same in all rows of a segmentation: SHA-256
        of what they were measured on.

    Raises
    ------
    ValueError
        If a column is missing, a setting is wrong or a feature has nulls.

    """
    registry = complete_registry(registry)
    known = _typed(known)
    parts = []
    for segmentation, customers, own in each_segmentation(sample, settings):

        def say(text, name=segmentation):
            if progress is not None:
                progress(f"{name}: {text}")

        registered = registry[registry["segmentation"] == segmentation]
        if not is_refit(own):
            say(f"nothing is measured: {own['refit_reason'].iloc[0]}")
            parts.append(_evidence_in_force(registered, published, own))
            continue
        asked = _asked_cluster_count(own)
        earlier = _earlier_of(earlier_sample, segmentation, customers, own)
        # What the settings ask for is chosen whatever is published.
        held = None
        if asked is None:
            held = _published_choice(registered, own.iloc[0])
        rows = reusable_rows(
            known[known["segmentation"] == segmentation],
            lambda by, found=(customers, own, earlier): evidence_key(*found, by),
            held,
        )
        if rows is not None:
            say("neither data nor configuration changed, so the evidence is reused")
            parts.append(_in_order(rows, own["algorithm"].iloc[0]))
            continue
        found, decided_by = _candidates_of(customers, own, held, asked, earlier, say)
        rows = pd.DataFrame(found).assign(
            segmentation=segmentation,
            evidence_key=evidence_key(customers, own, earlier, decided_by),
        )
        rows["algorithm"] = rows["algorithm"].fillna(own["algorithm"].iloc[0])
        parts.append(with_dtypes(rows, CANDIDATE_DTYPES))
    found = pd.concat(parts) if parts else pd.DataFrame()
    return with_dtypes(found, CANDIDATE_DTYPES)


def _typed(known: pd.DataFrame | None) -> pd.DataFrame:
    """Return the known rows in their dtypes; none if there is anything amiss."""
    if known is None or not set(CANDIDATE_DTYPES) <= set(known.columns):
        known = pd.DataFrame()
    return with_dtypes(known, CANDIDATE_DTYPES)


def _evidence_in_force(registered, published, settings) -> pd.DataFrame:
    """Return what the version in force was chosen on, or one row without measures."""
    first = settings.iloc[0]
    held = version_in_force(registered, first["as_of_date"])
    if held.empty:
        row = _without_choice("not_fitted", first["refit_reason"])
        row |= {"algorithm": first["algorithm"]}
    else:
        model = held.iloc[0]
        rows = _stored_evidence(published, first["segmentation"], model)
        if not rows.empty:
            return _in_order(rows, model["algorithm"])
        unknown = f"version {model['model_version']} was published without its evidence"
        # Thirds were published because nothing was stable.
        if model["algorithm"] == TERTILES:
            row = _without_choice("unstable", unknown)
            row |= {"algorithm": first["algorithm"]}
        else:
            row = _row(
                cluster_count=int(model["cluster_count"]), status="ok", reason=unknown
            )
            row |= {"algorithm": model["algorithm"], "is_usable": True}
            row |= {"is_chosen": True}
    rows = pd.DataFrame([row]).assign(
        segmentation=first["segmentation"], evidence_key=None
    )
    return with_dtypes(rows, CANDIDATE_DTYPES)


def _stored_evidence(published, segmentation, model) -> pd.DataFrame:
    if published is None or published.empty:
        return _typed(None)
    rows = _typed(
        published[
            (published["segmentation"] == segmentation)
            & (published["model_version"] == model["model_version"])
        ]
    )
    # No number is stored as 0, as the key of a published table is never null.
    return rows.assign(cluster_count=rows["cluster_count"].replace(0, pd.NA))


def _in_order(rows: pd.DataFrame, algorithm: str) -> pd.DataFrame:
    """Return stored rows in the order in which they were measured."""
    order = [algorithm, *(other for other in ALGORITHMS if other != algorithm)]
    return rows.sort_values(
        ["algorithm", "cluster_count"],
        key=lambda c: c.map(order.index) if c.name == "algorithm" else c,
    )


def _earlier_of(earlier_sample, segmentation, customers, settings) -> pd.DataFrame:
    """Return the sampled customers' rows of half a period ago, by rank."""
    if earlier_sample is None or earlier_sample.empty:
        return customers.iloc[:0]
    features = settings["feature"].unique()
    require_columns(
        earlier_sample,
        ["segmentation", "sample_rank", *features],
        name="earlier_sample",
    )
    earlier = earlier_sample[
        (earlier_sample["segmentation"] == segmentation)
        & earlier_sample["sample_rank"].isin(customers["sample_rank"])
    ]
    return earlier.sort_values("sample_rank")


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
    kept: Kept = field(default_factory=Kept)


def _candidates_of(
    customers, settings, held: Choice | None, asked, earlier, say
) -> tuple[list[dict], Choice | None]:
    """Return the rows, and the published choice if they would differ without it."""
    first = settings.iloc[0]
    if len(customers) < MINIMUM_CUSTOMERS:
        return _nothing_measured(
            say,
            "insufficient_data",
            f"{len(customers)} sampled customers; at least {MINIMUM_CUSTOMERS} "
            "are needed",
        )
    preparation = fit_preparation(customers, settings)
    points = prepare(customers, preparation)
    distinct = len(np.unique(points, axis=0))
    if distinct < MINIMUM_DISTINCT_ROWS:
        return _nothing_measured(
            say,
            "no_variation",
            f"{len(points)} sampled customers differ in only {distinct} distinct "
            f"rows; at least {MINIMUM_DISTINCT_ROWS} are needed",
        )
    prepared = _Customers(
        points,
        prepare(earlier, preparation) if len(earlier) else points[:0],
        np.searchsorted(
            customers["sample_rank"].to_numpy(), earlier["sample_rank"].to_numpy()
        ),
        int(first["random_seed"]),
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
    rows, decided_by = [], None
    for count, row in _measured(prepared, algorithm, shown, lowest, say):
        fit = shown[count]
        row["is_elbow"] = count == elbow
        row["reason"] = _rejection(row, fit, lowest, tie=count == elbow)
        if row["reason"] and held and count == held.cluster_count:
            row["reason"] = _rejection(row, fit, lowest, tie=True)
            decided_by = None if row["reason"] else held
        row["is_usable"] = row["reason"] is None
        if count == asked and np.isnan(row["separation"]):
            row["separation"] = _separation(prepared, fit, row["silhouette"])
            row["structure"] = evidence.structure(row["stability"], row["separation"])
        if row["is_usable"] and row["stability"] < MINIMUM_STABILITY:  # a tie
            row["separation"] = _separation(prepared, fit, row["silhouette"])
            row["structure"] = evidence.structure(MINIMUM_STABILITY, row["separation"])
        rows.append(row)
    rows += [
        _row(cluster_count=count, status="not_converged", reason=reason)
        for count, reason in failures.items()
        if count in counts
    ]
    rows.sort(key=lambda row: row["cluster_count"])
    if asked:
        rows = _choose_asked(rows, asked, distinct, algorithm)
    else:
        rows, is_kept = _choose(rows, below, held, lowest, first, distinct)
        decided_by = held if is_kept else decided_by
    chosen = next((row for row in rows if row["is_chosen"]), None)
    if chosen is None:
        say(f"no k chosen: {rows[-1]['reason']}")
        return [_rounded(row) for row in rows], decided_by
    fit = shown[chosen["cluster_count"]]
    labels = assign(points, fit)
    if abs(chosen["separation"] - evidence.SEPARATED) < DOUBTFUL:
        z = _separation(prepared, fit, chosen["silhouette"], draws=MORE_DRAWS)
        chosen["separation"] = z
        if chosen["structure"] != "unstable":
            chosen["structure"] = evidence.structure(MINIMUM_STABILITY, z)
    chosen["reason"] += f"; {_said(chosen)}"
    say(f"k = {chosen['cluster_count']} chosen: {chosen['reason']}")
    chosen["reason"] += "".join(_levels(customers, settings["feature"], labels))
    rows += _comparisons(prepared, algorithm, chosen, labels, distinct, say)
    return [_rounded(row) for row in rows], decided_by


def _nothing_measured(say, status, reason) -> tuple[list[dict], None]:
    say(f"no k chosen: {reason}")
    return [_without_choice(status, reason)], None


# ---- fits and measures -------------------------------------------------------------


def _in_threads(function: Callable, items: Iterable) -> Iterator:
    """Yield what the function returns for each, in their order, from a few threads.

    No result may depend on another's. The numeric libraries run outside the
    interpreter's lock for the most part.
    """
    # One limit around all: that of BLAS is one for the whole process, and the thread
    # that left its own limit first would lift it for the others. The filters of
    # warnings, which fits change too, are put back likewise.
    with (
        one_thread(),
        warnings.catch_warnings(),
        ThreadPoolExecutor(THREADS) as pool,
    ):
        yield from pool.map(function, items)


def _fits(prepared, algorithm, counts, distinct) -> tuple[dict, dict]:
    """Return the clusterings by k, over the elbow's range too, and failures by k."""
    if algorithm == "dbscan":
        # The knee comes first, which _elbow relies on.
        found = clustering.fit_dbscan(prepared.points)
        return {fit.segment_count: fit for fit in found}, {}

    def fit(count):
        try:
            return _fit(prepared, algorithm, count)
        except NotConvergedError as error:
            return str(error)

    tried = sorted(count for count in counts | set(ELBOW_RANGE) if count <= distinct)
    found = dict(zip(tried, _in_threads(fit, tried), strict=True))
    failures = {count: fit for count, fit in found.items() if isinstance(fit, str)}
    return {c: fit for c, fit in found.items() if c not in failures}, failures


def _fit(prepared: _Customers, algorithm: str, count: int) -> Clustering:
    points, seed = prepared.points, prepared.random_seed
    if algorithm != "hierarchical":
        return fit_clustering(points, algorithm, count, random_seed=seed)
    tree = prepared.kept.get(
        "tree of all", lambda: clustering.fit_ward(points, random_seed=seed)
    )
    return clustering.cut_ward(points, tree, count, random_seed=seed)


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


def _measured(prepared, algorithm, fits, lowest, say) -> Iterator[tuple[int, dict]]:
    """Yield k and its measures, in the order of the fits."""
    span = f"of {min(fits)} to {max(fits)} " if len(fits) > 1 else ""
    rows = _in_threads(
        lambda count: _measure(prepared, algorithm, count, fits[count], lowest), fits
    )
    for count, row in zip(fits, rows, strict=True):
        say(f"k = {count} {span}measured (stability {row['stability']:.2f})")
        yield count, row


def _measure(prepared, algorithm, count, fit, lowest, slow=None) -> dict:
    points = prepared.points
    labels = assign(points, fit)
    sizes = np.bincount(labels[labels != NOISE], minlength=fit.segment_count)
    shares = sizes / len(labels)
    first = np.flatnonzero(labels[:SILHOUETTE_ROWS] != NOISE)
    inner, inner_labels = points[first], labels[first]
    mean, error = _stability(prepared, algorithm, count, fit, labels, slow or SLOW)
    width, z = silhouette(inner, inner_labels), float("nan")
    stable = mean >= MINIMUM_STABILITY
    if stable and fit.segment_count >= lowest:
        z = _separation(prepared, fit, width)
    own = fit.own_labels
    return _row(cluster_count=count, status="ok") | {
        "inertia": fit.inertia,
        "silhouette": width,
        "davies_bouldin": evidence.davies_bouldin(inner, inner_labels),
        "calinski_harabasz": evidence.calinski_harabasz(inner, inner_labels),
        "stability": mean,
        "stability_error": error,
        "separation": z,
        "structure": None if np.isnan(z) and stable else evidence.structure(mean, z),
        "smallest_share": shares.min(),
        "largest_share": shares.max(),
        "noise_share": (labels == NOISE).mean(),
        "label_agreement": (labels[: len(own)] == own).mean(),
        "period_persistence": adjusted_rand_score(
            labels[prepared.earlier_rows], assign(prepared.earlier_points, fit)
        )
        if len(prepared.earlier_rows) > 1
        else float("nan"),
    }


def _stability(prepared, algorithm, count, fit, labels, slow) -> tuple[float, float]:
    """Return stability and error; of what is peeled off, that of the rest."""
    first = slice(STABILITY_ROWS[algorithm])
    points, labels = prepared.points[first], labels[first]
    inside = np.ones(len(labels), dtype=bool)
    if algorithm != "dbscan" and (labels == NOISE).any():
        inside = labels != NOISE
        points, labels, count = points[inside], labels[inside], fit.segment_count
    refits = {
        "kmeans": lambda: evidence.refit_kmeans(count),
        "hierarchical": lambda: evidence.refit_ward(
            count, prepared.kept.get(("trees", inside.tobytes()), Kept)
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
        **({"resamples": RESAMPLES} if algorithm == "kmeans" else slow),
    )


def _separation(prepared, fit, width: float, draws: int | None = None) -> float:
    """Return the separation of a clustering whose silhouette is known already."""
    inside = assign(prepared.points, fit) != NOISE
    return evidence.separation(
        prepared.points[inside],
        fit.segment_count,
        width,
        draws=draws or DRAWS,
        random_seed=prepared.random_seed,
        kept=prepared.kept.get(("draws", inside.tobytes()), Kept),
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
                values = round_values(pd.to_numeric(values).astype("float64"))
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


def _choose(
    rows, below, held: Choice | None, lowest, settings, distinct
) -> tuple[list[dict], bool]:
    """Return the rows with the choice, and whether it is another for what is held."""
    measured = [row for row in rows if row["status"] == "ok"]
    usable = [row for row in measured if row["is_usable"]]
    if not usable:
        return [*rows, _nothing_usable(measured, lowest, settings, distinct)], False
    # max returns the first of equals, and the rows are in order of k.
    best = max(usable, key=lambda row: below[row["cluster_count"]])
    kept = [
        row for row in usable if held and row["cluster_count"] == held.cluster_count
    ]
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
            f"kept at k = {held.cluster_count} from published version {held.since}; "
            f"the {bend} alone would now choose {best_count}"
        )
    chosen["is_chosen"] = True
    return rows, chosen is not best


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
        else f", silhouette {abs(z):.1f} spreads {'above' if z > 0 else 'below'} data "
        "without clusters"
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
        return f"stability {mean:.3f} ± {error:.3f}, below {MINIMUM_STABILITY:.2f}"
    return None


def _comparisons(prepared, algorithm, chosen, labels, distinct, say) -> list[dict]:
    """Return what the other algorithms find with so many clusters, as evidence."""

    def compared(other) -> dict | None:
        count = chosen["cluster_count"]
        try:
            if other == "dbscan":
                found = clustering.fit_dbscan(prepared.points, factors=(1.0,))
                fit = next(iter(found), None)
                if fit is None:
                    return None
                count = fit.segment_count
            elif 2 <= count <= distinct:
                fit = _fit(prepared, other, count)
            else:
                return None
        except NotConvergedError:
            return None
        row = _measure(prepared, other, count, fit, LEAST_CLUSTER_COUNT, COMPARED)
        agreement = adjusted_rand_score(labels, assign(prepared.points, fit))
        return row | {
            "algorithm": other,
            "reason": f"for comparison with {algorithm}; adjusted Rand index "
            f"{agreement:.2f} with the chosen segments",
        }

    others = [other for other in ALGORITHMS if other != algorithm]
    rows = []
    for row in _in_threads(compared, others):
        if row is not None:
            say(f"{row['algorithm']} measured {row['reason']}")
            rows.append(row)
    return rows


def _published_choice(published, settings) -> Choice | None:
    """Return the k in force under this configuration, and the version it is from.

    That is the first version of the unbroken run with this k and configuration, not
    the last: publishing a refit must not change the reason of its own rebuild.
    """
    held = version_in_force(published, settings["as_of_date"])
    if held.empty:
        return None
    version = held["model_version"].iloc[0]
    count = held["cluster_count"].iloc[0]
    earlier = (
        published[published["model_version"] <= version]
        .drop_duplicates("model_version")
        .sort_values("model_version", ascending=False)
    )
    is_same = (
        earlier["cluster_count"].eq(count)
        & earlier["configuration_hash"].eq(settings["configuration_hash"])
        # Thirds are no choice of three.
        & earlier["algorithm"].ne(TERTILES).fillna(True)
    )
    unbroken = earlier[is_same.fillna(False).astype(bool).cummin()]
    if unbroken.empty:
        return None
    return Choice(int(count), int(unbroken["model_version"].min()))


def _without_choice(status: str, reason: str) -> dict:
    return _row(cluster_count=None, status=status, reason=reason) | {
        "structure": "unstable" if status == "unstable" else None
    }


def _row(*, cluster_count: int | None, status: str, reason: str | None = None) -> dict:
    return dict.fromkeys(MEASURES, float("nan")) | {
        "algorithm": None,  # the one of the settings
        "cluster_count": cluster_count,
        "structure": None,
        "is_elbow": False,
        "is_usable": False,
        "is_chosen": False,
        "status": status,
        "reason": reason,
    }
