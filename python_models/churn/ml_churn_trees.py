from segmentation.churn import fit_churn_trees
from segmentation.frames import to_pandas


def model(dbt, session):
    return fit_churn_trees(
        to_pandas(dbt.ref("int_churn_sample")),
        to_pandas(dbt.ref("ml_purchase_models")),
        to_pandas(dbt.ref("ml_churn_validation")),
        to_pandas(dbt.ref("int_lifetime_value_settings")),
    )
