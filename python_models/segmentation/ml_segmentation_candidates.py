from segmentation.candidates import evaluate_candidates
from segmentation.frames import to_pandas


def model(dbt, session):
    return evaluate_candidates(
        to_pandas(dbt.ref("int_training_sample")),
        to_pandas(dbt.ref("int_segmentation_settings")),
        to_pandas(dbt.ref("int_registered_prototypes")),
        to_pandas(dbt.ref("int_earlier_sample")),
        known=to_pandas(dbt.ref("int_known_candidates")),
        published=to_pandas(dbt.ref("int_registered_candidates")),
        progress=print,
    )
