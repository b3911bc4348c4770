"""Identity: hand-worked splits, merges and ties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.identity import match_segments, segment_number


def match(counts, *, new_centres=None, old_centres=None, order=None, **options):
    """Match from a table of shared customers, new segments by old ones."""
    counts = np.array(counts)
    new, old = np.indices(counts.shape)
    new_labels = np.repeat(new.ravel(), counts.ravel())
    old_labels = np.repeat(old.ravel(), counts.ravel())
    if order is not None:
        new_labels, old_labels = new_labels[order], old_labels[order]
    found = match_segments(
        new_labels,
        old_labels,
        np.zeros((counts.shape[0], 1)) if new_centres is None else new_centres,
        np.zeros((counts.shape[1], 1)) if old_centres is None else old_centres,
        **options,
    )
    assert found["new"].tolist() == list(range(len(counts)))
    return [
        tuple(None if pd.isna(position) else position for position in row)
        for row in found[["old", "parent"]].itertuples(index=False)
    ]


def test_the_same_customers_keep_their_segment_whatever_its_position():
    counts = [[0, 0, 30], [40, 0, 0], [0, 50, 0]]
    assert match(counts) == [(2, None), (0, None), (1, None)]


def test_the_larger_child_of_a_split_keeps_the_id_and_the_other_has_a_parent():
    assert match([[40, 0], [60, 0], [0, 70]]) == [(None, 0), (0, None), (1, None)]


def test_the_largest_child_keeps_the_id_even_below_thirty_percent():
    found = match([[24], [28], [26], [22]])
    assert found == [(None, 0), (0, None), (None, 0), (None, 0)]


def test_a_merge_keeps_the_id_of_its_larger_parent():
    assert match([[40, 60, 0], [0, 0, 50]]) == [(1, None), (2, None)]


def test_a_split_and_a_merge_at_once_are_not_traded_for_a_higher_total():
    # An optimal assignment would pair 0 with 1 and 1 with 0 (90 against 50 shared):
    # neither the larger child of old 0 nor the larger parent of new 0.
    assert match([[50, 45], [45, 0]]) == [(0, None), (None, 0)]


def test_below_thirty_percent_of_the_new_segment_it_has_a_new_id():
    # Everyone of old 0 came along but is 29 (30) of 100; the rest are from segments
    # that others continue.
    below = [[29, 36, 35], [0, 100, 0], [0, 0, 100]]
    assert match(below)[0] == (None, None)
    assert match([[30, 35, 35], *below[1:]])[0] == (0, None)
    assert match(below, minimum_overlap=0.29)[0] == (0, None)


def test_a_small_remnant_does_not_take_the_id_of_a_dispersed_segment():
    # Old 0 had 1,010 customers: most joined old 1 and old 2, ten are on their own.
    counts = [[500, 900, 0], [500, 0, 900], [10, 0, 0]]
    assert match(counts) == [(1, None), (2, None), (None, 0)]


def test_a_parent_needs_more_than_half_of_the_customers():
    others = [[0, 90, 0], [0, 0, 90], [90, 0, 0]]
    assert match([[51, 29, 20], *others])[0] == (None, 0)
    assert match([[50, 29, 21], *others])[0] == (None, None)


def test_equal_overlaps_go_to_the_nearer_centre_then_the_smaller_position():
    counts = [[50], [50]]
    centres = {"old_centres": np.array([[1.0, 1.0]])}
    far_first = np.array([[5.0, 1.0], [1.0, 2.0]])
    assert match(counts, new_centres=far_first, **centres) == [(None, 0), (0, None)]
    same = np.array([[2.0, 1.0], [1.0, 2.0]])
    assert match(counts, new_centres=same, **centres) == [(0, None), (None, 0)]
    assert match([[50, 50]]) == [(0, None)]


def test_outliers_are_no_segment_but_count_towards_the_size_of_one():
    # 20 of the new segment's 100 customers come from old 0, 80 were outliers.
    new = np.array([0] * 100 + [1] * 100 + [-1] * 50)
    old = np.array([0] * 20 + [-1] * 80 + [1] * 100 + [0] * 50)
    one = np.zeros((2, 1))
    found = match_segments(new, old, one, one)
    assert found["old"].tolist() == [pd.NA, 1]
    assert found["parent"].isna().all()
    # Old 0 went to the outliers for the most part; at 30 % its id goes on.
    old[20:30] = 0
    assert match_segments(new, old, one, one)["old"].tolist() == [0, 1]


@settings(deadline=None, max_examples=50)
@given(
    counts=st.lists(
        st.lists(st.integers(0, 30), min_size=3, max_size=3).filter(any),
        min_size=1,
        max_size=6,
    ),
    seed=st.integers(0, 100),
)
def test_matching_is_one_to_one_and_blind_to_the_order_of_customers(counts, seed):
    found = match(counts)
    used = [old for old, _ in found if old is not None]
    assert len(used) == len(set(used))
    for row, (old, parent) in zip(counts, found, strict=True):
        assert old is None or row[old] >= 0.3 * sum(row)
        assert parent is None or (old is None and row[parent] > 0.5 * sum(row))
    order = np.random.default_rng(seed).permutation(np.sum(counts))
    assert match(counts, order=order) == found


@settings(deadline=None, max_examples=50)
@given(st.permutations(range(4)))
def test_renumbering_the_new_segments_renumbers_the_matches(order):
    counts = [[40, 0, 3], [60, 0, 0], [0, 70, 9], [5, 5, 80]]
    expected = match(counts)
    found = match([counts[new] for new in order])
    assert found == [expected[new] for new in order]


def test_wrong_shapes_and_overlaps_are_errors():
    one = np.zeros((1, 1))
    with pytest.raises(ValueError, match="new_labels has 2 customers, old_labels 1"):
        match_segments(np.array([0, 0]), np.array([0]), one, one)
    with pytest.raises(ValueError, match="differ in their features"):
        match_segments(np.array([0]), np.array([0]), one, np.zeros((1, 2)))
    with pytest.raises(ValueError, match="minimum_overlap is 0"):
        match([[1]], minimum_overlap=0)


def test_segment_numbers_are_read_from_the_end_of_the_id():
    assert segment_number("one-time-buyers-12") == 12
    for wrong in ("value", "value-", "value-x", "3"):
        with pytest.raises(ValueError, match="not of the form"):
            segment_number(wrong)
