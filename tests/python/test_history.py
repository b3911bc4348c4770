"""Month by month: the past stays as it was, and is what a build of then would show."""

import pytest
from builds import NO_TESTS, NO_UNIT_TESTS, build, continued, copy_project
from conftest import rewrite

MONTHS = "dev_marts.fct_customer_months"
LABELS = "dev_marts.fct_customer_segment_months"
AS_PUBLISHED = """
    select columns(lambda name: name not like 'current_%') from {} where is_closed
    order by all
"""


def published(build, table):
    return build.rows(AS_PUBLISHED.format(table))


# ---- an old date rebuilt -----------------------------------------------------------

THEN = """
    select customer_id, recency_days, tenure_days, frequency, monetary,
        recency_score, frequency_score, monetary_score, rfm_segment, lifecycle_state
    from {} order by 1
"""


def test_a_rebuilt_date_shows_what_the_month_has(demo, past_date):
    month = THEN.format(f"{MONTHS} where month_end_date = '2024-09-30'")
    rebuilt = THEN.format("dev_marts.dim_customers where order_count > 0")
    assert past_date.rows(rebuilt) == demo.rows(month)
    assert len(demo.rows(month)) > 2_000


def test_a_rebuilt_date_has_the_segments_of_the_month(demo, past_date):
    month = demo.rows(
        "select customer_id, segmentation, segment_id, model_version "
        f"from {LABELS} where month_end_date = '2024-09-30' order by 1, 2"
    )
    rebuilt = past_date.rows(
        "select customer_id, segmentation, segment_id, model_version "
        "from dev_marts.fct_customer_segments where customer_id in "
        "(select customer_id from dev_marts.fct_orders) order by 1, 2"
    )
    assert rebuilt == month


def test_a_rebuilt_date_leaves_what_is_current_alone(demo, past_date):
    assert past_date.manifest()["as_of_date"] == "2024-10-01"
    current = past_date._replace(prefix="")
    for table in (MONTHS, LABELS, "dev_marts.dim_customers"):
        sql = f"select * from {table} order by all"
        assert current.rows(sql) == demo.rows(sql)
    manifest = past_date.folder / "exports" / "manifest.json"
    assert manifest.read_bytes() == (demo.exports / "manifest.json").read_bytes()


# ---- later data --------------------------------------------------------------------


@pytest.fixture(scope="module")
def grown(demo, tmp_path_factory):
    """A month later: the last month's orders once more, and one late for last May."""
    folder = continued(demo, tmp_path_factory.mktemp("grown"))
    project = copy_project(folder)

    def more(rows):
        yield from rows
        for number, row in enumerate(list(rows)):
            day = row[3][:10]
            if day[:7] == "2024-12" and row[0] and not row[9]:
                later = [f"N{number}", f"N{row[1]}", row[2], "2025-01" + row[3][7:]]
                yield later + row[4:]
        buyer = next(row[2] for row in rows if row[3][:7] == "2023-02" and row[2])
        late = ["LATE", "LATE-1", buyer, "2024-05-05 10:00:00", rows[0][4]]
        late += ["1", "77.00", "", "sale", "", "EUR", "web", ""]
        yield [*late, "2025-01-20 10:00:00"]

    rewrite(project / "seeds" / "demo" / "demo_order_lines.csv", more)
    return build(
        folder,
        project=project,
        args=NO_UNIT_TESTS,
        variables={"segmentations_enabled": ["value"], "refit_policy": "always"},
    )


@pytest.mark.slow
def test_later_data_leaves_closed_months_as_they_were(demo, grown):
    assert published(demo, MONTHS) == published(
        grown, f"(from {MONTHS} where month_end_date < '2024-12-01')"
    )
    before = (
        f"(from {LABELS} where segmentation in ('value', 'rfm') "
        "and month_end_date < '2024-12-01')"
    )
    assert published(demo, before) == published(grown, before)


@pytest.mark.slow
def test_a_month_that_has_closed_since_is_added(demo, grown):
    assert demo.one(f"select max(month_end_date) from {MONTHS} where is_closed") < (
        grown.one(f"select max(month_end_date) from {MONTHS} where is_closed")
    )
    (said,) = grown.lines("Published")
    assert "months closed: 1" in said


@pytest.mark.slow
def test_what_came_too_late_is_counted(grown):
    late = grown.rows(
        "select month_end_date::varchar, late_purchase_count, late_revenue "
        "from dev_marts.rpt_history where late_revenue <> 0"
    )
    assert [(month, count, float(money)) for month, count, money in late] == [
        ("2024-05-31", 1, 77.0)
    ]


@pytest.mark.slow
def test_a_refit_moves_customers_by_the_model_only_where_labels_of_both_differ(grown):
    """The month after a refit is compared with the one before by the new model."""
    versions = dict(
        grown.rows(
            f"select month_end_date::varchar, max(model_version) from {LABELS} "
            "where segmentation = 'value' group by 1"
        )
    )
    assert versions["2024-11-30"] == 1
    assert versions["2024-12-31"] == 2
    assert grown.one(
        f"select count(*) from {LABELS} as a join {LABELS} as b using "
        "(customer_id, segmentation) where a.month_end_date = '2024-11-30' "
        "and b.month_end_date = '2024-12-31' and segmentation = 'value' "
        "and (b.previous_segment_id <> a.segment_id "
        "or b.previous_segment_id_by_this_model <> a.current_segment_id "
        "or (b.movement = 'model') <> (a.segment_id <> b.segment_id "
        "and a.current_segment_id = b.segment_id))"
    ) == 0  # fmt: skip


# ---- by an independent computation -------------------------------------------------


def test_the_months_survive_a_lost_database(demo, shuffled):
    assert shuffled.registry() == demo.registry()
    for table in (MONTHS, LABELS):
        assert published(shuffled, table) == published(demo, table)


@pytest.mark.slow
def test_other_policies_make_another_past(demo, tmp_path):
    continued(demo, tmp_path)
    ignoring = build(
        tmp_path,
        args=["--select", "+fct_customer_months", *NO_TESTS],
        variables={"returns": "ignore", "segmentations_enabled": ["value"]},
    )
    sql = f"select sum(monetary), sum(month_given_back_amount) from {MONTHS} where {{}}"
    month = "month_end_date = '2024-06-30'"
    (spent, given_back), (netted, taken) = (
        ignoring.rows(sql.format(month))[0],
        demo.rows(sql.format(month))[0],
    )
    assert given_back == 0 < taken
    assert spent > netted
