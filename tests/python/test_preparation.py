"""Preparation against hand-worked values and invariants."""

from decimal import Decimal
from types import SimpleNamespace

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from shared_data import shared_file
from sklearn.preprocessing import MinMaxScaler, RobustScaler

from segmentation.frames import require_columns, to_pandas
from segmentation.preparation import (
    DESCRIPTION_DTYPES,
    PREPARATION_DTYPES,
    SETTINGS_COLUMNS,
    describe_preparation,
    each_segmentation,
    fit_preparation,
    prepare,
)


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
def test_a_feature_that_does_not_vary_is_left_out(value):
    features = customers(spend=[value] * 7, orders=range(7))
    plain = ("none", "standard")
    found = fit_preparation(features, settings_for(spend=plain, orders=plain))
    assert found["feature"].tolist() == ["orders"]
    assert found["position"].tolist() == [1]
    nothing = fit_preparation(features, settings_for(spend=plain))
    assert nothing.dtypes.astype(str).to_dict() == PREPARATION_DTYPES
    assert prepare(features, nothing).shape == (7, 0)


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


def test_robust_and_min_max_scaling_are_those_of_scikit_learn():
    spend = np.random.default_rng(4).lognormal(3, 1, 200)
    features = customers(spend=spend)
    for scaling, reference in (("robust", RobustScaler()), ("min_max", MinMaxScaler())):
        found = fit_preparation(features, settings_for(spend=("none", scaling)))
        np.testing.assert_allclose(
            prepare(features, found), reference.fit_transform(spend[:, None]), atol=1e-7
        )


def test_where_the_quartiles_coincide_robust_scaling_uses_the_standard_deviation():
    # Median and both quartiles 0; the mean is 1 and the variance (9 + 81) / 10 = 9.
    features = customers(cash=[0.0] * 9 + [10.0])
    settings = settings_for(cash=("none", "robust"))
    found = fit_preparation(features, settings)
    assert found[["centring", "scale"]].to_numpy().tolist() == [[0.0, 3.0]]
    note = describe_preparation(features, settings, found)["note"].item()
    assert note == "quartiles coincide, so scaled by the standard deviation"


def test_missing_numbers_are_filled_with_the_median_or_the_most_frequent():
    features = customers(spend=[1.0, 1.0, 3.0, 4.0, 9.0, None])
    for missing, fill in (("median", 3.0), ("most_frequent", 1.0)):
        settings = settings_for(spend=("none", "none")).assign(missing=missing)
        found = fit_preparation(features, settings)
        assert found["fill_value"].tolist() == [fill]
        assert prepare(features, found)[-1].tolist() == [fill]


def test_of_equally_frequent_values_the_smallest_and_first_by_text_are_filled_in():
    features = customers(spend=[2.0, 1.0, 1.0, 2.0, None], city=[*"baab", None])
    settings = settings_for(spend=("none", "none"), city=("none", "none")).assign(
        missing="most_frequent", kind=["numeric", "categorical"]
    )
    found = fit_preparation(features, settings)
    assert found["fill_value"].iloc[0] == 1.0
    assert found["fill_level"].tolist()[1:] == ["a", "a"]


def test_values_are_clipped_at_quantiles_of_what_is_there_before_the_transform():
    # Quantiles .1 and .9 of 0, 1, ..., 10 are 1 and 9; the missing value is filled
    # with the median, 5.
    features = customers(spend=[*map(float, range(11)), None])
    settings = settings_for(spend=("log1p", "none")).assign(
        missing="median", lower_quantile=0.1, upper_quantile=0.9
    )
    found = fit_preparation(features, settings)
    assert found[["lower", "upper"]].to_numpy().tolist() == [[1.0, 9.0]]
    expected = np.log1p([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 5])
    assert prepare(features, found).ravel() == pytest.approx(expected, abs=1e-9)
    described = describe_preparation(features, settings, found)
    assert described.dtypes.astype(str).to_dict() == DESCRIPTION_DTYPES
    assert described.to_dict("records") == [
        {
            "feature": "spend",
            "status": "used",
            "note": "1 missing value filled with 5; "
            "2 customers clipped to at least 1 and to at most 9",
            "missing_count": 1,
            "clipped_count": 2,
            "distinct_count": 11,
        }
    ]


