from segmentation.frames import to_pandas
from segmentation.prototypes import fit_prototypes


def model(dbt, session):
    sample = to_pandas(dbt.ref("int_training_sample"))
    settings = to_pandas(dbt.ref("int_segmentation_settings"))
    candidates = to_pandas(dbt.ref("ml_segmentation_candidates"))
    registry = to_pandas(dbt.ref("int_registered_prototypes"))
    return fit_prototypes(sample, settings, candidates, registry)
