"""Preparation against hand-worked values and invariants."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st

from segmentation.frames import require_columns, to_pandas
from segmentation.preparation import fit_preparation, prepare


def settings_for(**features):
    """Feature -> (transform, scaling), in the order given."""
    return pd.DataFrame(
        [
            (feature, position, transform, scaling)
            for position, (feature, (transform, scaling)) in enumerate(
                features.items(), start=1
            )
        ],
        columns=["feature", "position", "transform", "scaling"],
    )


def customers(**features):
    frame = pd.DataFrame(features)
    return frame.assign(sample_rank=range(1, len(frame) + 1))


def test_standard_scaling_uses_the_population_standard_deviation():
    # Mean 5 and population variance (9+1+1+1+0+0+4+16)/8 = 4.
    features = customers(spend=[2, 4, 4, 4, 5, 5, 7, 9])
    preparation = fit_preparation(features, settings_for(spend=("none", "standard")))
    assert preparation["centring"].tolist() == [5.0]
    assert preparation["scale"].tolist() == [2.0]
    assert prepare(features, preparation).ravel().tolist() == [
        -1.5,
        -0.5,
        -0.5,
        -0.5,
        0.0,
        0.0,
        1.0,
        2.0,
    ]


def test_log1p_counts_negative_net_spend_as_zero():
    features = customers(spend=[np.e - 1, np.e**2 - 1, -50.0, 0.0])
    preparation = fit_preparation(features, settings_for(spend=("log1p", "none")))
    points = prepare(features, preparation).ravel()
    assert points == pytest.approx([1.0, 2.0, 0.0, 0.0], abs=2e-9)
    assert preparation[["centring", "scale"]].to_numpy().tolist() == [[0.0, 1.0]]


def test_centring_is_the_mean_of_the_transformed_feature():
    features = customers(orders=[0.0, np.e**2 - 1])  # transformed: 0 and 2
    preparation = fit_preparation(features, settings_for(orders=("log1p", "standard")))
    assert preparation["centring"].item() == pytest.approx(1, abs=1e-9)
    assert preparation["scale"].item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("value", [0.1, 1e9 + 0.1, -3.0, 0.0])
def test_a_feature_that_does_not_vary_becomes_zero(value):
    features = customers(spend=[value] * 7)
    preparation = fit_preparation(features, settings_for(spend=("none", "standard")))
    assert preparation["scale"].tolist() == [1.0]
    assert prepare(features, preparation).ravel().tolist() == [0.0] * 7


def test_columns_of_the_points_are_ordered_by_position():
    settings = settings_for(b=("none", "none"), a=("none", "none"))
    features = customers(a=[1.0, 2.0], b=[3.0, 4.0])
    for rows in (settings, settings.iloc[::-1]):
        preparation = fit_preparation(features, rows)
        assert preparation["feature"].tolist() == ["b", "a"]
        assert prepare(features, preparation).tolist() == [[3.0, 1.0], [4.0, 2.0]]


def test_noise_below_nine_decimals_and_negative_zero_are_rounded_away():
    features = customers(share=[0.1 + 0.2, 0.3, -1e-12])
    preparation = fit_preparation(features, settings_for(share=("none", "none")))
    points = prepare(features, preparation).ravel()
    assert points.tolist() == [0.3, 0.3, 0.0]
    assert not np.signbit(points).any()


def test_exact_decimals_are_read_as_numbers():
    features = customers(spend=[Decimal("1.5000"), Decimal("2.5000")])
    preparation = fit_preparation(features, settings_for(spend=("none", "standard")))
    assert prepare(features, preparation).ravel().tolist() == [-1.0, 1.0]


@runs(deadline=None, max_examples=50)
@given(
    values=st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=40),
    random=st.randoms(use_true_random=False),
)
def test_parameters_do_not_depend_on_the_row_order(values, random):
    features = customers(spend=values, orders=values[::-1])
    settings = settings_for(spend=("log1p", "standard"), orders=("none", "standard"))
    order = list(range(len(values)))
    random.shuffle(order)
    expected = fit_preparation(features, settings)
    shuffled = features.iloc[order].reset_index(drop=True)
    found = fit_preparation(shuffled, settings.iloc[::-1])
    pd.testing.assert_frame_equal(found, expected)
    np.testing.assert_array_equal(
        prepare(shuffled, found), prepare(features, expected)[order]
    )


def test_sums_of_large_numbers_do_not_depend_on_the_row_order():
    # Large enough for the last digit of a sum to lie before the ninth decimal.
    spend = np.random.default_rng(1).lognormal(20, 3, size=1000)
    features = customers(spend=spend)
    settings = settings_for(spend=("none", "standard"))
    shuffled = features.sample(frac=1, random_state=2, ignore_index=True)
    pd.testing.assert_frame_equal(
        fit_preparation(shuffled, settings),
        fit_preparation(features, settings),
        check_exact=True,
    )


def test_standard_scaling_does_not_depend_on_the_unit_of_money():
    euros = customers(spend=[12.34, 99.0, 5.5, 1000.0, 0.25])
    cents = euros.assign(spend=euros["spend"] * 100)
    settings = settings_for(spend=("none", "standard"))
    points = [prepare(f, fit_preparation(f, settings)) for f in (euros, cents)]
    np.testing.assert_allclose(points[0], points[1], atol=1e-8)


def test_inputs_stay_as_they_are():
    features = customers(spend=[3.0, -1.0, 2.0]).iloc[::-1]
    settings = settings_for(spend=("log1p", "standard"))
    before = features.copy(deep=True), settings.copy(deep=True)
    prepare(features, fit_preparation(features, settings))
    pd.testing.assert_frame_equal(features, before[0])
    pd.testing.assert_frame_equal(settings, before[1])


@pytest.mark.parametrize("value", [None, np.nan, np.inf])
def test_a_value_that_is_no_finite_number_is_an_error(value):
    features = customers(spend=[1.0, value])
    with pytest.raises(ValueError, match="'spend' has 1 values that are no finite"):
        fit_preparation(features, settings_for(spend=("none", "none")))


def test_errors_name_what_is_wrong():
    features = customers(spend=[1.0, 2.0])
    plain = ("none", "none")
    with pytest.raises(ValueError, match="features lacks the column 'orders'; it has"):
        fit_preparation(features, settings_for(orders=plain))
    with pytest.raises(ValueError, match="features lacks the column 'sample_rank'"):
        fit_preparation(features[["spend"]], settings_for(spend=plain))
    with pytest.raises(ValueError, match="unknown transform 'sqrt'; known: 'log1p'"):
        fit_preparation(features, settings_for(spend=("sqrt", "none")))
    with pytest.raises(ValueError, match="unknown scaling 'robust'"):
        fit_preparation(features, settings_for(spend=("none", "robust")))
    with pytest.raises(ValueError, match="the same feature twice"):
        fit_preparation(features, pd.concat([settings_for(spend=plain)] * 2))
    with pytest.raises(ValueError, match="features has no rows"):
        fit_preparation(features.head(0), settings_for(spend=plain))
    with pytest.raises(ValueError, match="preparation lacks the column 'scale'"):
        prepare(features, settings_for(spend=plain).assign(centring=0.0))


def test_all_missing_columns_are_named_at_once():
    with pytest.raises(ValueError, match=r"^t lacks the columns 'b', 'c'; it has: a$"):
        require_columns(pd.DataFrame({"a": [1]}), ["a", "b", "c"], name="t")


def test_relations_of_both_engines_become_pandas():
    frame = pd.DataFrame({"a": [1]})

    class Spark:
        def toPandas(self):
            return frame

    class DuckDB:
        def df(self):
            return frame

    assert to_pandas(Spark()) is frame
    assert to_pandas(DuckDB()) is frame