def test_a_feature_missing_more_than_the_limit_is_refused_and_stops_nothing():
    features = customers(
        spend=[1.0, 2.0, 3.0, 4.0], age=[30.0, None, None, 50.0], city=[None] * 4
    )
    plain = ("none", "none")
    settings = settings_for(spend=plain, age=plain, city=plain).assign(
        kind=["numeric", "numeric", "categorical"],
        missing=["median", "median", "most_frequent"],
        maximum_missing_share=[0.0, 0.4, 1.0],
    )
    found = fit_preparation(features, settings)
    assert found["feature"].tolist() == ["spend"]
    described = describe_preparation(features, settings, found)
    assert described["status"].tolist() == ["used", "refused", "refused"]
    assert described["note"].tolist()[1:] == [
        "50.0% of the values are missing, more than the limit of 40.0%",
        "all values are missing",
    ]
    assert described["missing_count"].tolist() == [0, 2, 4]


def test_a_customer_scored_later_is_filled_and_clipped_as_the_sample_was():
    features = customers(spend=[0.0, 1.0, 2.0, 3.0, 4.0])
    settings = settings_for(spend=("none", "none")).assign(
        missing="median", upper_quantile=0.75
    )
    found = fit_preparation(features, settings)
    later = pd.DataFrame({"spend": [None, 1e6, -1e6]})
    assert prepare(later, found).ravel().tolist() == [2.0, 3.0, -1e6]


# Shares 1/2, 1/4, 1/4: the variances of the indicators are 1/4 + 3/16 + 3/16 = 5/8.
CITIES = ["a", "a", "b", "c"] * 10


def category_settings(**kinds):
    return settings_for(**dict.fromkeys(kinds, ("none", "standard"))).assign(
        kind=list(kinds.values()), maximum_correlation=1.0
    )


def test_the_columns_of_a_category_have_half_the_variance_of_a_number():
    features = customers(spend=np.arange(40.0), city=CITIES)
    settings = category_settings(spend="numeric", city="categorical")
    found = fit_preparation(features, settings)
    assert found["level"].tolist()[1:] == ["a", "b", "c"]
    assert found["position"].tolist() == [1, 2, 3, 4]
    assert found["centring"].tolist()[1:] == [0.5, 0.25, 0.25]
    assert found["scale"].tolist()[1:] == pytest.approx([(5 / 4) ** 0.5] * 3, abs=1e-9)
    variances = prepare(features, found).var(axis=0)
    assert variances[0] == pytest.approx(1)
    assert variances[1:].sum() == pytest.approx(0.5)


@pytest.mark.parametrize("numbers, each", [(0, 1 / 2), (1, 1 / 3), (2, 1 / 2)])
def test_all_categories_have_at_most_the_variance_of_all_numbers(numbers, each):
    names = ["age", "spend"][:numbers]
    random = np.random.default_rng(1)
    features = customers(
        **{name: random.random(40) for name in names},
        **{name: random.permutation(CITIES) for name in ("x", "y", "z")},
    )
    kinds = dict.fromkeys(names, "numeric") | dict.fromkeys("xyz", "categorical")
    found = fit_preparation(features, category_settings(**kinds))
    variances = prepare(features, found).var(axis=0)
    for name in "xyz":
        own = (found["feature"] == name).to_numpy()
        assert variances[own].sum() == pytest.approx(each)


