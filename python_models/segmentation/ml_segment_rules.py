from segmentation.explanations import explain_segments
from segmentation.frames import to_pandas


def model(dbt, session):
    first = to_pandas(dbt.ref("int_labelled_customers"))
    second = to_pandas(dbt.ref("features"))
    return explain_segments(first, second)
