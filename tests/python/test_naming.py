"""Naming: personas in order, and plain names for the rest."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.naming import NAME_DTYPES, name_segments

LABELS = {"monetary": "Spend", "orders": "Orders", "returns": "Returns"}


def profiles_of(segments, segmentation="value"):
    """Number -> (revenue share, {feature: index})."""
    return pd.DataFrame(
        [
            {
                "segmentation": segmentation,
                "segment_id": f"{segmentation}-{number}",
                "feature": feature,
                "feature_label": LABELS[feature],
                "index_against_all": index,
                "segment_customers": 10,
                "segment_revenue_share": share,
            }
            for number, (share, indices) in segments.items()
            for feature, index in indices.items()
        ]
    )


def personas_of(*conditions):
    return pd.DataFrame(
        conditions,
        columns=["persona", "priority", "feature", "minimum_index", "maximum_index"],
    ).assign(
        segmentation="value",
        segment_name=lambda frame: frame["persona"].str.title(),
    )


NOBODY = personas_of()
BIG = ("big spenders", 1, "monetary", 1.5, np.nan)


def names(profiles, personas=NOBODY):
    found = name_segments(profiles, personas)
    return dict(zip(found["segment_id"], found["segment_name"], strict=True))


def personas(profiles, known):
    found = name_segments(profiles, known)
    return dict(zip(found["segment_id"], found["persona"], strict=True))


def test_a_persona_takes_the_segment_it_fits():
    profiles = profiles_of({1: (0.8, {"monetary": 2.0}), 2: (0.2, {"monetary": 0.5})})
    found = name_segments(profiles, personas_of(BIG))
    assert found.dtypes.astype(str).to_dict() == NAME_DTYPES
    assert found.to_numpy().tolist() == [
        ["value", "value-1", "big spenders", "Big Spenders"],
        ["value", "value-2", "unmatched", "Low spend"],
    ]


def test_the_minimum_is_inclusive_and_the_maximum_exclusive():
    middle = personas_of(("middle", 1, "monetary", 0.5, 1.5))
    for index, expected in [
        (0.49, "unmatched"),
        (0.5, "middle"),
        (1.49, "middle"),
        (1.5, "unmatched"),
        (np.nan, "unmatched"),
    ]:
        found = personas(profiles_of({1: (1.0, {"monetary": index})}), middle)
        assert found == {"value-1": expected}


def test_all_conditions_must_hold():
    both = personas_of(BIG, ("big spenders", 1, "orders", np.nan, 1.0))
    profiles = profiles_of(
        {
            1: (0.5, {"monetary": 2.0, "orders": 1.2}),
            2: (0.3, {"monetary": 1.2, "orders": 0.8}),
            3: (0.2, {"monetary": 1.6, "orders": 0.8}),
            4: (0.0, {"monetary": 1.6}),
        }
    )
    found = personas(profiles, both)
    assert [i for i, persona in found.items() if persona != "unmatched"] == ["value-3"]


def test_a_condition_without_bounds_asks_for_a_known_index_only():
    known = personas_of(("known", 1, "orders", np.nan, np.nan))
    profiles = profiles_of({1: (0.6, {"orders": np.nan}), 2: (0.4, {"orders": 1.0})})
    assert personas(profiles, known) == {"value-1": "unmatched", "value-2": "known"}


def test_a_level_names_a_segment_only_where_it_is_more_frequent():
    profiles = profiles_of({1: (1.0, {"orders": 1.1, "monetary": 0.0, "returns": 2.0})})
    levels = {"monetary": "plan=basic", "returns": "plan=plus"}
    words = {"monetary": "share of plan basic", "returns": "share of plan plus"}
    found = names(
        profiles.assign(
            feature_label=profiles["feature"].replace(LABELS | words),
            feature=profiles["feature"].replace(levels),
        )
    )
    assert found == {"value-1": "High share of plan plus, high orders"}


def test_the_highest_revenue_share_wins_then_the_smaller_number():
    indices = {"monetary": 2.0}
    by_share = profiles_of({1: (None, indices), 2: (0.2, indices), 3: (0.5, indices)})
    assert personas(by_share, personas_of(BIG))["value-3"] == "big spenders"
    equal = profiles_of({10: (0.5, indices), 9: (0.5, indices)})
    assert personas(equal, personas_of(BIG))["value-9"] == "big spenders"
    unknown = profiles_of({2: (np.nan, indices), 1: (np.nan, indices)})
    assert personas(unknown, personas_of(BIG))["value-1"] == "big spenders"


def test_personas_are_gone_through_by_priority_and_each_takes_one_segment():
    known = personas_of(
        ("second", 2, "monetary", 1.0, np.nan), ("first", 1, "monetary", 1.0, np.nan)
    )
    profiles = profiles_of({n: (1 / n, {"monetary": 2.0}) for n in (1, 2, 3)})
    assert list(personas(profiles, known).values()) == ["first", "second", "unmatched"]


def test_personas_of_equal_priority_go_by_name():
    known = personas_of(
        ("beta", 1, "monetary", 1.0, np.nan), ("alpha", 1, "monetary", 1.0, np.nan)
    )
    profiles = profiles_of({1: (1.0, {"monetary": 2.0})})
    assert personas(profiles, known) == {"value-1": "alpha"}


def test_two_personas_of_one_name_do_not_name_two_segments():
    known = personas_of(BIG, ("other", 2, "monetary", 1.5, np.nan))
    known = known.assign(segment_name="Best")
    profiles = profiles_of({1: (0.6, {"monetary": 2.0}), 2: (0.4, {"monetary": 2.0})})
    assert names(profiles, known) == {"value-1": "Best", "value-2": "High spend"}


def test_personas_of_another_segmentation_do_not_count():
    known = personas_of(BIG).assign(segmentation="behaviour")
    profiles = profiles_of({1: (1.0, {"monetary": 2.0})})
    assert personas(profiles, known) == {"value-1": "unmatched"}


def test_plain_names_tell_the_two_strongest_differences():
    # |ln|: 3 -> 1.10, 0.5 -> 0.69, 1.9 -> 0.64.
    profiles = profiles_of({1: (1.0, {"returns": 1.9, "orders": 0.5, "monetary": 3.0})})
    assert names(profiles) == {"value-1": "High spend, low orders"}


def test_half_and_double_are_equally_far_and_go_by_feature():
    profiles = profiles_of({1: (1.0, {"orders": 0.5, "monetary": 2.0})})
    assert names(profiles) == {"value-1": "High spend, low orders"}


def test_indices_without_a_logarithm_are_as_low_as_can_be():
    profiles = profiles_of(
        {
            1: (0.5, {"orders": 9.0, "returns": 0.0, "monetary": 1.0}),
            2: (0.5, {"orders": 9.0, "returns": np.nan, "monetary": -0.5}),
        }
    )
    assert names(profiles) == {
        "value-1": "Low returns, high orders",
        "value-2": "Low spend, high orders",
    }


def test_equal_plain_names_get_a_third_feature_then_the_number():
    same = {"monetary": 4.0, "orders": 0.5, "returns": 1.5}
    profiles = profiles_of(dict.fromkeys((1, 2, 3), (0.1, same)))
    assert names(profiles) == {
        "value-1": "High spend, low orders",
        "value-2": "High spend, low orders, high returns",
        "value-3": "High spend, low orders (3)",
    }


def test_segments_like_everyone_say_so():
    profiles = profiles_of(
        {1: (0.5, {"monetary": 1.0}), 2: (0.5, {"monetary": np.nan})}
    )
    assert names(profiles) == {
        "value-1": "Close to the average",
        "value-2": "Close to the average (2)",
    }


@settings(deadline=None, max_examples=30)
@given(
    indices=st.lists(
        st.tuples(*[st.sampled_from([0.0, 0.5, 1.0, 2.0, np.nan])] * 3),
        min_size=1,
        max_size=12,
    ),
    random=st.randoms(use_true_random=False),
)
def test_names_are_unique_and_do_not_depend_on_the_row_order(indices, random):
    profiles = profiles_of(
        {
            number: (0.1, dict(zip(LABELS, values, strict=True)))
            for number, values in enumerate(indices, start=1)
        }
    )
    known = personas_of(BIG, ("low spend", 2, "monetary", np.nan, 1.0))
    found = name_segments(profiles, known)
    assert len(found) == len(indices)
    assert found["segment_name"].is_unique
    order = list(range(len(profiles)))
    random.shuffle(order)
    shuffled = name_segments(profiles.iloc[order], known.iloc[::-1])
    pd.testing.assert_frame_equal(shuffled, found)


def test_each_segmentation_is_named_on_its_own():
    indices = {"monetary": 2.0}
    profiles = pd.concat(
        [profiles_of({1: (1.0, indices)}, name) for name in ("value", "behaviour")]
    )
    found = name_segments(profiles, NOBODY)
    assert found["segmentation"].tolist() == ["behaviour", "value"]
    assert found["segment_name"].tolist() == ["High spend"] * 2


def test_no_segments_have_no_names():
    profiles = profiles_of({1: (1.0, {"monetary": 1.0})}).head(0)
    found = name_segments(profiles, personas_of(BIG))
    assert found.empty
    assert found.dtypes.astype(str).to_dict() == NAME_DTYPES


def test_inputs_stay_as_they_are():
    profiles = profiles_of({2: (0.5, {"orders": 0.0}), 1: (0.5, {"monetary": 2.0})})
    known = personas_of(BIG)
    before = profiles.copy(deep=True), known.copy(deep=True)
    name_segments(profiles, known)
    pd.testing.assert_frame_equal(profiles, before[0])
    pd.testing.assert_frame_equal(known, before[1])


def test_wrong_frames_are_errors():
    profiles = profiles_of({1: (1.0, {"monetary": 2.0})})
    known = personas_of(BIG)
    with pytest.raises(ValueError, match="profiles lacks the column 'feature_label'"):
        name_segments(profiles.drop(columns="feature_label"), known)
    with pytest.raises(ValueError, match="personas lacks the column 'priority'"):
        name_segments(profiles, known.drop(columns="priority"))
    with pytest.raises(ValueError, match="feature 'monetary' of segment 'value-1' tw"):
        name_segments(pd.concat([profiles, profiles]), known)
    two = pd.concat([known, known.assign(priority=2, feature="orders")])
    with pytest.raises(ValueError, match="'big spenders' has more than one segment_n"):
        name_segments(profiles, two)