def test_rare_levels_are_pooled_and_unseen_ones_count_as_them():
    cities = ["a"] * 50 + ["b"] * 46 + ["c", "d", "e", "e"]
    settings = category_settings(city="categorical").assign(missing="most_frequent")
    features = customers(city=cities)
    found = fit_preparation(features, settings)
    assert found["level"].tolist() == ["a", "b", "(other)"]
    assert found["centring"].tolist() == [0.5, 0.46, 0.04]
    later = pd.DataFrame({"city": ["c", "never seen", "(other)", None, "a"]})
    points = prepare(later, found)
    assert (points > 0).argmax(axis=1).tolist() == [2, 2, 2, 0, 0]
    note = describe_preparation(features, settings, found)["note"].item()
    assert note == "3 rare levels pooled"


def test_an_unseen_level_is_no_level_where_none_was_pooled():
    features = customers(city=CITIES)
    found = fit_preparation(features, category_settings(city="categorical"))
    points = prepare(pd.DataFrame({"city": ["never seen"]}), found)
    assert (points < 0).all()


def test_a_category_without_two_common_levels_is_dropped():
    features = customers(id=[f"c{i}" for i in range(40)], country=["x"] * 40)
    settings = category_settings(id="categorical", country="categorical")
    found = fit_preparation(features, settings)
    assert found.empty
    described = describe_preparation(features, settings, found)
    assert described["status"].tolist() == ["dropped", "dropped"]
    assert described["note"].tolist() == [
        "every level is rarer than 5.0%",
        "the same for all customers",
    ]
    assert described["distinct_count"].tolist() == [40, 1]


def test_a_missing_level_is_an_error_where_it_is_refused():
    features = customers(city=["a", "b", None])
    with pytest.raises(ValueError, match="'city' has 1 missing values"):
        fit_preparation(features, category_settings(city="categorical"))


def test_features_that_order_the_customers_alike_are_dropped_but_the_first():
    random = np.random.default_rng(2)
    spend = random.lognormal(3, 1, 60)
    features = customers(spend=spend, cents=-100 * spend, age=random.random(60))
    plain = ("none", "standard")
    settings = settings_for(spend=plain, cents=plain, age=plain)
    found = fit_preparation(features, settings)
    assert found["feature"].tolist() == ["spend", "age"]
    described = describe_preparation(features, settings, found)
    assert described["status"].tolist() == ["used", "dropped", "used"]
    assert described["note"].tolist()[1] == "rank correlation -1.000 with spend"
    off = fit_preparation(features, settings.assign(maximum_correlation=1.0))
    assert len(off) == 3
    few = fit_preparation(features.head(29), settings)
    assert len(few) == 3


def test_volume_in_disguise_is_dropped_where_it_is_looked_for():
    orders = np.arange(1.0, 61)
    swapped = orders.copy()
    swapped[[0, 20]] = swapped[[20, 0]]  # rank correlation 1 - 6 * 800 / 215940
    features = customers(
        frequency=orders[::-1].copy(), variety=swapped, monetary=orders**2
    )
    plain = ("none", "standard")
    settings = settings_for(variety=plain, monetary=plain).assign(
        maximum_correlation=1.0
    )
    assert len(fit_preparation(features, settings)) == 2
    settings = settings.assign(check_volume=True)
    found = fit_preparation(features, settings)
    assert found["feature"].tolist() == ["monetary"]
    note = describe_preparation(features, settings, found)["note"].iloc[0]
    assert note == (
        "the number of orders in disguise: rank correlation -0.978 with frequency"
    )
    without = features.drop(columns="frequency")
    assert len(fit_preparation(without, settings)) == 2


def test_what_the_model_in_use_does_not_have_is_said():
    features = customers(spend=[1.0, 2.0], age=[3.0, 1.0])
    plain = ("none", "standard")
    older = fit_preparation(features, settings_for(spend=plain))
    described = describe_preparation(
        features, settings_for(spend=plain, age=plain), older
    )
    assert described["status"].tolist() == ["used", "dropped"]
    assert described["note"].tolist()[1] == "not part of the model in use"


