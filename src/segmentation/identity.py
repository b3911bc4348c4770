"""Identity: which new segment is which published one."""

import numpy as np
import pandas as pd


def segment_number(segment_id: str) -> int:
    """Return the number at the end of a segment id.

    Raises
    ------
    ValueError
        If the id does not end in a hyphen and a number.

    Examples
    --------
    >>> segment_number("value-12")
    12

    """
    _, hyphen, number = str(segment_id).rpartition("-")
    if not (hyphen and number.isdecimal()):
        raise ValueError(
            f"segment_id {segment_id!r} is not of the form '<segmentation>-<number>'"
        )
    return int(number)


def match_segments(
    new_labels: np.ndarray,
    old_labels: np.ndarray,
    new_centres: np.ndarray,
    old_centres: np.ndarray,
    *,
    minimum_overlap: float = 0.3,
) -> pd.DataFrame:
    """Return which old segment each new one continues, and which it came from.

    Pairs are taken greedily by the number of customers they share: so the larger
    child of a split continues the old segment, and a merge continues its larger
    parent. (An assignment of the highest total would give both up for the sake of
    a third pair; Jaccard's index would refuse the larger child of an even split
    into four.) Equal numbers are decided by the distance of the centres, then by
    the smaller old and the smaller new position.

    A pair needs ``minimum_overlap`` in both directions: so much of the new segment
    comes from the old one, and so much of the old one goes to the new one. The
    latter is not asked of the new segment that gets most of the old one, which is
    its larger child however many there are.

    Parameters
    ----------
    new_labels, old_labels : ndarray of shape (n,)
        Segment of the same n customers in both, as positions in the centres; -1 for
        an outlier, who counts towards the size of the segment on the other side.
    new_centres : ndarray of shape (k_new, p)
        In the units of the old preparation, so that distances mean something.
    old_centres : ndarray of shape (k_old, p)
        Ordered by segment number.
    minimum_overlap
        Share of customers, above 0 and at most 1.

    Returns
    -------
    DataFrame
        One row per new segment: new (position), old (position or NA), parent
        (position, or NA; only for a segment that continues none: the old segment
        of more than half of its customers).

    Raises
    ------
    ValueError
        If shapes do not fit or the overlap is not in (0, 1].

    """
    new_labels, old_labels = np.asarray(new_labels), np.asarray(old_labels)
    new_centres, old_centres = np.asarray(new_centres), np.asarray(old_centres)
    if new_labels.shape != old_labels.shape:
        raise ValueError(
            f"new_labels has {len(new_labels)} customers, old_labels {len(old_labels)}"
        )
    if new_centres.shape[1:] != old_centres.shape[1:]:
        raise ValueError("new_centres and old_centres differ in their features")
    if not 0 < minimum_overlap <= 1:
        raise ValueError(f"minimum_overlap is {minimum_overlap}; use 0 < overlap <= 1")

    shared = np.zeros((len(new_centres), len(old_centres)), dtype=int)
    inside = (new_labels >= 0) & (old_labels >= 0)
    np.add.at(shared, (new_labels[inside], old_labels[inside]), 1)
    of_new = np.bincount(new_labels[new_labels >= 0], minlength=len(new_centres))
    of_new = of_new[:, None]
    of_old = np.bincount(old_labels[old_labels >= 0], minlength=len(old_centres))
    is_larger_child = shared == shared.max(axis=0, keepdims=True)
    eligible = (
        (shared > 0)
        & (shared >= minimum_overlap * of_new)
        & (is_larger_child | (shared >= minimum_overlap * of_old))
    )
    distances = np.linalg.norm(new_centres[:, None] - old_centres[None], axis=2).round(
        9
    )

    pairs = sorted(
        (-shared[new, old], distances[new, old], old, new)
        for new, old in np.argwhere(eligible).tolist()
    )
    old_of: dict[int, int] = {}
    for _, _, old, new in pairs:
        if new not in old_of and old not in old_of.values():
            old_of[new] = old
    parent_of = {
        new: old
        for new, old in np.argwhere(shared > 0.5 * of_new).tolist()
        if new not in old_of
    }
    news = range(len(new_centres))
    return pd.DataFrame(
        {
            "new": pd.Series(news, dtype="Int64"),
            "old": pd.Series([old_of.get(new) for new in news], dtype="Int64"),
            "parent": pd.Series([parent_of.get(new) for new in news], dtype="Int64"),
        }
    )
