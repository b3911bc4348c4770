from segmentation.explanations import fit_maps
from segmentation.frames import to_pandas


def model(dbt, session):
    first = to_pandas(dbt.ref("int_training_sample"))
    second = to_pandas(dbt.ref("ml_segment_prototypes"))
    return fit_maps(first, second)
