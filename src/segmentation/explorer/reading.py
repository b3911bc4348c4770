"""Read of a published set what the page shows: aggregates and bounded samples.

The work is done by an embedded DuckDB over the Parquet files, of which only the columns
in use are read. Sums are of decimals, so that they do not depend on threads.
"""

import re
from pathlib import Path

import duckdb
import pandas as pd

LARGEST_COUNTRIES = 12
OTHER_COUNTRIES = "Other countries"
UNKNOWN_COUNTRY = "Country not known"
MAP_POINTS = 2_500  # of each segmentation
RISK_POINTS = 2_000
# Small tables as they are; of each the columns that the page reads.
SMALL_TABLES = {
    "dim_segmentations": (
        "segmentation, description, is_primary, algorithm, cluster_count, structure, "
        "status, reason, model_version, stability, silhouette, tree_accuracy"
    ),
    "dim_segments": (
        "segmentation, segment_id, segment_name, segment_number, persona, description, "
        "rule_text, rule_precision, rule_recall, action, how, kpi, colour, status"
    ),
    "rpt_segment_summary": (
        "segmentation, segment_id, customer_count, revenue, order_count"
    ),
    "rpt_recommendations": (
        "segmentation, segment_id, segment_name, action, how, channel, offer, kpi, "
        "max_frequency, do_not, customer_count, reachable_customer_count, "
        "paused_customer_count, value_at_stake, value_reachable, uplift, uplift_lower, "
        "uplift_upper, uplift_status, expected_gain, cost, net_worth, worth_rank, "
        "is_best_action, is_within_budget, status"
    ),
    "rpt_audiences": (
        "group_id, action, channel, treatment_count, control_count, detectable_lift, "
        "can_be_measured, measurement_status"
    ),
    "rpt_segment_profiles": (
        "segmentation, segment_id, feature, level, feature_level, feature_label, unit, "
        "mean_value, median_value, mean_of_all, effect_size, difference_rank"
    ),
    "rpt_segmentation_features": (
        "segmentation, feature, status, eta_squared, contribution"
    ),
    "rpt_map_loadings": (
        "segmentation, component, feature, feature_level, loading, "
        "explained_variance_share"
    ),
    "rpt_segment_candidates": (
        "segmentation, algorithm, cluster_count, inertia, silhouette, stability, "
        "stability_error, structure, is_usable, is_chosen, status, reason"
    ),
    "rpt_segment_migration": (
        "month_end_date, segmentation, from_segment_id, from_segment_name, "
        "to_segment_id, to_segment_name, cause, customer_count"
    ),
    "rpt_segment_trends": "month_end_date, segmentation, segment_id, customer_count",
    "rpt_cohort_retention": (
        "cohort_month, month_number, customer_count, active_customer_count, "
        "retention_rate, cumulative_revenue_per_customer, is_complete"
    ),
    "rpt_second_purchase": (
        "group_kind, group_name, day, at_risk_count, share_with_second_purchase, "
        "lower, upper, median_days, status"
    ),
    "rpt_value_validation": (
        "model, measure, bin, estimate, lower, upper, predicted, actual, "
        "customer_count, status, verdict"
    ),
    "rpt_churn_validation": (
        "model, measure, bin, is_chosen, estimate, lower, upper, predicted, "
        "customer_count, status, verdict"
    ),
    "rpt_purchase_models": "churn_horizon_days, churn_horizon_reason",
    "rpt_data_quality": "source_table, measure, reason, row_count",
    "rpt_model_health": (
        "segmentation, model_version, status, status_reason, what_to_do, age_days"
    ),
}
# What a customer's row has of itself; the others of a segmentation's features are
# attributes of the input, or are not published by customer.
CUSTOMER_FEATURES = (
    "recency_days",
    "frequency",
    "monetary",
    "average_order_amount",
    "tenure_days",
    "age",
)
MAP_COLUMNS = (
    "segmentation", "customer_id", "segment_id", "country", "component_1",
    "component_2", "feature_1", "value_1", "feature_2", "value_2",
)  # fmt: skip
DECIMAL = "decimal(38, 9)"


