from segmentation.frames import to_pandas
from segmentation.naming import name_segments


def model(dbt, session):
    profiles = to_pandas(dbt.ref("int_naming_profiles"))
    personas = to_pandas(dbt.ref("int_persona_rules"))
    return name_segments(profiles, personas)
