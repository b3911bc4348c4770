"""Evidence: is a number of clusters usable, and are the clusters really apart?

Two questions, because the answers differ: a continuum can be sliced stably, and a
true structure can be cut at the wrong number.
"""

from collections.abc import Callable, Hashable, Iterator
from threading import Lock

import numpy as np
from scipy.stats import norm, rankdata
from sklearn.isotonic import isotonic_regression
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
)

from segmentation.clustering import (
    NOISE,
    assign,
    fit_dbscan,
    fit_ward,
    one_thread,
    quick_assign,
    quick_kmeans,
    silhouette,
)

# A refit: (rows of a subsample, all points, seed) -> labels of all points.
Refit = Callable[[np.ndarray, np.ndarray, int], np.ndarray]

STARTS = 3
MINIMUM_STABILITY = 0.8
# The spread of the draws shrinks with their rows, so that in a large sample any
# departure from the copula would count as structure. In units of the spread at
# 1,500 rows a difference has the same meaning at every size.
DRAW_ROWS = 1_500
SEPARATED = 3.0
MINIMUM_SPREAD = 0.001
MODES = 41


class Kept:
    """What was computed once, also where two threads ask for it at the same time."""

    def __init__(self):
        """Start with nothing."""
        self._lock = Lock()
        self._found: dict = {}

    def get(self, key: Hashable, compute: Callable):
        """Return what was computed for the key, computing it at the first call.

        Parameters
        ----------
        key
            Names all that the result depends on.
        compute
            Called without arguments.

        """
        with self._lock:
            lock, found = self._found.setdefault(key, (Lock(), []))
        with lock:
            if not found:
                found.append(compute())
            return found[0]


def refit_kmeans(cluster_count: int) -> Refit:
    """Return the refit of K-Means: three new starts, none of them warm.

    Starting from the full fit's centres would hide that others are as good.
    """

    def refit(rows, points, random_seed):
        centres = quick_kmeans(
            points[rows],
            min(cluster_count, len(rows)),
            starts=STARTS,
            random_seed=random_seed,
        )
        return quick_assign(points, centres, np.arange(len(centres)))

    return refit


def refit_ward(cluster_count: int, kept: Kept) -> Refit:
    """Return the refit of Ward's tree, each point with its nearest one in the tree.

    Parameters
    ----------
    cluster_count
        Where the tree is cut.
    kept
        The trees of the same points by seed: one serves all numbers of clusters.

    """

    def refit(rows, points, random_seed):
        def planted():
            tree = fit_ward(points[rows], random_seed=random_seed)
            return tree, quick_assign(points, points[rows], np.arange(len(rows)))

        tree, leaf = kept.get(random_seed, planted)
        return tree.labels(min(cluster_count, len(rows)))[leaf]

    return refit


def refit_dbscan(factor: float) -> Refit:
    """Return the refit of DBSCAN at a multiple of each subsample's own knee."""

    def refit(rows, points, random_seed):
        found = fit_dbscan(points[rows], factors=(factor,))
        return assign(points, found[0]) if found else np.full(len(points), NOISE)

    return refit


def stability(
    points: np.ndarray,
    fit: Refit,
    labels: np.ndarray,
    *,
    resamples: int = 25,
    share: float = 0.7,
    most_rows: int = 4_000,
    random_seed: int,
) -> tuple[float, float]:
    """Return how well refits on subsamples give the same clusters.

    That is the mean adjusted Rand index (Hubert and Arabie 1985) between the labels
    and those of refits on 70 % subsamples, predicted for all points. The subsamples
    are the same for every fit with the same seed.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    fit
        The refit.
    labels : ndarray of shape (n,)
        Of the fit to all points.
    resamples
        Number of refits; at least 2.
    share
        Of the points, in each.
    most_rows
        Of how many points the share is taken, at most.
    random_seed
        Seed of the subsamples and the refits.

    Returns
    -------
    mean : float
    error : float
        Its standard error.

    """
    rng = np.random.default_rng([random_seed, 1])
    size = max(2, int(share * min(len(points), most_rows)))
    found = []
    for _ in range(resamples):
        rows = np.sort(rng.choice(len(points), size, replace=False))
        seed = int(rng.integers(2**31))
        found.append(adjusted_rand_score(labels, fit(rows, points, seed)))
    return float(np.mean(found)), float(np.std(found, ddof=1) / np.sqrt(resamples))


def davies_bouldin(points: np.ndarray, labels: np.ndarray) -> float:
    """Return the index of Davies and Bouldin (1979), low is good, or NaN.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    labels : ndarray of shape (n,)

    """
    return _index(davies_bouldin_score, points, labels)


def calinski_harabasz(points: np.ndarray, labels: np.ndarray) -> float:
    """Return the index of Calinski and Harabasz (1974), high is good, or NaN.

    NaN also where no point differs from its centre: the ratio is then infinite.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    labels : ndarray of shape (n,)

    """
    within = sum(
        np.ptp(points[labels == label], axis=0).sum() for label in np.unique(labels)
    )
    return _index(calinski_harabasz_score, points, labels) if within else float("nan")


