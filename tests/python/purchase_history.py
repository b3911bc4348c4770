"""Purchase days, and what the SQL makes of them: tuples, samples, settings."""

import duckdb
import numpy as np
import pandas as pd
from shared_data import shared_file

from segmentation.lifetime_value import PARAMETER_DTYPES

CDNOW = "cdnow_sample/CDNOW_sample.txt.gz"
CDNOW_SUMMARY = "cdnow_sample/cdnow_customers_summary_with_transactions.csv.gz"


def settings_of(**changes):
    """One row; the defaults of the project, with a horizon of 90 days."""
    return pd.DataFrame(
        [
            {
                "purchase_model": "mbg_nbd",
                "purchase_prior": "weak",
                "purchase_values": "all",
                "churn_horizon_days": 90,
                "value_horizon_days": 365,
                "annual_discount_rate": 0.1,
                "random_seed": 1,
            }
            | changes
        ]
    )


def cdnow_days(*, with_free=False) -> pd.DataFrame:
    """Purchase days of the CDNOW sample: customer_id, day, value.

    A day whose orders are worth $0 is one only ``with_free``.
    """
    lines = pd.read_csv(
        shared_file(CDNOW),
        sep=r"\s+",
        names=["master_id", "customer_id", "day", "discs", "value"],
        dtype={"customer_id": str, "day": str},
    )
    days = lines.groupby(["customer_id", "day"], as_index=False)["value"].sum()
    days["day"] = pd.to_datetime(days["day"], format="%Y%m%d")
    return days if with_free else days[days["value"] > 0].reset_index(drop=True)


def online_retail_days() -> pd.DataFrame:
    """Purchase days of Online Retail: lines of positive quantity, with a customer."""
    path = shared_file("online_retail/online_retail.csv.gz")
    days = duckdb.sql(
        "select CustomerID as customer_id, cast(InvoiceDate as date) as day, "
        "sum(Quantity * UnitPrice)::double as value "
        f"from read_csv('{path}') where CustomerID is not null and Quantity > 0 "
        "group by all order by all"
    ).df()
    days["day"] = pd.to_datetime(days["day"])
    return days[days["value"] > 0].reset_index(drop=True)


def customers_of(days, end, *, values="all") -> pd.DataFrame:
    """One row per customer with a purchase up to the day ``end``, which counts."""
    end = pd.Timestamp(end)
    known = days[days["day"] <= end].sort_values(["customer_id", "day"])
    groups = known.groupby("customer_id")
    first, last = groups["day"].min(), groups["day"].max()
    of_value = known
    if values == "repeat":
        of_value = known[known["day"] > known["customer_id"].map(first)]
    value = of_value.groupby("customer_id")["value"]
    frame = pd.DataFrame(
        {
            "repeat_count": groups.size() - 1,
            "span_days": (last - first).dt.days,
            "observed_days": (end - first).dt.days,
            "purchase_day_count": value.size(),
            "purchase_value": value.mean(),
            "recency_days": (end - last).dt.days,
            "frequency": groups.size(),
            "monetary": groups["value"].sum(),
        }
    )
    frame["purchase_day_count"] = frame["purchase_day_count"].fillna(0).astype(int)
    return frame.reset_index()


def sample_of(days, end, *, horizon=90, snapshots=5, values="all") -> pd.DataFrame:
    """The sample of the snapshots at ``end`` and every horizon before it."""
    parts = []
    for number in range(snapshots):
        at = pd.Timestamp(end) - pd.Timedelta(days=number * horizon)
        customers = customers_of(days, at, values=values)
        if customers.empty:
            break
        until = at + pd.Timedelta(days=horizon)
        later = days[(days["day"] > at) & (days["day"] <= until)]
        later = later.groupby("customer_id")["value"].agg(["size", "sum"])
        later = later.reindex(customers["customer_id"]).fillna(0)
        counts = pd.Series(later["size"].to_numpy(), dtype="Int64")
        sums = pd.Series(later["sum"].to_numpy(), dtype="float64")
        parts.append(
            customers.assign(
                snapshot_number=number,
                recent_event_count=pd.Series(pd.NA, customers.index, dtype="Int64"),
                bought_later=(counts > 0) if number else pd.NA,
                later_purchase_count=counts if number else pd.NA,
                later_value=sums if number else np.nan,
            )
        )
    sample = pd.concat(parts, ignore_index=True)
    return sample.astype({"bought_later": "boolean", "later_purchase_count": "Int64"})


def purchase_tuples_of(sample) -> pd.DataFrame:
    """Distinct (x, t_x, T) per snapshot, with their numbers of customers."""
    keys = ["snapshot_number", "repeat_count", "span_days", "observed_days"]
    return _tuples(sample, keys)


def value_tuples_of(sample) -> pd.DataFrame:
    """Distinct (n, mean value) per snapshot, with their numbers of customers."""
    known = sample[sample["purchase_day_count"] > 0]
    return _tuples(known, ["snapshot_number", "purchase_day_count", "purchase_value"])


def parameters_of(parameters, snapshot_number=0) -> pd.DataFrame:
    """The parameters of a model, as if they had been fitted."""
    names = [name for name in vars(parameters) if name != "model"]
    frame = pd.DataFrame(
        {
            "parameter": names,
            "estimate": [getattr(parameters, name) for name in names],
            "model": getattr(parameters, "model", "gamma_gamma"),
            "snapshot_number": snapshot_number,
            "customer_count": 1000,
            "status": "ok",
        }
    )
    return frame.reindex(columns=list(PARAMETER_DTYPES)).astype(PARAMETER_DTYPES)


def _tuples(sample, keys) -> pd.DataFrame:
    if "snapshot_number" not in sample:
        sample = sample.assign(snapshot_number=0)
    grouped = sample.groupby(keys, dropna=False).size()
    return grouped.rename("customer_count").reset_index()
