def model(dbt, session):
    return dbt.ref("int_labelled_customers")
