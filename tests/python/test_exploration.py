"""Exploration: hand-worked figures, and what must hold for any."""

import numpy as np
import pandas as pd
import pytest

from segmentation.exploration import (
    complete_months,
    describe,
    lorenz_curve,
    missing_shares,
    outliers,
    seasonal_indices,
    strongest_correlations,
    top_share,
    yearly_growth,
)


def months(values, first="2022-01"):
    index = pd.period_range(first, periods=len(values), freq="M")
    return pd.Series(values, index=index, dtype=float)


def test_tukeys_fences_are_one_and_a_half_ranges_from_the_quartiles():
    # quartiles of 0 to 8 are 2 and 6, so the fences are -4 and 12
    values = pd.Series([0, 1, 2, 3, 4, 5, 6, 7, 8], dtype=float)
    assert not outliers(values).any()
    # of ten values with 13 the quartiles are 2.25 and 6.75: the upper fence is 13.5
    assert not outliers(pd.Series([*values, 13.0])).any()
    assert list(outliers(pd.Series([*values, 14.0, np.nan]))) == 9 * [False] + [
        True,
        False,
    ]


def test_a_description_is_that_of_pandas_column_by_column():
    frame = pd.DataFrame({"spend": [1.0, 2, 3, 4, 90], "age": [30, np.nan, 50, 40, 20]})
    found = describe(frame)
    assert list(found.index) == ["spend", "age"]
    assert found.loc["spend", "mean"] == 20
    assert found.loc["spend", "median"] == 3
    assert found.loc["spend", "outlier_share"] == 0.2
    assert found.loc["age", "count"] == 4
    assert found.loc["age", "missing_share"] == 0.2
    # adjusted Fisher-Pearson, by its formula
    deviations = frame["spend"] - 20
    by_hand = 5 / (4 * 3) * (deviations**3).sum() / frame["spend"].std() ** 3
    assert found.loc["spend", "skewness"] == pytest.approx(by_hand)


def test_a_column_with_negative_values_has_no_logarithm():
    found = describe(pd.DataFrame({"net": [-5.0, 1, 2, 3]}))
    assert np.isnan(found.loc["net", "outlier_share_of_log"])


def test_missing_shares_are_the_largest_first_without_whole_columns():
    frame = pd.DataFrame(
        {"b": [1, np.nan], "a": [np.nan, 1], "c": [1, 2], "d": [None] * 2}
    )
    assert list(missing_shares(frame).items()) == [("d", 1), ("a", 0.5), ("b", 0.5)]


def test_the_top_fifth_is_rounded_up_to_a_whole_customer():
    amounts = pd.Series([1.0, 2, 3, 4, 10, 80])  # a fifth of six are two
    assert top_share(amounts) == 0.9
    assert np.isnan(top_share(pd.Series([-1.0, 1])))


def test_the_curve_of_equal_customers_is_the_diagonal():
    curve = lorenz_curve(pd.Series([3.0] * 50), points=10)
    assert np.allclose(curve["customer_share"], curve["amount_share"])
    assert len(curve) == 11
    skewed = lorenz_curve(pd.Series([0.0, 0, 1, 9]))
    assert list(skewed["amount_share"]) == [0, 0.9, 1, 1, 1]
    assert lorenz_curve(pd.Series([0.0])).empty


def test_the_strongest_pair_is_found_in_either_direction():
    generator = np.random.default_rng(1)
    noise = generator.normal(size=200)
    frame = pd.DataFrame(
        {
            "a": noise,
            "opposite": -np.exp(noise),  # another scale, the same order
            "loose": noise + generator.normal(size=200),
            "constant": 1.0,
        }
    )
    found = strongest_correlations(frame, count=2)
    assert list(found.iloc[0]) == ["a", "opposite", pytest.approx(-1)]
    assert "constant" not in {*found["first"], *found["second"]}
    turned = strongest_correlations(frame.sample(frac=1, random_state=3), count=2)
    pd.testing.assert_frame_equal(found, turned)


def test_a_month_that_is_not_over_is_left_out_and_an_empty_one_is_zero():
    daily = pd.Series(
        [5.0, 1, 2, 7],
        index=pd.to_datetime(["2024-03-02", "2024-01-31", "2024-01-01", "2024-04-29"]),
    )
    found = complete_months(daily, pd.Timestamp("2024-04-29"))
    assert found.to_dict() == {
        pd.Period("2024-01"): 3, pd.Period("2024-02"): 0, pd.Period("2024-03"): 5,
    }  # fmt: skip
    assert complete_months(daily, pd.Timestamp("2024-04-30")).iloc[-1] == 7
    assert complete_months(daily.iloc[:0], pd.Timestamp("2024-04-30")).empty


def test_growth_needs_two_years():
    assert yearly_growth(months([1] * 12 + [1.5] * 12)) == pytest.approx(0.5)
    assert np.isnan(yearly_growth(months([1] * 23)))
    assert np.isnan(yearly_growth(months([0] * 24)))


def test_a_planted_season_is_found_under_a_trend():
    pattern = np.array([0.8, 0.9, 1, 1, 1, 0.9, 0.9, 1, 1, 1, 1.2, 1.3])
    pattern /= pattern.mean()
    level = 1000 * 1.01 ** np.arange(48)
    found = seasonal_indices(months(level * np.tile(pattern, 4), "2020-01"))
    assert list(found["month"]) == list(range(1, 13))
    assert found["seasonal_index"].to_numpy() == pytest.approx(pattern, rel=0.01)
    assert set(found["year_count"]) == {3}


def test_without_two_years_there_is_no_season():
    assert seasonal_indices(months([1] * 23)).empty
    assert seasonal_indices(months([0] * 36)).empty
    assert set(seasonal_indices(months([1] * 24))["year_count"]) == {1}
