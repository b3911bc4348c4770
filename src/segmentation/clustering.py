"""Clustering: one K-Means for all, so that candidates and prototypes agree exactly."""

import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from segmentation.preparation import round_values


class NotConvergedError(ValueError):
    """A clustering that did not end in the clusters it was asked for."""


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
    model = KMeans(
        cluster_count, n_init=10, random_state=random_seed, algorithm="lloyd"
    )
    # Threads add their partial sums in the order they finish, so the last digits of
    # the centres would differ from run to run.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # raised below instead
        model.fit(points)
    if model.n_iter_ >= model.max_iter:
        raise NotConvergedError(f"no convergence in {model.max_iter} iterations")
    centres = round_values(model.cluster_centers_)
    centres = centres[np.lexsort(centres.T[::-1])]
    labels = nearest(points, centres)
    found = len(np.unique(labels))
    if found < cluster_count:
        raise NotConvergedError(f"only {found} of {cluster_count} clusters were found")
    return centres, labels, float(((points - centres[labels]) ** 2).sum())


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
    distances = [np.sqrt(((points - centre) ** 2).sum(axis=1)) for centre in centres]
    return np.argmin(round_values(np.column_stack(distances)), axis=1)


def silhouette(points: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean silhouette (Rousseeuw 1987), or NaN where it is undefined.

    It needs at least two clusters and fewer clusters than points.

    Parameters
    ----------
    points : ndarray of shape (n, p)
    labels : ndarray of shape (n,)

    """
    if not 2 <= len(np.unique(labels)) < len(points):
        return float("nan")
    with threadpool_limits(limits=1):  # for the reason given in fit_kmeans
        return float(silhouette_score(points, labels))
