"""Samples, settings and registries, as the warehouse hands them to the package."""

from functools import cache

import numpy as np
import pandas as pd
from independent import customer_rfm, read_online_retail
from shared_data import shared_file

from segmentation.preparation import PREPARATION_DTYPES, prepare
from segmentation.prototypes import PROTOTYPE_DTYPES

EMPTY = pd.DataFrame(columns=list(PROTOTYPE_DTYPES))
# The configuration hash of settings_of() as it is.
HASH = "auto none"


def sample_of(points, segmentation="value"):
    """One customer a row, in the order of their ranks; features f0, f1, ..."""
    points = np.atleast_2d(np.asarray(points, dtype=float).T).T
    frame = pd.DataFrame(points, columns=[f"f{i}" for i in range(points.shape[1])])
    ranks = np.arange(1, len(points) + 1)
    return frame.assign(
        segmentation=segmentation,
        sample_rank=ranks,
        customer_id=[f"c{rank}" for rank in ranks],
    )


def settings_of(features=("f0",), **changes):
    """Settings whose configuration hash follows the cluster count, as in the SQL."""
    changes = {"cluster_count": "auto", "scaling": "none"} | changes
    return pd.DataFrame(
        {
            "segmentation": "value",
            "feature": list(features),
            "position": range(1, len(features) + 1),
            "transform": "none",
            "algorithm": "kmeans",
            "minimum_cluster_count": 3,
            "maximum_cluster_count": 6,
            "random_seed": 1,
            "configuration_hash": f"{changes['cluster_count']} {changes['scaling']}",
            "as_of_date": pd.Timestamp("2024-06-01"),
        }
        | changes
    )


def registry_of(*versions):
    """(version, k, as-of date, configuration hash); the rest does not matter."""
    frame = pd.DataFrame(
        versions,
        columns=["model_version", "cluster_count", "as_of_date", "configuration_hash"],
    )
    frame = frame.assign(segmentation="value").reindex(columns=list(PROTOTYPE_DTYPES))
    return frame.assign(as_of_date=pd.to_datetime(frame["as_of_date"]))


def publish(registry, fitted):
    """Append what has a version that the registry lacks, as publishing does."""
    new = ~fitted["model_version"].isin(registry["model_version"])
    return fitted if registry.empty else pd.concat([registry, fitted[new]])


def chosen(found):
    """The chosen rows of candidates."""
    return found[found["is_chosen"]]


def labels_of(points, fitted):
    """Score the points as the SQL does."""
    rows = fitted.sort_values(["prototype_id", "position"])
    one = rows.drop_duplicates("prototype_id")
    wide = rows["centre"].to_numpy().reshape(len(one), -1)
    distances = np.linalg.norm(points[:, None] - wide[None], axis=2).round(9)
    ids = one["segment_id"].to_numpy()[distances.argmin(axis=1)]
    outside = distances.min(axis=1) > one["radius"].fillna(np.inf).to_numpy()[0]
    return np.where(outside, one["outlier_segment_id"].iloc[0], ids)


def scored(sample, fitted):
    """customer_id -> segment_id, for customers in raw units."""
    preparation = fitted.drop_duplicates("position")[list(PREPARATION_DTYPES)]
    labels = labels_of(prepare(sample, preparation), fitted)
    return pd.Series(labels, index=sample["customer_id"])


@cache
def online_retail_rfm():
    """The RFM of Online Retail's customers, in logarithms, or the test is skipped."""
    lines = read_online_retail(shared_file("online_retail/online_retail.csv.gz"))
    rfm = customer_rfm(
        lines, "2011-12-10", duplicate_lines="keep", returns="ignore", fees="keep"
    )
    return np.log1p(rfm[["recency_days", "frequency", "monetary"]].astype(float))