def test_a_preparation_stored_without_the_later_columns_still_applies():
    features = customers(spend=[1.0, 3.0])
    found = fit_preparation(features, settings_for(spend=("none", "standard")))
    old = found[["feature", "position", "transform", "centring", "scale"]]
    np.testing.assert_array_equal(prepare(features, old), prepare(features, found))


def test_sql_on_the_parameters_gives_the_points_of_prepare():
    random = np.random.default_rng(3)
    count = 300
    spend = pd.Series(random.lognormal(3, 2, count)).mask(random.random(count) < 0.1)
    city = pd.Series(random.choice([*"aaaaaaabbbbcd"], count))
    city = city.mask(random.random(count) < 0.1)
    features = customers(spend=spend - 5, city=city)
    settings = settings_for(spend=("log1p", "robust"), city=("none", "none")).assign(
        kind=["numeric", "categorical"],
        missing=["median", "most_frequent"],
        lower_quantile=[0.02, 0],
        upper_quantile=[0.98, 1],
        minimum_level_share=0.1,
    )
    preparation = fit_preparation(features, settings)
    assert preparation["level"].tolist()[1:] == ["a", "b", "(other)"]
    later = pd.DataFrame({"spend": [1e9, -1e9, None], "city": ["z", None, "(other)"]})
    everyone = pd.concat([features, later], ignore_index=True)
    everyone = everyone.assign(sample_rank=range(len(everyone)))
    connection = duckdb.connect()
    connection.register("everyone", everyone)
    connection.register("preparation", preparation)
    rows = connection.execute("""
        with long as (
            select c.sample_rank, p.*,
                least(greatest(round(coalesce(c.spend, p.fill_value), 9),
                    coalesce(p.lower, -1e308)), coalesce(p.upper, 1e308)) as number,
                coalesce(c.city, p.fill_level) as own,
            from everyone as c cross join preparation as p
        ),
        raw as (
            select *,
                case
                    when level is null and transform = 'log1p'
                        then ln(1 + greatest(number, 0))
                    when level is null then number
                    when level = '(other)' then cast(own not in (
                        select l.level from preparation as l
                        where l.level is not null and l.level <> '(other)'
                    ) as double)
                    else cast(own = level as double)
                end as value
            from long
        )
        select round((value - centring) / scale, 9) as prepared
        from raw order by sample_rank, position
    """).fetchnumpy()["prepared"]
    expected = prepare(everyone, preparation)
    np.testing.assert_allclose(rows.reshape(expected.shape), expected, atol=2e-9)


def test_parameters_of_categories_do_not_depend_on_the_row_order():
    random = np.random.default_rng(6)
    features = customers(
        spend=random.lognormal(3, 2, 200),
        city=pd.Series(random.choice([*"aabbccd"], 200)).mask(random.random(200) < 0.1),
    )
    settings = category_settings(spend="numeric", city="categorical").assign(
        missing="most_frequent", upper_quantile=[0.95, 1]
    )
    expected = fit_preparation(features, settings)
    shuffled = features.sample(frac=1, random_state=1, ignore_index=True)
    pd.testing.assert_frame_equal(fit_preparation(shuffled, settings), expected)
    pd.testing.assert_frame_equal(
        describe_preparation(shuffled, settings, expected),
        describe_preparation(features, settings, expected),
    )


