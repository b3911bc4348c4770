from segmentation.frames import to_pandas
from segmentation.lifetime_value import fit_purchase_models


def model(dbt, session):
    return fit_purchase_models(
        to_pandas(dbt.ref("int_purchase_tuples")),
        to_pandas(dbt.ref("int_value_tuples")),
        to_pandas(dbt.ref("int_lifetime_value_settings")),
    )
