"""Frames: how tables come into the package and in which dtypes they leave it."""

from collections.abc import Iterable, Mapping

import pandas as pd
import pyarrow as pa


def to_pandas(relation) -> pd.DataFrame:
    """Return a relation of the engine as a pandas frame.

    Parameters
    ----------
    relation
        A Spark DataFrame (has ``toArrow``) or a DuckDB relation (has ``df``).

    """
    if hasattr(relation, "toArrow"):
        return relation.toArrow().to_pandas()
    return relation.df()


def to_spark(frame, session):
    """Return what a Python model made as a Spark DataFrame.

    Parameters
    ----------
    frame
        A pandas frame; anything else is returned as it is. It goes by way of Arrow,
        so that an empty frame keeps the types of its columns.
    session
        The Spark session.

    """
    if not isinstance(frame, pd.DataFrame):
        return frame
    return session.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False))


def require_columns(frame: pd.DataFrame, columns: Iterable[str], *, name: str) -> None:
    """Raise unless the frame has all the columns.

    Parameters
    ----------
    frame
        Any frame.
    columns
        The columns it must have.
    name
        What the frame is called in the error.

    Raises
    ------
    ValueError
        Names each missing column, and the columns there are.

    Examples
    --------
    >>> require_columns(pd.DataFrame({"a": [1]}), ["a", "b"], name="sample")
    Traceback (most recent call last):
        ...
    ValueError: sample lacks the column 'b'; it has: a

    """
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        raise ValueError(
            f"{name} lacks the {noun} {', '.join(map(repr, missing))}; "
            f"it has: {', '.join(map(str, frame.columns))}"
        )


def with_dtypes(frame: pd.DataFrame, dtypes: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns named in ``dtypes``, in that order and of those dtypes.

    Dates become midnights. The index is numbered anew.

    Parameters
    ----------
    frame
        Has at least the columns named in ``dtypes``; with zero rows its own
        dtypes do not matter, because an engine gives an empty table any.
    dtypes
        Column to dtype.

    """
    if frame.empty:
        return pd.DataFrame({name: pd.Series(dtype=d) for name, d in dtypes.items()})
    columns = {}
    for name, dtype in dtypes.items():
        values = frame[name]
        if dtype.startswith("datetime64"):
            values = pd.to_datetime(values).dt.normalize()
        columns[name] = values.astype(dtype)
    return pd.DataFrame(columns).reset_index(drop=True)
