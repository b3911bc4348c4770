"""What MetricFlow answers, against the published files."""

import json

import pytest

MANIFEST = "target/semantic_manifest.json"
QUESTIONS = {
    "all customers": (
        ("customers,revenue,revenue_per_customer,lifetime_value,value_at_risk",),
        "select count(*), sum(monetary), sum(monetary) / count(*), "
        "sum(lifetime_value), sum(value_at_risk) from dim_customers",
    ),
    "segments of the primary segmentation": (
        (
            "customers,revenue,lifetime_value,value_at_risk,revenue_per_customer",
            "segment__segment_name",
        ),
        "select segment_name, customer_count, revenue, lifetime_value, value_at_risk, "
        "revenue / customer_count from rpt_segment_summary "
        "where segmentation = 'value' and customer_count > 0",
    ),
    "RFM segments": (
        ("customers,revenue", "customer__rfm_segment"),
        "select nullif(segment_name, 'Not segmented'), customer_count, revenue "
        "from rpt_segment_summary where segmentation = 'rfm' and customer_count > 0",
    ),
    "countries": (
        ("revenue,customers", "customer__country"),
        "select country, sum(monetary), count(*) from dim_customers group by country",
    ),
    "acquisition channels": (
        ("revenue,value_at_risk", "customer__acquisition_channel"),
        "select acquisition_channel, sum(monetary), sum(value_at_risk) "
        "from dim_customers group by all",
    ),
    "months": (
        ("monthly_revenue", "metric_time__month"),
        "select strftime(date_trunc('month', month_end_date), '%Y-%m-%d 00:00:00'), "
        "revenue from rpt_history",
    ),
    "months of orders, with those of guests": (
        ("purchases,order_revenue,average_order_amount", "metric_time__month"),
        "select strftime(date_trunc('month', order_date), '%Y-%m-%d 00:00:00'), "
        "count_if(is_purchase), sum(net_amount), "
        "sum(net_amount) / count_if(is_purchase) from fct_orders group by 1",
    ),
    "sales channels": (
        ("average_order_amount,order_revenue", "order__channel"),
        "select channel, sum(net_amount) / count_if(is_purchase), sum(net_amount) "
        "from fct_orders group by channel",
    ),
    "segments' order value": (
        (
            "average_order_amount",
            "segment__segment_name",
            "{{ Dimension('order__is_guest') }} = false",
        ),
        "select segment_name, sum(net_amount) / nullif(count_if(is_purchase), 0) "
        "from fct_orders inner join dim_customers using (customer_id) group by 1",
    ),
    "retention": (
        ("retention_rate,churn_rate,customers_active_before",),
        "select retained_count / active_before_count, "
        "1 - retained_count / active_before_count, active_before_count "
        "from rpt_retention where group_kind = 'all'",
    ),
    "retention of segments": (
        (
            "group_retention_rate,group_churn_rate",
            "retention_group__group_name",
            "{{ Dimension('retention_group__segmentation') }} = 'value'",
        ),
        "select group_name, retained_count / active_before_count, "
        "1 - retained_count / active_before_count from rpt_retention "
        "where segmentation = 'value' and status = 'ok' union all "
        "select group_name, null, null from rpt_retention "
        "where segmentation = 'value' and status <> 'ok'",
    ),
    "cohorts": (
        (
            "cohort_retention_rate",
            "metric_time__month",
            "{{ Dimension('cohort__month_number') }} = 3",
        ),
        "select strftime(cohort_month, '%Y-%m-%d 00:00:00'), "
        "active_customer_count / customer_count from rpt_cohort_retention "
        "where month_number = 3",
    ),
}


def test_metricflow_finds_no_fault(metrics):
    output = metrics.run("mf", "validate-configs", "--show-all")
    assert "Successfully validated metrics against data warehouse" in output
    assert output.count("ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0") == 6


def test_a_column_that_is_not_there_is_a_fault(metrics):
    path = metrics.project / MANIFEST
    sound = path.read_text()
    try:
        path.write_text(sound.replace('"monetary"', '"monetory"'))
        output = metrics.run("mf", "validate-configs", green=False)
    finally:
        path.write_text(sound)
    assert "monetory" in output


@pytest.mark.parametrize("name", QUESTIONS)
def test_answers_are_those_of_the_published_files(metrics, name):
    question, sql = QUESTIONS[name]
    expected = metrics.published(sql, width=len(question[1:2]))
    assert len(expected) > len(question[1:2])
    assert metrics.query(*question) == expected


def test_revenue_of_the_months_adds_up_to_revenue(metrics):
    assert metrics.query("monthly_revenue") == metrics.query("revenue")


def test_without_orders_there_are_no_metrics(metrics):
    """Their marts are off, and dbt reads the rest."""
    metrics.run(
        "dbt", "parse", "--quiet", "--no-partial-parse", "--target-path", "attributes",
        "--vars", "input: mall_customers",
    )  # fmt: skip
    manifest = json.loads(
        (metrics.project / "attributes" / "semantic_manifest.json").read_text()
    )
    assert manifest["semantic_models"] == [] and manifest["metrics"] == []
