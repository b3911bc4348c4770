"""The same data give the same bytes, and segments keep their ids."""

from collections import Counter

import pytest
from builds import tree


def ids(finished):
    """The clusters of the build, with status and parent."""
    return {
        row[0]: row[1:]
        for row in finished.rows(
            "select segment_id, status, parent_segment_id, model_version "
            "from dev_marts.dim_segments "
            "where segmentation = 'value' and segment_id <> 'value-0'"
        )
    }


def labels(finished):
    return dict(
        finished.rows(
            "select customer_id, segment_id from dev_marts.fct_customer_segments "
            "where segmentation = 'value' and status = 'assigned'"
        )
    )


def active(finished):
    return {name for name, (status, *_) in ids(finished).items() if status == "active"}


# ---- determinism -------------------------------------------------------------------


def test_other_row_order_threads_and_a_lost_database_give_the_same_bytes(
    demo, shuffled
):
    assert len(shuffled.lines("Restored the registry table")) == 6
    assert tree(shuffled.exports) == tree(demo.exports)
    (said,) = shuffled.lines("Unchanged")
    assert "0 new model versions" in said
    assert shuffled.registry() == demo.registry()
    assert shuffled.facts() == demo.facts()


def test_the_rows_really_were_in_another_order(demo, shuffled):
    name = "seeds/demo/demo_order_lines.csv"
    before = (demo.project / name).read_bytes().splitlines()
    after = (shuffled.project / name).read_bytes().splitlines()
    assert before != after
    assert sorted(before) == sorted(after)


def test_every_table_downstream_of_staging_is_the_same_too(demo, shuffled):
    for table in (
        "dev_staging.stg_order_lines",
        "dev_staging.stg_customers",
        "dev_intermediate.int_return_matches",
        "dev_intermediate.int_training_sample",
        "dev_intermediate.ml_segmentation_candidates",
        "dev_intermediate.ml_segment_prototypes",
    ):
        sql = f"select * from {table} order by all"
        assert shuffled.rows(sql) == demo.rows(sql), table


# ---- a past date -------------------------------------------------------------------


def test_a_past_date_promotes_nothing_and_uses_the_published_models(demo, past_date):
    assert past_date.manifest()["as_of_date"] == "2024-10-01"
    (said,) = past_date.lines("Published")
    assert "0 new model versions" in said
    assert past_date.registry() == demo.registry()
    assert past_date.facts() == demo.facts()
    versions = past_date.rows(
        "select distinct segmentation, model_version "
        "from dev_marts.fct_customer_segments where status = 'assigned'"
    )
    assert sorted(versions) == [("behaviour", 1), ("rfm", 1), ("value", 1)]
    assert set(labels(past_date).values()) <= active(demo)
    assert active(past_date) == active(demo)


def test_a_past_date_reads_nothing_later(past_date):
    assert past_date.one(
        "select max(ordered_at) < '2024-10-01' from dev_marts.fct_orders"
    )
    assert past_date.one(
        "select max(last_event_date) < '2024-10-01' and min(recency_days) >= 1 "
        "from dev_marts.dim_customers"
    )


@pytest.mark.parametrize(
    "table", ["int_customer_rfm", "int_orders", "int_churn_horizon"]
)
def test_a_past_date_has_the_figures_it_had_when_it_was_today(
    past_date, cut_off, table
):
    sql = f"select * from dev_intermediate.{table} order by all"
    then, now = cut_off.rows(sql), past_date.rows(sql)
    assert now == then
    assert len(now) >= 1


# ---- another number of clusters ----------------------------------------------------


def test_another_k_is_a_new_version_and_what_is_published_before_stays(
    demo, eight_clusters
):
    cut_points, prototypes, *_ = eight_clusters.registry()
    old_cut_points, old_prototypes, *_ = demo.registry()
    assert cut_points == old_cut_points
    assert [row for row in prototypes if row[1] == 1] == old_prototypes
    new = [row for row in prototypes if row[1] != 1]
    assert {row[1] for row in new} == {2}
    # clusters by features
    assert len([row for row in new if row[0] == "value"]) == 8 * 3
    assert set(
        eight_clusters.rows(
            "select distinct model_version from dev_marts.fct_customer_segments "
            "where segmentation = 'value'"
        )
    ) == {(2,)}


def test_a_split_keeps_old_ids_where_the_customers_are_and_records_parents(
    demo, eight_clusters
):
    old, new = labels(demo), labels(eight_clusters)
    assert set(old.values()) == {f"value-{number}" for number in range(1, 6)}
    assert active(eight_clusters) >= set(old.values()), "every old one goes on"
    assert len(active(eight_clusters)) == 8
    shared = Counter((old[customer], new[customer]) for customer in old)
    of_new = Counter(new.values())
    for name in set(old.values()):
        # who keeps an id has a real share of the old customers in it
        assert shared[name, name] >= 0.3 * of_new[name], name
    parents = {
        name: parent for name, (_, parent, _) in ids(eight_clusters).items() if parent
    }
    assert parents, "eight of five clusters without a split"
    for child, parent in parents.items():
        assert child not in set(old.values())
        assert shared[parent, child] > 0.5 * of_new[child]
        assert shared[parent, parent] >= shared[parent, child], "the larger child"


@pytest.mark.slow
def test_vanished_segments_are_retired_but_not_forgotten(eight_clusters, three_again):
    found = ids(three_again)
    assert set(found) == active(eight_clusters) | active(three_again)
    assert len(active(three_again)) == 3
    retired = {name for name, (status, *_) in found.items() if status == "retired"}
    assert retired == set(found) - active(three_again)
    assert len(retired) >= 5
    assert set(labels(three_again).values()) == active(three_again)
    summary = three_again.rows("select segment_id from dev_marts.rpt_segment_summary")
    assert not retired & {name for (name,) in summary}
    assert {row[1] for row in three_again.registry()[1]} == {1, 2, 3}


@pytest.mark.slow
def test_an_id_is_never_used_again(three_again, eight_again):
    before, after = ids(three_again), ids(eight_again)
    gone = {name for name, (status, *_) in before.items() if status == "retired"}
    assert all(after[name][0] == "retired" for name in gone)
    new = active(eight_again) - set(before)
    highest = max(int(name.removeprefix("value-")) for name in before)
    assert new
    assert all(int(name.removeprefix("value-")) > highest for name in new)
    assert len(active(eight_again)) == 8


def test_active_segments_have_names_of_their_own(eight_clusters):
    names = eight_clusters.rows(
        "select segmentation, segment_name from dev_marts.dim_segments "
        "where status = 'active'"
    )
    assert len([name for name in names if name[0] == "value"]) == 9
    assert len(names) == len(set(names))
