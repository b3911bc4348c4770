"""Clustering: three algorithms that end in one form, so that SQL scores them alike."""

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, KMeans, ward_tree
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import ThreadpoolController

from segmentation.preparation import round_values

ALGORITHMS = ("kmeans", "hierarchical", "dbscan")
NOISE = -1
MINIMUM_SHARE = 0.02
# Twice as far from the next centre as from the own one is what slices of a continuum
# reach too (they have about .5 to .6); four times is a group on its own.
ISOLATION = 0.75
LABEL_AGREEMENT = 0.95
WARD_ROWS = 5_000
MICRO_CLUSTERS = 400
SUB_CENTRES = (1, 2, 4, 8, 16)
# Neighbourhoods may hold every pair of points, so memory grows with the square.
DBSCAN_ROWS = 5_000
EPS_FACTORS = (1.0, 0.8, 1.25, 0.65, 1.6, 0.5, 2.0)
MAXIMUM_PROTOTYPES = 1_000
BLOCK = 4_000_000


class NotConvergedError(ValueError):
    """A clustering that did not end in the clusters it was asked for."""


@dataclass(frozen=True)
class Clustering:
    """What scoring needs: the nearest prototype's segment, or noise beyond a radius.

    Attributes
    ----------
    prototypes : ndarray of shape (m, p)
        In prepared units, rounded to 9 decimals.
    segments : ndarray of shape (m,)
        Position of the segment of each prototype, ascending; -1 for a prototype of
        the outliers, which then comes last.
    radius : float
        Distance to the nearest prototype beyond which a point is noise.
    own_labels : ndarray of shape (n fitted,)
        Segment of each fitted point by the algorithm itself, -1 for noise. The
        first points only, where the algorithm was run on those.
    inertia : float
        Sum of squared distances to the means of the algorithm's own clusters,
        without noise.

    """

    prototypes: np.ndarray
    segments: np.ndarray
    radius: float
    own_labels: np.ndarray
    inertia: float

    @property
    def segment_count(self) -> int:
        """Number of segments, without the outliers."""
        return int(self.segments.max()) + 1


def fit_clustering(
    points: np.ndarray, algorithm: str, cluster_count: int, *, random_seed: int
) -> Clustering:
    """Return the clusters of the points by one of the ``ALGORITHMS``.

    'kmeans': one prototype a segment, its centre. 'hierarchical': Ward's tree, of
    the points or, above 5,000, of micro-clusters by their weight; up to 16
    prototypes a segment, as many as it takes to give the tree's own labels back to
    95 % of the points. 'dbscan': the density clusters of at least 2 % of the points
    at the eps nearest to the knee that has so many; prototypes cover the core points.

    Of the first two, a cluster below 2 % of the points that lies on its own is no
    segment but the outliers: its prototype is marked -1 (see ``peel``).

    Parameters
    ----------
    points : ndarray of shape (n, p)
        Prepared customers; their order matters to the random starts.
    algorithm
        One of ``ALGORITHMS``.
    cluster_count
        How many clusters, one that is peeled off among them; at most the number of
        distinct points.
    random_seed
        Seed of the starts.

    Raises
    ------
    NotConvergedError
        If the iterations ran out, or there are not so many clusters.

    """
    if algorithm == "kmeans":
        centres, labels, inertia = fit_kmeans(
            points, cluster_count, random_seed=random_seed
        )
        return peel(
            points,
            Clustering(centres, np.arange(cluster_count), np.inf, labels, inertia),
        )
    if algorithm == "hierarchical":
        tree = fit_ward(points, random_seed=random_seed)
        return cut_ward(points, tree, cluster_count, random_seed=random_seed)
    if algorithm == "dbscan":
        for found in fit_dbscan(points):
            if found.segment_count == cluster_count:
                return found
        raise NotConvergedError(f"no eps gives {cluster_count} density clusters")
    raise ValueError(
        f"unknown algorithm {algorithm!r}; known: {', '.join(map(repr, ALGORITHMS))}"
    )


def assign(points: np.ndarray, clustering: Clustering) -> np.ndarray:
    """Return the segment of each point as SQL scores it: -1 for an outlier.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    clustering
        Of p columns.

    Returns
    -------
    ndarray of shape (n,)

    """
    positions, distances = _nearest(points, clustering.prototypes)
    return np.where(
        distances <= clustering.radius, clustering.segments[positions], NOISE
    )


def label_agreement(points: np.ndarray, clustering: Clustering) -> float:
    """Return the share of fitted points that scoring gives their own label.

    Parameters
    ----------
    points : ndarray of shape (n, p)
        The points of the fit.
    clustering
        Its result.

    """
    own = clustering.own_labels
    return float((assign(points[: len(own)], clustering) == own).mean())


