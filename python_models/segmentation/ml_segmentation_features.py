from segmentation.explanations import describe_features
from segmentation.frames import to_pandas


def model(dbt, session):
    first = to_pandas(dbt.ref("int_training_sample"))
    second = to_pandas(dbt.ref("int_segmentation_settings"))
    return describe_features(first, second)
