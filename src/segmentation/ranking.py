"""Ranking: how well a score orders customers, on the customers or on resamples."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import rankdata

RESAMPLES = 500
LEVEL = 0.95


class Ranking:
    """The order of the customers by a score, prepared for many sets of weights.

    Tied customers are one group, and share what the group gets: its places in the
    top share as well as its middle rank. So no measure depends on the row order.
    A weight is how often a customer is in a resample; 1 for the customers as they are.
    """

    def __init__(self, scores: np.ndarray):
        """Sort once.

        Parameters
        ----------
        scores : ndarray of shape (n,)
            Finite; n >= 1.

        """
        self._order = np.argsort(scores, kind="stable")
        ordered = np.asarray(scores)[self._order]
        is_first = np.append(True, ordered[1:] != ordered[:-1])
        self._starts = np.flatnonzero(is_first)
        self._group = np.empty(len(ordered), dtype=np.int64)
        self._group[self._order] = np.cumsum(is_first) - 1

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sum of the values in each group of ties, lowest score first.

        Parameters
        ----------
        values : ndarray of shape (n,)

        Returns
        -------
        ndarray of shape (groups,)

        """
        return np.add.reduceat(values[self._order], self._starts)

    def gini(self, weights: np.ndarray, amounts: np.ndarray) -> float:
        """Return the concentration of the amounts along the score, not normalised.

        That is the sum of each amount times the distance of its middle rank from the
        middle of all: proportional to the area between the diagonal and the
        concentration curve.

        Parameters
        ----------
        weights, amounts : ndarray of shape (n,)

        """
        sizes = self.sums(weights)
        ranks = np.cumsum(sizes) - sizes / 2
        return float(self.sums(weights * amounts) @ (ranks - sizes.sum() / 2))

    def auc(self, weights: np.ndarray, is_positive: np.ndarray) -> float:
        """Return the area under the ROC curve, ties counted half; NaN for one class.

        Parameters
        ----------
        weights, is_positive : ndarray of shape (n,)
            is_positive is 1 or 0.

        """
        positive = self.sums(weights * is_positive)
        negative = self.sums(weights) - positive
        pairs = positive.sum() * negative.sum()
        if not pairs:
            return float("nan")
        return float(positive @ (np.cumsum(negative) - negative / 2) / pairs)

    def average_precision(self, weights: np.ndarray, is_positive: np.ndarray) -> float:
        """Return the area under the steps of the precision-recall curve, or NaN.

        Parameters
        ----------
        weights, is_positive : ndarray of shape (n,)

        """
        positive = self.sums(weights * is_positive)[::-1]
        found, seen = np.cumsum(positive), np.cumsum(self.sums(weights)[::-1])
        if not found[-1]:
            return float("nan")
        precision = np.divide(found, seen, out=np.zeros_like(found), where=seen > 0)
        return float(positive @ precision / found[-1])

    def top(self, weights: np.ndarray, share: float) -> np.ndarray:
        """Return which part of each customer is in the top share by the score.

        Parameters
        ----------
        weights : ndarray of shape (n,)
        share
            Of the customers, between 0 and 1.

        Returns
        -------
        ndarray of shape (n,)
            1 or 0, and between for those tied at the border.

        """
        sizes = self.sums(weights)
        above = sizes.sum() - np.cumsum(sizes)
        places = np.clip(share * sizes.sum() - above, 0, sizes)
        parts = np.divide(places, sizes, out=np.zeros_like(places), where=sizes > 0)
        return parts[self._group]


def deciles(scores: np.ndarray) -> np.ndarray:
    """Return the tenth of each score, 10 the highest; ties are in one, by middle rank.

    Parameters
    ----------
    scores : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        Integers from 1 to 10; with many ties some of them have nobody.

    Examples
    --------
    >>> deciles(np.array([5.0, 1.0, 1.0, 9.0]))
    array([7, 3, 3, 9])

    """
    ranks = rankdata(scores) - 0.5
    return (10 * ranks / len(ranks)).astype(np.int64) + 1


def resamples(count: int, *, random_seed: int) -> Iterator[np.ndarray]:
    """Yield how often each customer is in each of 500 bootstrap resamples.

    Parameters
    ----------
    count
        Number of customers n.
    random_seed
        The same seed gives the same resamples, so that differences are paired.

    Yields
    ------
    ndarray of shape (n,)
        float64, summing to n.

    """
    rng = np.random.default_rng([random_seed, 3])
    for _ in range(RESAMPLES):
        drawn = rng.integers(count, size=count)
        yield np.bincount(drawn, minlength=count).astype(float)


def interval(estimates: np.ndarray) -> tuple[float, float]:
    """Return the 95 % percentile interval of what the resamples gave.

    Parameters
    ----------
    estimates : ndarray of shape (resamples,)
        NaN, where a resample gave none, is left out.

    Returns
    -------
    lower, upper : float
        NaN if no resample gave any.

    """
    found = estimates[np.isfinite(estimates)]
    if not len(found):
        return float("nan"), float("nan")
    lower, upper = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(lower), float(upper)
