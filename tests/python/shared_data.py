"""Find the data files that are shared beside the repository, or skip the test."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def shared_file(relative: str) -> Path:
    """Path of a shared data file; the test is skipped where it is not present.

    The folder is named by SEGMENTATION_SHARED_DATA, else it is ../shared/data beside
    the repository.
    """
    named = os.environ.get("SEGMENTATION_SHARED_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    path = folder / relative
    if not path.is_file():
        pytest.skip(f"shared data file not found: {path}")
    return path
