"""The Python models are thin: read, one call, return."""

import importlib.util

import pandas as pd
import pytest
from builds import REPOSITORY

FILES = sorted((REPOSITORY / "python_models").rglob("*.py"))


class Relation:
    def __init__(self, frame):
        self.frame = frame

    def df(self):
        return self.frame


class StandIn:
    """What dbt hands to a model, from the tables of a build."""

    def __init__(self, finished):
        self.finished = finished
        self.asked = []

    def ref(self, name):
        self.asked.append(name)
        folder = {"published_marts": "marts", "features": "seeds"}.get(
            name, "intermediate"
        )
        with self.finished.connection() as connection:
            return Relation(connection.execute(f"from dev_{folder}.{name}").df())


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_python_models():
    assert {"ml_segmentation_candidates", "ml_segment_prototypes", "publish"} <= {
        path.stem for path in FILES
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_python_model_has_at_most_15_lines(path):
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    assert len(lines) <= 15


# What takes long: the evidence of every number of clusters, measured anew.
LONG = {"ml_segmentation_candidates": pytest.mark.slow}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(file, marks=LONG.get(file.stem, ()), id=file.stem)
        for file in FILES
        if file.stem != "publish"
    ],
)
def test_a_python_model_gives_what_the_build_has(demo, path):
    """Run outside dbt, on the build's own tables; no column is of bare objects."""
    dbt = StandIn(demo)
    found = load(path).model(dbt, session=None)
    assert dbt.asked
    assert len(set(dbt.asked)) == len(dbt.asked)
    assert "object" not in set(found.dtypes.astype(str))
    with demo.connection() as connection:
        stored = connection.execute(f"from dev_intermediate.{path.stem}").df()
    assert list(found.columns) == list(stored.columns)
    key = [
        name
        for name in (
            "segmentation", "segment_id", "prototype_id", "condition_number",
            "component", "feature", "level", "algorithm", "cluster_count",
        )
        if name in found
    ]  # fmt: skip
    left, right = (
        pd.DataFrame(f).astype("string").sort_values(key, ignore_index=True)
        for f in (found.astype(stored.dtypes.to_dict()), stored)
    )
    assert left.equals(right)


def test_the_publish_model_hands_over_the_session(demo, tmp_path):
    class Session:
        """Nothing may be asked of it, as this is no full build."""

    dbt = StandIn(demo)
    ref = dbt.ref

    def partial(name):
        frame = ref(name).df().assign(partial_because="it had --select")
        return Relation(frame.assign(exports_folder=str(tmp_path / "exports")))

    dbt.ref = partial
    (path,) = [f for f in FILES if f.stem == "publish"]
    outcome = load(path).model(dbt, Session())
    assert dbt.asked == ["published_marts"]
    assert outcome["status"].tolist() == ["not_published"]
    assert not (tmp_path / "exports").exists()