def _index(function, points, labels) -> float:
    if not 2 <= len(np.unique(labels)) < len(points):
        return float("nan")
    with one_thread():
        return float(function(points, labels))


def separation(
    points: np.ndarray,
    cluster_count: int,
    silhouette: float,
    *,
    draws: int = 20,
    random_seed: int,
    kept: Kept | None = None,
) -> float:
    """Return by how many spreads the silhouette exceeds that of data without clusters.

    The draws, of at most 1,500 rows, are a Gaussian copula with the same rank
    correlations and the same marginals, clustered by K-Means with three starts. A
    feature that has more distinct values than half the points is drawn from the
    unimodal distribution nearest to it: gaps within one feature are structure too,
    and with them copied, clusters on a grid or on a line could never be told.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    cluster_count
        Of the clustering and of those of the draws.
    silhouette
        Of the clustering.
    draws
        How many.
    random_seed
        Seed of the draws.
    kept
        The draws of the same points and seed, which serve all numbers of clusters,
        and their silhouettes.

    Returns
    -------
    float
        NaN for fewer than two clusters or without a silhouette. A spread below .001
        counts as .001.

    """
    if np.isnan(silhouette) or not 2 <= cluster_count < len(points):
        return float("nan")

    def draw():
        rng = np.random.default_rng([random_seed, 2])
        return [
            (drawn, int(rng.integers(2**31)))
            for drawn in draw_without_clusters(points, draws, rng)
        ]

    def widths():
        found = []
        for drawn, seed in kept.get(draws, draw):
            centres = quick_kmeans(
                drawn, cluster_count, starts=STARTS, random_seed=seed
            )
            labels = quick_assign(drawn, centres, np.arange(cluster_count))
            found.append(_silhouette(drawn, labels))
        return np.array(found)

    kept = kept or Kept()
    found = kept.get((draws, cluster_count), widths)
    found = found[~np.isnan(found)]
    if len(found) < 2:
        return float("nan")
    spread = max(found.std(ddof=1), MINIMUM_SPREAD)
    return float((silhouette - found.mean()) / spread)


_silhouette = silhouette  # the measure of the data goes by the same name above


def draw_without_clusters(
    points: np.ndarray, draws: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Yield draws with the marginals and rank correlations of the points.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    draws
        How many.
    rng
        The source of chance.

    Yields
    ------
    ndarray of shape (min(n, 1500), p)

    """
    count, features = points.shape
    scores = norm.ppf((rankdata(points, axis=0) - 0.5) / count)
    varies = scores.std(axis=0) > 0
    correlations = np.eye(features)
    if varies.sum() > 1:
        correlations[np.ix_(varies, varies)] = np.corrcoef(scores[:, varies].T)
    values, vectors = np.linalg.eigh(correlations)
    mixing = (vectors * np.sqrt(values.clip(0))).T
    quantiles = [_quantiles(column) for column in points.T]
    for _ in range(draws):
        normal = rng.normal(size=(min(count, DRAW_ROWS), features)) @ mixing
        uniform = norm.cdf(normal)
        yield np.column_stack(
            [of(column) for of, column in zip(quantiles, uniform.T, strict=True)]
        )


def _quantiles(values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return the quantile function: of the values, or of the nearest unimodal ones."""
    distinct, counts = np.unique(values, return_counts=True)
    ordered = np.sort(values)
    if len(distinct) <= max(2, len(values) / 2):
        return lambda u: ordered[
            (u * len(ordered)).astype(int).clip(0, len(values) - 1)
        ]
    shares = unimodal_shares(distinct, counts.cumsum() / len(values))
    return lambda u: np.interp(u, shares, distinct)


def unimodal_shares(values: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the cumulative shares of the unimodal distribution nearest to these.

    Up to the mode the density rises, after it falls, each the monotone regression
    of the densities between values (Grenander 1956); of 41 modes tried, the one
    with the least largest distance.

    Parameters
    ----------
    values : ndarray of shape (m,)
        Distinct and ascending.
    shares : ndarray of shape (m,)
        Ascending to 1.

    Returns
    -------
    ndarray of shape (m,)

    """
    widths, density = np.diff(values), np.diff(shares) / np.diff(values)
    best, least = shares, np.inf
    for mode in np.unique(np.linspace(0, len(widths), MODES).astype(int)):
        parts = [
            isotonic_regression(
                density[part], sample_weight=widths[part], increasing=increasing
            )
            for part, increasing in ((slice(mode), True), (slice(mode, None), False))
            if len(density[part])
        ]
        found = shares[0] + np.append(0, np.cumsum(np.concatenate(parts) * widths))
        distance = np.abs(found - shares).max()
        if distance < least:
            best, least = found, distance
    return best


def structure(stability: float, separation: float) -> str:
    """Return 'unstable', 'separated' or 'continuous': stable slices of a continuum.

    Parameters
    ----------
    stability
        Mean adjusted Rand index of refits; below .80 is unstable.
    separation
        Spreads above draws without clusters; from 3 on is separated.

    Examples
    --------
    >>> structure(0.95, 2.0)
    'continuous'

    """
    if not stability >= MINIMUM_STABILITY:
        return "unstable"
    return "separated" if separation >= SEPARATED else "continuous"
