"""What the Python models may read, and why it is small however many orders there be."""

import ast
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# At most training_sample_size customers of each segmentation, found by hash.
SAMPLES = {"int_training_sample", "int_earlier_sample", "int_labelled_customers"}
# About as many customers, at five dates at most; and these grouped by what they did.
SNAPSHOT_SAMPLES = {"int_churn_sample", "int_purchase_tuples", "int_value_tuples"}
# As many as there are days and purchases, however many customers.
PAIRS = {"int_purchase_pairs"}
# A row a parameter: of models, of segments, of features, of what is published.
PARAMETERS = {
    "int_segmentation_settings",
    "int_registered_prototypes",
    "int_known_candidates",
    "int_registered_candidates",
    "int_naming_profiles",
    "int_persona_rules",
    "ml_segmentation_candidates",
    "ml_segment_prototypes",
    "features",
    "published_marts",
    "int_lifetime_value_settings",
    "ml_purchase_models",
    "ml_churn_validation",
}
# The sample's size, of the two segmentations or at the five dates.
LARGEST_TABLE = 25_000 * 5


def read_by_python_models() -> set[str]:
    """Return the name of every relation that a Python model refers to."""
    return {
        name
        for path in sorted((REPOSITORY / "python_models").rglob("*.py"))
        for name in references(path.read_text(encoding="utf-8"))
    }


def references(source: str) -> set[str]:
    """Return what ``dbt.ref`` and ``dbt.source`` are called with."""
    return {
        node.args[-1].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("ref", "source")
    }
