from segmentation.frames import to_pandas
from segmentation.lifetime_value import validate_value


def model(dbt, session):
    return validate_value(
        to_pandas(dbt.ref("int_churn_sample")),
        to_pandas(dbt.ref("ml_purchase_models")),
        to_pandas(dbt.ref("int_lifetime_value_settings")),
    )
