"""Stand-ins for dbt and for the macros that return values, so that sqlfluff can
render the models without a warehouse. The macros that return text it loads itself.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import yaml

_PROJECT = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "dbt_project.yml").read_text(
        encoding="utf-8"
    )
)
_VARS = _PROJECT["vars"]


def _call(name):
    return lambda *arguments: f"{name}({arguments[0]})"


def rounded(expression, digits):
    return f"round({expression}, {digits})"


def text_literal(text):
    return f"'{text}'"


globals()["return"] = lambda value: value
dbt = SimpleNamespace(
    type_string=lambda: "varchar",
    datediff=lambda start, end, part: f"datediff('{part}', {start}, {end})",
    dateadd=lambda part, count, day: f"date_add({day}, {count})",
    date_trunc=lambda part, day: f"date_trunc('{part}', {day})",
)
adapter = SimpleNamespace(dispatch=lambda name, package: _call(name))
target = SimpleNamespace(name="dev", schema="dev")
graph = SimpleNamespace(nodes={})


def var(name, default=None):
    return _VARS.get(name, default)


def known_value(expression):
    return expression


def churn_features():
    return ["recency_days", "recent_event_count"]


def churn_score(features, coefficients):
    return f"{features}.recency_days * {coefficients}.recency_days"


def within_leaf(features, leaves):
    return f"{features}.recency_days > {leaves}.recency_days_above"


def has(table, column=None):
    return True


def input_settings():
    return _VARS["inputs"][_VARS["input"]]


def input_contract():
    return {"order_lines": {}, "customers": {}, "customer_events": {}}


def input_model(table):
    return f"{_VARS['input']}__{table}"


def select_input(table):
    return "select 1 as nothing"


def row_as_text(table):
    return "concat_ws('|', source_row)"


def reporting_currency():
    return "EUR"


def customer_features():
    return {
        "recency_days": "numeric",
        "frequency": "numeric",
        "units_per_order": "numeric",
        "discount_share": "numeric",
        "age": "numeric",
        "region": "numeric",
    }


def features_of_kind(kind):
    return [name for name, its in customer_features().items() if its == kind]


def personal_features():
    return {"age": "numeric"}


def customer_attributes():
    return {"region": "numeric"}


def segmentations():
    return _VARS["segmentations"]


def feature_preparation(feature, given):
    return {
        "transform": "none",
        "scaling": "standard",
        "missing": "median",
        "maximum_missing_share": 0.3,
        "lower_quantile": 0,
        "upper_quantile": 1,
        "maximum_correlation": 0.95,
        "minimum_level_share": 0.05,
    }


def zero_or_null(expression):
    return f"coalesce({expression}, 0)"


def primary_segmentation():
    return "value"


def registry_tables():
    columns = {"model_version": "integer"}
    return dict.fromkeys(
        (
            "segment_prototypes",
            "rfm_cut_points",
            "training_bins",
            "segment_candidates",
        ),
        columns,
    )


def registry_schema():
    return "dev_registry"


def exports_folder():
    return "exports/demo"


def published_models():
    return ["dim_customers"]


def published_tables():
    return [
        {
            "name": "dim_customers",
            "relation": "dim_customers",
            "columns": [],
            "key": [],
            "registry_table": "",
            "registry_columns": "",
            "registry_keys": "",
            "promoted_where": "",
            "csv": False,
        }
    ]


def publishing_configuration():
    return "{}"


def read_data_file():
    return "select 1 as nothing"


def is_continued():
    return True


def last_delivery():
    return 1


def current_delivery():
    return 2


def has_new_version():
    return "delivery_number > 1"


def is_changed_line():
    return "lines.changed_in > 1"


def changed_orders():
    return "int_changed_orders"


def orders_with_other_returns(relation):
    return f"select order_id from {relation}"


def count_physical_rows():
    return "select 'customers' as source_table, 1 as row_count"


def local_md5(text):
    return "0"


def tojson(value, sort_keys=False):
    return json.dumps(value)


def history_policy_hash():
    return "0123456789abcdef"


def self_check_figures():
    return {"Customer Count": "customers.customer_count", "Rows": "quality.row_count"}