def test_the_credit_card_is_filled_as_its_published_counts_say():
    card = pd.read_csv(shared_file("cc_general/CC_GENERAL.csv.gz"))
    names = [name for name in card if name != "CUST_ID"]
    card = card.assign(sample_rank=range(len(card)))
    plain = dict.fromkeys(names, ("none", "standard"))
    settings = settings_for(**plain).assign(missing="median", maximum_correlation=1.0)
    found = fit_preparation(card, settings)
    described = describe_preparation(card, settings, found).set_index("feature")
    missing = described["missing_count"]
    assert missing[missing > 0].to_dict() == {
        "CREDIT_LIMIT": 1,
        "MINIMUM_PAYMENTS": 313,
    }
    assert found["feature"].tolist() == names
    points = prepare(card, found)
    filled = card[names].fillna(card[names].median())
    expected = (filled - filled.mean()) / filled.std(ddof=0)
    np.testing.assert_allclose(points, expected, atol=1e-6)
    # The same with the limits: each month a share of 313 / 8,950 = 3.5 %.
    strict = settings.assign(maximum_missing_share=0.03)
    assert "MINIMUM_PAYMENTS" not in set(fit_preparation(card, strict)["feature"])


def engine_settings(**changes):
    frame = pd.DataFrame(
        {
            "segmentation": ["value", "behaviour"],
            "feature": ["spend", "share"],
            "position": 1,
            "transform": "none",
            "scaling": "none",
            "algorithm": ["hierarchical", "dbscan"],
            "cluster_count": "auto",
            "minimum_cluster_count": 3,
            "maximum_cluster_count": 6,
            "random_seed": 1,
            "configuration_hash": "h",
            "as_of_date": pd.Timestamp("2024-06-01"),
        }
        | changes
    )
    assert set(SETTINGS_COLUMNS) <= set(frame)
    return frame


def test_segmentations_come_by_name_with_any_known_algorithm():
    sample = pd.DataFrame(
        {"segmentation": ["value", "behaviour"], "sample_rank": 1, "spend": 1.0}
    ).assign(share=0.5)
    found = [
        (name, len(customers), rows["algorithm"].item())
        for name, customers, rows in each_segmentation(sample, engine_settings())
    ]
    assert found == [("behaviour", 1, "dbscan"), ("value", 1, "hierarchical")]
    with pytest.raises(ValueError, match="'spectral'; known: 'kmeans', 'hierarchical'"):
        list(each_segmentation(sample, engine_settings(algorithm="spectral")))
    twice = engine_settings(segmentation="value", algorithm="kmeans")
    with pytest.raises(ValueError, match="more than one check_volume"):
        list(each_segmentation(sample, twice.assign(check_volume=[True, False])))


def test_a_feature_may_be_absent_only_where_another_segmentation_has_it():
    sample = pd.DataFrame({"segmentation": ["value"], "sample_rank": 1, "spend": 1.0})
    settings = engine_settings()
    own = settings[settings["segmentation"] == "value"]
    assert [name for name, *_ in each_segmentation(sample, own)] == ["value"]
    with pytest.raises(ValueError, match="sample lacks the column 'share'"):
        list(each_segmentation(sample, settings))


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
    with pytest.raises(ValueError, match="unknown scaling 'quantile'"):
        fit_preparation(features, settings_for(spend=("none", "quantile")))
    settings = settings_for(spend=plain)
    with pytest.raises(ValueError, match="unknown kind 'text'; known: 'numeric'"):
        fit_preparation(features, settings.assign(kind="text"))
    with pytest.raises(ValueError, match="unknown missing 'mean'"):
        fit_preparation(features, settings.assign(missing="mean"))
    with pytest.raises(
        ValueError, match=r"'spend' is clipped at the quantiles 0.9 and"
    ):
        fit_preparation(
            features, settings.assign(lower_quantile=0.9, upper_quantile=0.1)
        )
    with pytest.raises(
        ValueError, match="categorical; missing 'median' is for numbers"
    ):
        fit_preparation(features, settings.assign(kind="categorical", missing="median"))
    with pytest.raises(ValueError, match="categorical; transform 'log1p' is for"):
        fit_preparation(
            features,
            settings_for(spend=("log1p", "none")).assign(kind="categorical"),
        )
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
        def toArrow(self):
            return SimpleNamespace(to_pandas=lambda: frame)

    class DuckDB:
        def df(self):
            return frame

    assert to_pandas(Spark()) is frame
    assert to_pandas(DuckDB()) is frame