class PublishedSet:
    """The tables of one published set, each in one file or several."""

    def __init__(self, exports: Path, manifest: dict):
        """Take the exports folder and its manifest."""
        self._files: dict[str, list[Path]] = {}
        for file in manifest["files"]:
            name, _, kind = file["name"].rpartition(".")
            if kind == "parquet":
                table = re.sub(r"-\d+-of-\d+$", "", name)
                path = Path(exports) / manifest["folder"] / file["name"]
                self._files.setdefault(table, []).append(path)
        self._opened = None

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """A view for each table."""
        if self._opened is None:
            self._opened = duckdb.connect()
            for table, paths in self._files.items():
                listed = ", ".join(_literal(str(path)) for path in paths)
                self._opened.execute(
                    f'create view "{table}" as from read_parquet([{listed}])'
                )
        return self._opened

    def has(self, *tables: str) -> bool:
        """Whether all these tables were published."""
        return all(table in self._files for table in tables)

    def execute(self, sql: str) -> None:
        """Execute a statement."""
        self._connection.execute(sql)

    def frame(self, sql: str) -> pd.DataFrame:
        """Return the rows of a query; decimals as doubles, dates as text."""
        relation = self._connection.sql(sql)
        columns = [
            f'cast("{name}" as {_plain(str(kind))}) as "{name}"'
            for name, kind in zip(relation.columns, relation.types, strict=True)
        ]
        return relation.project(", ".join(columns)).df()


def read_figures(published: PublishedSet) -> dict[str, pd.DataFrame]:
    """Return the frames that ``make_payload`` takes.

    Parameters
    ----------
    published
        The set. What is not in it is not in the answer: an input without orders has no
        migration, a set of an earlier release may lack a mart.

    Returns
    -------
    Frames by name: those of ``SMALL_TABLES``; ``cells``, sums by segmentation, segment
    and country; ``country_means``, means of features by the same, where there are
    countries; ``map``, at most ``MAP_POINTS`` customers of each segmentation; ``risk``,
    at most ``RISK_POINTS``.

    """
    frames = {
        name: published.frame(f"select {columns} from {name} order by all")
        for name, columns in SMALL_TABLES.items()
        if published.has(name)
    }
    if not published.has("dim_customers", "fct_customer_segments"):
        return frames
    _name_countries(published)
    frames["cells"] = published.frame(CELLS)
    attributes = _numeric_attributes(published)
    if len(set(frames["cells"]["country"])) > 1:
        frames["country_means"] = _country_means(published, attributes)
    if published.has("rpt_customer_map"):
        frames["map"] = _map_points(published, attributes)
    frames["risk"] = _risk_points(published)
    return frames


# A customer of a country beyond the largest counts under the others.
def _name_countries(published: PublishedSet) -> None:
    published.execute(
        f"""
        create table countries as
        select
            country,
            case
                when country is null then '{UNKNOWN_COUNTRY}'
                when row_number() over (
                    order by country is null, count(*) desc, country
                ) <= {LARGEST_COUNTRIES} then country
                else '{OTHER_COUNTRIES}'
            end as shown
        from dim_customers group by country
        """
    )
    published.execute(
        """
        create view customers as
        select dim_customers.*, countries.shown as shown_country
        from dim_customers inner join countries
            on dim_customers.country is not distinct from countries.country
        """
    )


CELLS = f"""
select
    segments.segmentation,
    segments.segment_id,
    customers.shown_country as country,
    count(*) as customers,
    sum(customers.frequency) as orders,
    sum(customers.monetary) as revenue,
    sum(customers.order_net_amount) as order_net_amount,
    sum(customers.value_at_risk) as value_at_risk,
    sum(cast(customers.churn_probability as {DECIMAL})) as churn_sum,
    count(customers.churn_probability) as churn_count,
    count(*) filter (customers.is_high_value_at_risk) as high_value_at_risk
from fct_customer_segments as segments
inner join customers on segments.customer_id = customers.customer_id
group by all
order by all
"""


