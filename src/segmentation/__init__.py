"""Customer segmentation: the numeric package behind the dbt project."""
