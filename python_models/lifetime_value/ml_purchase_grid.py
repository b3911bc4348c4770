from segmentation.frames import to_pandas
from segmentation.lifetime_value import expected_purchases_grid


def model(dbt, session):
    return expected_purchases_grid(
        to_pandas(dbt.ref("int_purchase_pairs")),
        to_pandas(dbt.ref("ml_purchase_models")),
        to_pandas(dbt.ref("int_lifetime_value_settings")),
    )
