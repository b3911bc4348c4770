from segmentation.candidates import evaluate_candidates
from segmentation.frames import to_pandas


def model(dbt, session):
    sample = to_pandas(dbt.ref("int_training_sample"))
    settings = to_pandas(dbt.ref("int_segmentation_settings"))
    registry = to_pandas(dbt.ref("int_registered_prototypes"))
    earlier = to_pandas(dbt.ref("int_earlier_sample"))
    return evaluate_candidates(sample, settings, registry, earlier)
