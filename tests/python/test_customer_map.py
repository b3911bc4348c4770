"""The customer map: hand-worked components, published ratios, places by SQL."""

import duckdb
import numpy as np
import pandas as pd
import pytest
from shared_data import shared_file

from segmentation.customer_map import LOADING_DTYPES, fit_map
from segmentation.preparation import fit_preparation, prepare


def columns_of(*features):
    return pd.DataFrame({"feature": features, "position": range(1, len(features) + 1)})


def cloud(seed=1, count=200):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 3)) @ np.array(
        [[3, 1, 0], [0, 1, 0], [0, 0, 0.2]]
    )


def project(points, loadings):
    """Places on the map, as the SQL should compute them."""
    wide = loadings.pivot_table(["loading", "centring"], "position", "component")
    return (points - wide["centring"][1].to_numpy()) @ wide["loading"].to_numpy()


def test_components_are_the_hand_worked_ones():
    # On the line y = -x through (1, 3), 2 sqrt 2 either way, and across it 1 sqrt 2:
    # variances 16 and 4 to 1.
    points = np.array([[3, 1], [-1, 5], [2, 4], [0, 2]], dtype=float)
    found = fit_map(points, columns_of("a", "b"))
    assert found.dtypes.astype(str).to_dict() == LOADING_DTYPES
    half = round(0.5**0.5, 9)
    assert found["component"].tolist() == [1, 1, 2, 2]
    assert found["feature"].tolist() == ["a", "b"] * 2
    # Equal in size, so the first column's loading is the positive one.
    assert found["loading"].tolist() == [half, -half, half, half]
    assert found["centring"].tolist() == [1.0, 3.0] * 2
    assert found["explained_variance_ratio"].tolist() == [0.8, 0.8, 0.2, 0.2]
    places = project(points, found)
    root = 2**0.5
    expected = [[2 * root, 0], [-2 * root, 0], [0, root], [0, -root]]
    np.testing.assert_allclose(places, expected, atol=1e-8)


def test_the_largest_loading_is_positive():
    points = cloud()
    for sign in (1, -1):
        found = fit_map(sign * points, columns_of("a", "b", "c"))
        for _, rows in found.groupby("component"):
            assert rows["loading"].iloc[rows["loading"].abs().argmax()] > 0


def test_places_have_the_variances_of_the_components_and_no_correlation():
    points = cloud()
    found = fit_map(points, columns_of("a", "b", "c"))
    covariance = np.cov(project(points, found).T, ddof=0)
    variances = np.sort(np.linalg.eigvalsh(np.cov(points.T, ddof=0)))[::-1]
    np.testing.assert_allclose(covariance, np.diag(variances[:2]), atol=1e-6)
    ratios = found.groupby("component")["explained_variance_ratio"].first()
    np.testing.assert_allclose(ratios, variances[:2] / variances.sum(), atol=1e-8)


def test_the_map_does_not_depend_on_the_row_order():
    points = cloud()
    shuffled = np.random.default_rng(2).permutation(points)
    one, other = (fit_map(p, columns_of("a", "b", "c")) for p in (points, shuffled))
    pd.testing.assert_frame_equal(one, other, atol=1e-8)


def test_one_feature_lies_on_a_line():
    points = np.array([[1.0], [3.0]])
    found = fit_map(points, columns_of("a"))
    assert found["loading"].tolist() == [1.0, 0.0]
    assert found["explained_variance_ratio"].tolist() == [1.0, 0.0]
    assert project(points, found).tolist() == [[-1.0, 0.0], [1.0, 0.0]]


def test_customers_who_do_not_differ_lie_on_one_point():
    for points in (np.full((5, 2), 7.0), np.full((1, 2), 7.0)):
        found = fit_map(points, columns_of("a", "b"))
        assert found["explained_variance_ratio"].isna().all()
        assert (project(points, found) == 0).all()


def test_what_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="points have 3 columns, the preparation 1"):
        fit_map(cloud(), columns_of("a"))
    with pytest.raises(ValueError, match="points has no rows"):
        fit_map(np.zeros((0, 1)), columns_of("a"))


def test_sql_projects_as_python_does():
    random = np.random.default_rng(3)
    features = pd.DataFrame(
        {
            "spend": random.lognormal(3, 1, 100),
            "city": random.choice([*"abc"], 100),
            "sample_rank": range(100),
        }
    )
    settings = pd.DataFrame(
        {
            "feature": ["spend", "city"],
            "position": [1, 2],
            "transform": ["log1p", "none"],
            "scaling": "standard",
            "kind": ["numeric", "categorical"],
        }
    )
    preparation = fit_preparation(features, settings)
    points = prepare(features, preparation)
    loadings = fit_map(points, preparation)
    assert loadings["level"].tolist()[1:4] == ["a", "b", "c"]
    long = pd.DataFrame(
        {
            "customer": np.repeat(np.arange(100), 4),
            "position": np.tile([1, 2, 3, 4], 100),
            "prepared": points.ravel(),
        }
    )
    connection = duckdb.connect()
    connection.register("long", long)
    connection.register("loadings", loadings)
    found = connection.execute("""
        select sum((long.prepared - l.centring) * l.loading) as place
        from long inner join loadings as l on long.position = l.position
        group by long.customer, l.component
        order by long.customer, l.component
    """).fetchnumpy()["place"]
    np.testing.assert_allclose(
        found.reshape(100, 2), project(points, loadings), atol=1e-8
    )


def test_the_credit_card_has_the_components_of_its_correlation_matrix():
    # Purchases are one-off and instalment purchases, but for 19 rows, so the last of
    # the 17 explains nothing.
    card = pd.read_csv(shared_file("cc_general/CC_GENERAL.csv.gz"))
    names = [name for name in card if name != "CUST_ID"]
    settings = pd.DataFrame(
        {
            "feature": names,
            "position": range(1, 18),
            "transform": "none",
            "scaling": "standard",
            "missing": "median",
            "maximum_correlation": 1.0,
        }
    )
    card = card.assign(sample_rank=range(len(card)))
    preparation = fit_preparation(card, settings)
    points = prepare(card, preparation)
    found = fit_map(points, preparation, component_count=17)
    ratios = found.groupby("component")["explained_variance_ratio"].first()
    filled = card[names].fillna(card[names].median())
    eigenvalues = np.linalg.eigvalsh(filled.corr())[::-1]
    np.testing.assert_allclose(ratios, eigenvalues / 17, atol=1e-8)
    assert 0 <= ratios[17] < 1e-5
    last = found[found["component"] == 17].set_index("feature")["loading"]
    money = ["PURCHASES", "ONEOFF_PURCHASES", "INSTALLMENTS_PURCHASES"]
    assert set(last.abs().nlargest(3).index) == set(money)
    first_two = fit_map(points, preparation)
    pd.testing.assert_frame_equal(first_two, found.head(34))
