from segmentation.frames import to_pandas
from segmentation.publishing import publish


def model(dbt, session):
    tables = to_pandas(dbt.ref("published_marts"))
    return publish(tables, session)
