"""Lets dbt-spark run Python models in the Spark session of the build.

dbt imports every top-level module named ``dbt_*`` when it starts. dbt-spark itself
submits Python models to Databricks alone; this adds the submission method ``session``.
It replaces a property of the adapter's class, so dbt-spark is pinned in pyproject.toml
and tests/spark asserts what is relied on. Without dbt-spark it does nothing.
"""

import logging
import warnings
from pathlib import Path

try:
    from dbt.adapters.spark import SparkAdapter
except ImportError:
    SparkAdapter = None

METHOD = "session"


class SessionJobHelper:
    """Runs a compiled Python model in the process of dbt, on its Spark session."""

    def __init__(self, parsed_model: dict, credential) -> None:
        """Refuse a connection that has no session to run in."""
        self.name = parsed_model["alias"]
        self.path = parsed_model["original_file_path"]
        if credential.method != METHOD:
            from dbt_common.exceptions import DbtRuntimeError

            raise DbtRuntimeError(
                f"The Python model {self.name} needs a Spark session, and the "
                f"connection's method is '{credential.method}', which runs SQL alone. "
                "Set `method: session` in profiles.yml; a remote cluster is reached "
                "with SPARK_MASTER=spark://host:7077 or SPARK_REMOTE=sc://host:15002."
            )

    def submit(self, compiled_code: str) -> None:
        """Run the model and the code after it that writes its table."""
        from pyspark.sql import SparkSession

        # The session that dbt's SQL runs in: getOrCreate returns it as it stands.
        spark = SparkSession.builder.getOrCreate()
        names = {"spark": spark, "__name__": self.name}
        exec(compile(compiled_code, self.path, "exec"), names)


def read_text(path: str) -> str | None:
    """Return the text of a file of the machine that runs dbt; None if it is absent."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None


def absolute_path(path: str) -> str:
    """Return the path as the session's other processes can find it."""
    return path if "://" in path else str(Path(path).resolve())


def register(adapter) -> None:
    """Add the submission method and what macros ask of files to the adapter's class."""
    helpers = adapter.python_submission_helpers.fget

    adapter.python_submission_helpers = property(
        lambda self: {**helpers(self), METHOD: SessionJobHelper}
    )
    # Spark SQL has no way to ask whether a file is there; publishing writes the
    # manifest from this process, so this process reads it.
    for function in (read_text, absolute_path):
        setattr(adapter, function.__name__, staticmethod(function))
        adapter._available_ = adapter._available_ | {function.__name__}
        adapter._parse_replacements_ = {
            **adapter._parse_replacements_,
            function.__name__: lambda *args, **kwargs: "",
        }


if SparkAdapter is not None:
    # It repeats in JSON what dbt reports in words.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    # Frames go in and out by way of Arrow, where pandas 3 is no other than pandas 2.
    warnings.filterwarnings(
        "ignore", message="PySpark does not yet fully support pandas"
    )
    register(SparkAdapter)
