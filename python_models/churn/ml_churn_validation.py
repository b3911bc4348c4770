from segmentation.churn import validate_churn
from segmentation.frames import to_pandas


def model(dbt, session):
    return validate_churn(
        to_pandas(dbt.ref("int_churn_sample")),
        to_pandas(dbt.ref("ml_purchase_models")),
        to_pandas(dbt.ref("int_lifetime_value_settings")),
    )
