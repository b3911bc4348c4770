"""Explanations: every segmentation for itself, and SQL that says what Python says."""

import duckdb
import numpy as np
import pandas as pd
import pytest

from segmentation.explanations import explain_segments, explain_trees
from segmentation.rules import RULE_DTYPES, TREE_DTYPES, describe_segments, tree_sql

FEATURES = pd.DataFrame(
    {
        "feature": ["spend", "age"],
        "unit": ["money", "years"],
        "at_most_phrase": ["spend of at most {value}", None],
        "more_than_phrase": ["spend above {value}", None],
    }
)


def labelled_customers(count=600):
    """Two segmentations: by spend and city, and by age; of the latter no spend."""
    rng = np.random.default_rng(1)
    customers = pd.DataFrame(
        {
            "customer_id": [f"c{number:04d}" for number in range(count)],
            "spend": rng.lognormal(4, 1, count).round(2),
            "age": rng.integers(18, 80, count).astype(float),
            "city": rng.choice(["Rome", "L'Aquila", "Pisa"], count),
        }
    )
    customers["age"] = customers["age"].mask(rng.random(count) < 0.1)
    rich = customers["spend"] > 80
    value = np.select(
        [rich & (customers["city"] == "L'Aquila"), rich],
        ["value-1", "value-2"],
        "value-3",
    )
    age = np.where(customers["age"] > 50, "age-2", "age-1")
    return pd.concat(
        [
            customers.assign(segmentation="value", segment_id=value),
            customers.assign(segmentation="age", segment_id=age, spend=np.nan),
        ],
        ignore_index=True,
    )


LABELLED = labelled_customers()


def by_sql(segmentation, expression):
    """customer_id -> what the expression gives in DuckDB."""
    return dict(
        duckdb.sql(
            f"select customer_id, {expression} from LABELLED "
            f"where segmentation = '{segmentation}'"
        ).fetchall()
    )


def segments_of(segmentation):
    own = LABELLED[LABELLED["segmentation"] == segmentation]
    return dict(zip(own["customer_id"], own["segment_id"], strict=True))


def test_rules_are_those_of_each_segmentation_alone():
    found = explain_segments(LABELLED, FEATURES)
    assert found.dtypes.astype(str).to_dict() == {
        "segmentation": "string",
        **RULE_DTYPES,
    }
    assert found["segmentation"].unique().tolist() == ["age", "value"]
    own = LABELLED[LABELLED["segmentation"] == "age"]
    expected = describe_segments(
        own[["age", "city"]], own["segment_id"], units=FEATURES, phrases=FEATURES
    )
    pd.testing.assert_frame_equal(
        found[found["segmentation"] == "age"].drop(columns="segmentation"), expected
    )


def test_the_sql_of_a_rule_finds_the_customers_that_its_figures_are_of():
    rules = explain_segments(LABELLED, FEATURES)
    rules = rules.drop_duplicates(["segmentation", "segment_id"])
    assert len(rules) == 5
    for rule in rules.itertuples():
        holds = by_sql(rule.segmentation, f"coalesce({rule.rule_sql}, false)")
        claimed = {customer for customer, is_in in holds.items() if is_in}
        wanted = {
            customer
            for customer, segment_id in segments_of(rule.segmentation).items()
            if segment_id == rule.segment_id
        }
        hits = len(claimed & wanted)
        assert rule.precision == pytest.approx(hits / len(claimed))
        assert rule.recall == pytest.approx(hits / len(wanted))
        assert rule.f1 == pytest.approx(2 * hits / (len(claimed) + len(wanted)))


def test_the_sql_of_a_tree_gives_the_segments_it_says():
    found = explain_trees(LABELLED)
    assert found.dtypes.astype(str).to_dict() == {
        "segmentation": "string",
        **TREE_DTYPES,
    }
    assert found["segmentation"].tolist() == ["age", "value"]
    assert found["max_depth"].tolist() == [4, 4]
    for tree in found.itertuples():
        given, expected = (
            by_sql(tree.segmentation, tree.tree_sql),
            segments_of(tree.segmentation),
        )
        right = sum(given[customer] == expected[customer] for customer in expected)
        assert tree.accuracy == pytest.approx(right / len(expected))
    # Planted in two questions, on values that every customer has.
    value = found[found["segmentation"] == "value"].iloc[0]
    assert value["accuracy"] == 1.0
    assert by_sql("value", value["tree_sql"]) == segments_of("value")
    own = LABELLED[LABELLED["segmentation"] == "age"]
    alone = tree_sql(own[["age", "city"]], own["segment_id"])
    assert found["tree_sql"][0] == alone["tree_sql"].item()


def test_explanations_do_not_depend_on_the_row_order():
    shuffled = LABELLED.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        explain_segments(shuffled, FEATURES), explain_segments(LABELLED, FEATURES)
    )
    pd.testing.assert_frame_equal(explain_trees(shuffled), explain_trees(LABELLED))


def test_without_customers_the_frames_are_empty_but_typed():
    nobody = LABELLED.head(0)
    assert explain_segments(nobody, FEATURES).dtypes.astype(str).to_dict() == {
        "segmentation": "string",
        **RULE_DTYPES,
    }
    assert explain_trees(nobody).empty
    with pytest.raises(ValueError, match="labelled lacks the column 'customer_id'"):
        explain_trees(LABELLED.drop(columns="customer_id"))
