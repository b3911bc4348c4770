from segmentation.explanations import explain_trees
from segmentation.frames import to_pandas


def model(dbt, session):
    return explain_trees(to_pandas(dbt.ref("int_labelled_customers")))