def _numeric_attributes(published: PublishedSet) -> list[str]:
    """Return the input's own numeric attributes."""
    if not published.has("fct_customer_attributes"):
        return []
    names = published.frame(
        "select distinct attribute from fct_customer_attributes "
        "where kind = 'numeric' order by attribute"
    )
    taken = {*CUSTOMER_FEATURES, *MAP_COLUMNS}
    return [name for name in names["attribute"] if name not in taken]


def _country_means(published: PublishedSet, attributes: list[str]) -> pd.DataFrame:
    """Means of features by segmentation, segment and country, of known values."""
    keys = "segments.segmentation, segments.segment_id, customers.shown_country"
    means = ", ".join(
        f"cast(avg(cast(customers.{name} as {DECIMAL})) as double) as {name}"
        for name in CUSTOMER_FEATURES
    )
    # Profiles are of customers with a purchase, where there are purchases.
    wide = (
        f"select {keys}, {means} from fct_customer_segments as segments "
        "inner join customers on segments.customer_id = customers.customer_id "
        "where coalesce(customers.frequency, 1) > 0 group by all"
    )
    parts = [
        f"select segmentation, segment_id, shown_country as country, feature, "
        f"mean_value from ({wide}) "
        f"unpivot (mean_value for feature in ({', '.join(CUSTOMER_FEATURES)}))"
    ]
    if attributes:
        parts.append(
            f"select {keys} as country, attributes.attribute as feature, "
            f"cast(avg(cast(attributes.number_value as {DECIMAL})) as double) "
            "as mean_value from fct_customer_segments as segments "
            "inner join customers on segments.customer_id = customers.customer_id "
            "inner join fct_customer_attributes as attributes "
            "on segments.customer_id = attributes.customer_id "
            "where attributes.kind = 'numeric' group by all"
        )
    return published.frame(" union all ".join(parts) + " order by all")


def _map_points(published: PublishedSet, attributes: list[str]) -> pd.DataFrame:
    """The sample of the map with what is known of each customer, without its id."""
    published.execute(
        f"""
        create table map_points as
        select * from rpt_customer_map
        qualify row_number() over (
            partition by segmentation order by md5(customer_id), customer_id
        ) <= {MAP_POINTS}
        """
    )
    features = "".join(f", customers.{name}" for name in CUSTOMER_FEATURES)
    if not attributes:
        return published.frame(
            "select points.* exclude (customer_id), customers.shown_country as country"
            f"{features} from map_points as points "
            "inner join customers on points.customer_id = customers.customer_id "
            "order by points.segmentation, md5(points.customer_id), points.customer_id"
        )
    names = ", ".join(_literal(name) for name in attributes)
    return published.frame(
        f"""
        with wide as (
            pivot (
                select customer_id, attribute, number_value
                from fct_customer_attributes
                where kind = 'numeric'
                    and customer_id in (select customer_id from map_points)
            ) on attribute in ({names}) using any_value(number_value)
            group by customer_id
        )
        select
            points.* exclude (customer_id),
            customers.shown_country as country{features},
            wide.* exclude (customer_id)
        from map_points as points
        inner join customers on points.customer_id = customers.customer_id
        left join wide on points.customer_id = wide.customer_id
        order by points.segmentation, md5(points.customer_id), points.customer_id
        """
    )


def _risk_points(published: PublishedSet) -> pd.DataFrame:
    """A sample of customers with a prediction, with their segment by segmentation."""
    return published.frame(
        f"""
        with sampled as (
            select customer_id, shown_country as country, churn_probability,
                value_if_retained, monetary, is_high_value_at_risk
            from customers
            where churn_probability is not null and value_if_retained is not null
            order by md5(customer_id), customer_id
            limit {RISK_POINTS}
        )
        select
            row_number() over (
                partition by segments.segmentation
                order by md5(sampled.customer_id), sampled.customer_id
            ) - 1 as point,
            segments.segmentation, segments.segment_id,
            sampled.* exclude (customer_id)
        from sampled inner join fct_customer_segments as segments
            on sampled.customer_id = segments.customer_id
        order by segments.segmentation, point
        """
    )


def _plain(kind: str) -> str:
    if kind.startswith("DECIMAL") or kind in ("HUGEINT", "FLOAT"):
        return "double"
    return "varchar" if kind.startswith(("DATE", "TIMESTAMP")) else kind


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