def one_thread() -> AbstractContextManager:
    """Return a context in which the numeric libraries use one thread.

    Threads add their partial sums in the order they finish, so the last digits
    would differ from run to run.
    """
    return _thread_pools().limit(limits=1)


@cache
def _thread_pools() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all loaded libraries: 5 ms


# ---- K-Means -----------------------------------------------------------------------


def fit_kmeans(
    points: np.ndarray, cluster_count: int, *, random_seed: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the K-Means clusters of the points in canonical order.

    Lloyd's algorithm from the best of 10 k-means++ starts, as in scikit-learn.
    Clusters are ordered by the first coordinate of their centre, then the next,
    so that the numbers which the algorithm happens to give them do not matter.

    Parameters
    ----------
    points : ndarray of shape (n, p)
        Prepared customers; their order matters to the random starts.
    cluster_count
        How many clusters; at most the number of distinct points.
    random_seed
        Seed of the starts.

    Returns
    -------
    centres : ndarray of shape (cluster_count, p)
        Rounded to 9 decimals.
    labels : ndarray of shape (n,)
        Position of the nearest of these centres.
    inertia : float
        Sum of squared distances to it.

    Raises
    ------
    NotConvergedError
        If the iterations ran out, or points lie too close for so many clusters.

    """
    model = _kmeans(points, cluster_count, starts=10, random_seed=random_seed)
    if model.n_iter_ >= model.max_iter:
        raise NotConvergedError(f"no convergence in {model.max_iter} iterations")
    centres = round_values(model.cluster_centers_)
    centres = centres[np.lexsort(centres.T[::-1])]
    labels = nearest(points, centres)
    found = len(np.unique(labels))
    if found < cluster_count:
        raise NotConvergedError(f"only {found} of {cluster_count} clusters were found")
    return centres, labels, float(((points - centres[labels]) ** 2).sum())


def quick_kmeans(
    points: np.ndarray, cluster_count: int, *, starts: int, random_seed: int
) -> np.ndarray:
    """Return the centres of a K-Means of few starts, which need not have converged.

    For resamples and draws, whose own digits nobody sees.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    cluster_count
        At most n.
    starts
        Number of k-means++ starts.
    random_seed
        Seed of the starts.

    Returns
    -------
    ndarray of shape (cluster_count, p)

    """
    model = _kmeans(points, cluster_count, starts=starts, random_seed=random_seed)
    return model.cluster_centers_


def _kmeans(points, cluster_count, *, starts, random_seed) -> KMeans:
    model = KMeans(
        cluster_count, n_init=starts, random_state=random_seed, algorithm="lloyd"
    )
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # told by the caller
        return model.fit(points)


def peel(points: np.ndarray, clustering: Clustering) -> Clustering:
    """Return the clustering with its smallest cluster as the outliers, if it is one.

    It is, if it has less than 2 % of the points and its mean simplified silhouette
    (1 - distance to the own mean / distance to the next) is at least .75, and two
    other clusters are left. The means of the others are those of a clustering
    without these points already, so nothing needs to be fitted again.

    Parameters
    ----------
    points : ndarray of shape (n, p)
        The points of the fit.
    clustering
        Without noise.

    """
    labels, count = clustering.own_labels, clustering.segment_count
    sizes = np.bincount(labels, minlength=count)
    smallest = int(sizes.argmin())
    if count < 3 or sizes[smallest] >= MINIMUM_SHARE * len(labels):
        return clustering
    means = _means(points, labels)
    members = points[labels == smallest]
    own = np.linalg.norm(members - means[smallest], axis=1)
    others = np.delete(means, smallest, axis=0)
    other = np.linalg.norm(members[:, None] - others[None], axis=2).min(axis=1)
    if np.mean(1 - own / np.maximum(other, own.max() + 1e-9).clip(1e-9)) < ISOLATION:
        return clustering

    def renumbered(positions):
        shifted = positions - (positions > smallest)
        return np.where(positions == smallest, NOISE, shifted)

    last = np.argsort(clustering.segments == smallest, kind="stable")
    return replace(
        clustering,
        prototypes=clustering.prototypes[last],
        segments=renumbered(clustering.segments[last]),
        own_labels=renumbered(labels),
    )


# ---- hierarchical ------------------------------------------------------------------


@dataclass(frozen=True)
class WardTree:
    """Merges of leaves into one cluster, by the least growth of inertia.

    Attributes
    ----------
    children : ndarray of shape (m - 1, 2)
        The nodes of each merge in their order: leaves are 0 to m - 1, the merge i
        makes node m + i.
    leaves : ndarray of shape (n,)
        The leaf of each point.

    """

    children: np.ndarray
    leaves: np.ndarray

    def labels(self, cluster_count: int) -> np.ndarray:
        """Return the cluster of each point where so many are left, in any order."""
        leaf_count = len(self.children) + 1
        roots = np.arange(leaf_count + len(self.children))
        merges = leaf_count - cluster_count
        # From the last merge down, so that a parent knows its root already.
        for merge in range(merges - 1, -1, -1):
            roots[self.children[merge]] = roots[leaf_count + merge]
        return np.unique(roots[self.leaves], return_inverse=True)[1]


def fit_ward(points: np.ndarray, *, random_seed: int) -> WardTree:
    """Return Ward's tree (1963) of the points, or above 5,000 of micro-clusters.

    Those are 400 K-Means clusters, each with the weight of its points; without it a
    cluster of one far customer would count as much as one of a thousand.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    random_seed
        Seed of the micro-clusters.

    """
    if len(points) <= WARD_ROWS:
        with one_thread():
            children = ward_tree(points)[0]
        return WardTree(np.asarray(children), np.arange(len(points)))
    centres = quick_kmeans(points, MICRO_CLUSTERS, starts=1, random_seed=random_seed)
    leaves = _plain_nearest(points, centres)
    leaves = np.unique(leaves, return_inverse=True)[1]  # those that have points
    weights = np.bincount(leaves).astype(float)
    return WardTree(weighted_ward(_means(points, leaves), weights), leaves)


def weighted_ward(centres: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the merges of Ward's method on points that stand for many.

    Merging i and j adds ``w_i w_j / (w_i + w_j) * |c_i - c_j|^2`` to the inertia;
    the least growth is merged first, the first pair of equals.

    Parameters
    ----------
    centres : ndarray of shape (m, p)
    weights : ndarray of shape (m,)

    Returns
    -------
    ndarray of shape (m - 1, 2)
        As ``WardTree.children``.

    Examples
    --------
    Two light points are merged although two heavy ones lie nearer together.

    >>> weighted_ward(np.array([[0.0], [1.0], [5.0], [7.0]]), np.array([9, 9, 1, 1]))
    array([[2, 3],
           [0, 1],
           [4, 5]])

    """
    count = len(centres)
    centres, weights = np.array(centres, dtype=float), np.array(weights, dtype=float)
    nodes = np.arange(count)
    growth = np.full((count, count), np.inf)

    def grown(i):
        squares = ((centres - centres[i]) ** 2).sum(axis=1)
        return weights * weights[i] / (weights + weights[i]) * squares

    for i in range(count):
        growth[i] = grown(i)
    np.fill_diagonal(growth, np.inf)
    alive = np.ones(count, dtype=bool)
    children = np.empty((count - 1, 2), dtype=int)
    for merge in range(count - 1):
        i, j = sorted(divmod(int(growth.argmin()), count))
        children[merge] = sorted((nodes[i], nodes[j]))
        total = weights[i] + weights[j]
        centres[i] = (weights[i] * centres[i] + weights[j] * centres[j]) / total
        weights[i], nodes[i] = total, count + merge
        alive[j] = False
        growth[j], growth[:, j] = np.inf, np.inf
        row = np.where(alive, grown(i), np.inf)
        row[i] = np.inf
        growth[i], growth[:, i] = row, row
    return children


def cut_ward(
    points: np.ndarray, tree: WardTree, cluster_count: int, *, random_seed: int
) -> Clustering:
    """Return the clusters where so many are left of the tree, with prototypes.

    A centroid alone gives only .84 to .90 of the tree's labels back, so a segment
    gets 1, 2, 4, 8 or 16 centres of a K-Means within it, the least that reach .95.

    Parameters
    ----------
    points : ndarray of shape (n, p)
        The points of the tree.
    tree
        As ``fit_ward`` returns it.
    cluster_count
        How many clusters, one that is peeled off among them.
    random_seed
        Seed of the K-Means within segments.

    Raises
    ------
    NotConvergedError
        If the tree has fewer leaves, or a cluster owns no point by its prototypes.

    """
    if cluster_count > len(tree.children) + 1:
        raise NotConvergedError(f"the tree has only {len(tree.children) + 1} leaves")
    labels = tree.labels(cluster_count)
    means = round_values(_means(points, labels))
    order = np.lexsort(means.T[::-1])
    labels = np.argsort(order)[labels]
    means = means[order]
    inertia = float(((points - means[labels]) ** 2).sum())
    members = [points[labels == cluster] for cluster in range(cluster_count)]
    distinct = [len(np.unique(own, axis=0)) for own in members]
    best, best_agreement = None, -1.0
    for most in SUB_CENTRES:
        centres = [
            means[[cluster]]
            if most == 1 or distinct[cluster] == 1
            else _sub_centres(own, min(most, distinct[cluster]), random_seed)
            for cluster, own in enumerate(members)
        ]
        found = Clustering(
            np.vstack(centres),
            np.repeat(np.arange(cluster_count), [len(own) for own in centres]),
            np.inf,
            labels,
            inertia,
        )
        agreement = label_agreement(points, found)
        if agreement > best_agreement:
            best, best_agreement = found, agreement
        if best_agreement >= LABEL_AGREEMENT:
            break
    missing = cluster_count - len(np.unique(assign(points, best)))
    if missing:
        raise NotConvergedError(f"{missing} of {cluster_count} clusters own no point")
    return peel(points, best)


def _sub_centres(points, count, random_seed) -> np.ndarray:
    centres = round_values(
        quick_kmeans(points, count, starts=2, random_seed=random_seed)
    )
    return np.unique(centres, axis=0)  # in order of the first coordinate, then the next


# ---- DBSCAN ------------------------------------------------------------------------


def fit_dbscan(
    points: np.ndarray, *, factors: Sequence[float] = EPS_FACTORS
) -> list[Clustering]:
    """Return density clusters (Ester et al. 1996), one result per number of clusters.

    eps is where the curve of the distances to the neighbour number min_samples
    bends, and multiples of it; min_samples is twice the number of columns, at least
    5. The result at the knee comes first, then those nearest to it. Of more than
    5,000 points the first 5,000 are clustered. Clusters below 2 % of them are noise.

    The prototypes of a cluster are core points of which one is within eps / 2 of
    each of its core points, taken greedily; at more than 1,000 the cover is widened.
    The radius is eps.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    factors
        Of the eps at the knee, in the order of preference.

    Returns
    -------
    list of Clustering
        Those with at least one cluster; may be empty.

    """
    points = points[:DBSCAN_ROWS]
    knee = knee_distance(points)
    results: dict[int, Clustering] = {}
    for factor in factors if knee > 0 else ():
        found = _dbscan(points, float(round_values(knee * factor)))
        if found is not None:
            results.setdefault(found.segment_count, found)
    return list(results.values())


def knee_distance(points: np.ndarray) -> float:
    """Return where the k-distance curve of the first 5,000 points bends.

    Parameters
    ----------
    points : ndarray of shape (n, p)

    """
    points = points[:DBSCAN_ROWS]
    with one_thread():
        neighbours = NearestNeighbors(n_neighbors=_min_samples(points)).fit(points)
        return _knee(np.sort(neighbours.kneighbors(points)[0][:, -1]))


def _min_samples(points: np.ndarray) -> int:
    return min(max(5, 2 * points.shape[1]), len(points))


def _knee(ascending: np.ndarray) -> float:
    """Return the value farthest below the chord of the curve, or the least above 0."""
    low, high = ascending[0], ascending[-1]
    if high <= low:
        return float(high)
    x = np.linspace(0, 1, len(ascending))
    below = np.round(x - (ascending - low) / (high - low), 9)
    value = ascending[below.argmax()]
    return float(value if value > 0 else ascending[ascending > 0][0])


def _dbscan(points, eps) -> Clustering | None:
    with one_thread():
        model = DBSCAN(eps=eps, min_samples=_min_samples(points)).fit(points)
    labels = model.labels_.copy()
    sizes = np.bincount(labels[labels >= 0], minlength=labels.max() + 1)
    large = np.flatnonzero(sizes >= MINIMUM_SHARE * len(points))
    if not len(large):
        return None
    labels[~np.isin(labels, large)] = NOISE
    kept = labels >= 0
    means = _means(points[kept], np.searchsorted(large, labels[kept]))
    order = np.lexsort(round_values(means).T[::-1])
    labels[kept] = np.argsort(order)[np.searchsorted(large, labels[kept])]
    own = points[kept] - means[order][labels[kept]]
    is_core = np.zeros(len(points), dtype=bool)
    is_core[model.core_sample_indices_] = True
    cores = [
        points[is_core & (labels == cluster)] for cluster in range(labels.max() + 1)
    ]
    reach = eps / 2
    while True:
        covers = [_cover(core, reach) for core in cores]
        if sum(map(len, covers)) <= MAXIMUM_PROTOTYPES:
            break
        reach *= 1.25
    return Clustering(
        round_values(np.vstack(covers)),
        np.repeat(np.arange(len(covers)), [len(cover) for cover in covers]),
        eps,
        labels,
        float((own**2).sum()),
    )


def _cover(points: np.ndarray, reach: float) -> np.ndarray:
    """Return points of which one is within reach of each, the first ones first."""
    taken = []
    left = points
    while len(left):
        taken.append(left[0])
        left = left[((left - left[0]) ** 2).sum(axis=1) > reach**2]
    return np.array(taken)


# ---- where nothing is stable -------------------------------------------------------


def fit_tertiles(points: np.ndarray, direction: np.ndarray) -> Clustering | None:
    """Return the lower, middle and upper third of the points along a direction.

    Three prototypes on the line through the mean of the points, so that half way
    between them lie the tertiles of the scores: the points' places along the line.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    direction : ndarray of shape (p,)
        Of length 1, as a principal component has it.

    Returns
    -------
    Clustering or None
        None where the points cannot be parted so: the tertiles coincide after
        rounding to 9 decimals, or a third has less than 2 % of the points, as many
        equal ones can bring about.

    """
    mean = points.mean(axis=0)
    low, high = round_values(
        np.quantile(((points - mean) * direction).sum(axis=1), [1 / 3, 2 / 3])
    )
    if low == high:
        return None
    middle = (low + high) / 2
    places = np.array([2 * low - middle, middle, 2 * high - middle])
    prototypes = round_values(mean + places[:, None] * direction)
    labels = nearest(points, prototypes)
    shares = np.bincount(labels, minlength=3) / len(points)
    if shares.min() < MINIMUM_SHARE:
        return None
    inertia = float(((points - _means(points, labels)[labels]) ** 2).sum())
    return Clustering(prototypes, np.arange(3), np.inf, labels, inertia)


# ---- distances and measures --------------------------------------------------------


def nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return the position of the nearest centre of each point.

    Distances are Euclidean and rounded to 9 decimals; the first of equals wins.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    centres : ndarray of shape (k, p)

    Returns
    -------
    ndarray of shape (n,)

    """
    return _nearest(points, centres)[0]


def _nearest(points, centres) -> tuple[np.ndarray, np.ndarray]:
    """Return position and distance; in blocks, so that memory stays bounded."""
    positions = np.zeros(len(points), dtype=np.intp)
    least = np.zeros(len(points))
    step = max(1, BLOCK // len(centres))
    for start in range(0, len(points), step):
        block = points[start : start + step]
        distances = round_values(
            np.column_stack(
                [np.sqrt(((block - centre) ** 2).sum(axis=1)) for centre in centres]
            )
        )
        own = distances.argmin(axis=1)
        positions[start : start + step] = own
        least[start : start + step] = distances[np.arange(len(block)), own]
    return positions, least


def _plain_nearest(points, centres) -> np.ndarray:
    with one_thread():
        return pairwise_distances_argmin(points, centres)


def quick_assign(
    points: np.ndarray, prototypes: np.ndarray, segments: np.ndarray
) -> np.ndarray:
    """Return the segment of the nearest prototype, by faster and rougher distances.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    prototypes : ndarray of shape (m, p)
    segments : ndarray of shape (m,)

    Returns
    -------
    ndarray of shape (n,)

    """
    return segments[_plain_nearest(points, prototypes)]


def _means(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean of each label from 0 on."""
    sizes = np.bincount(labels)
    sums = [np.bincount(labels, weights=column) for column in points.T]
    return np.column_stack(sums) / sizes[:, None]


def silhouette(points: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean silhouette (Rousseeuw 1987), or NaN where it is undefined.

    It needs at least two clusters and fewer clusters than points.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    labels : ndarray of shape (n,)

    """
    positions, sizes = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    if not 2 <= len(sizes) < len(points):
        return float("nan")
    members = (positions[:, None] == np.arange(len(sizes))).astype(float)
    step = max(1, BLOCK // len(points))
    with one_thread():
        sums = np.vstack(
            [
                cdist(points[start : start + step], points) @ members
                for start in range(0, len(points), step)
            ]
        )
    own = np.arange(len(points)), positions
    within = sums[own] / np.maximum(sizes[positions] - 1, 1)  # not to itself
    means = sums / sizes
    means[own] = np.inf
    other = means.min(axis=1)
    larger = np.maximum(within, other)
    # A cluster of one, and a point on top of its own and another cluster, count 0.
    counts = (sizes[positions] > 1) & (larger > 0)
    widths = np.divide(other - within, larger, out=np.zeros(len(points)), where=counts)
    return float(widths.mean())
