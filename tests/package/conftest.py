"""The consumer's project in a folder of its own, built once on the wheel."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shop_project import DAYS, REPOSITORY, Consumer, load


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel and install it, alone, in a folder."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ["pyproject.toml", "README.md", "LICENSE"]:
        shutil.copy(REPOSITORY / name, folder)
    shutil.copytree(REPOSITORY / "src", folder / "src")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    alone = ["--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", *alone, "--no-build-isolation", "-w", "built", "."],
        cwd=folder,
        check=True,
    )
    (built,) = (folder / "built").glob("*.whl")
    subprocess.run(
        [*pip, "install", *alone, "--target", "installed", built],
        cwd=folder,
        check=True,
    )
    return folder / "installed"


@pytest.fixture(scope="session")
def unbuilt(tmp_path_factory, wheel) -> Consumer:
    """The consumer with its raw tables and its packages, before the first build."""
    folder = tmp_path_factory.mktemp("consumer") / "shop"
    shutil.copytree(
        REPOSITORY / "tests" / "consumer",
        folder,
        ignore=shutil.ignore_patterns("dbt_packages", "target", "logs"),
    )
    consumer = Consumer(folder, wheel)
    consumer.edit("packages.yml", "../..", str(REPOSITORY))
    load(consumer, 0, DAYS - 1)
    consumer.run("deps")
    return consumer


@pytest.fixture(scope="session")
def built(unbuilt, tmp_path_factory) -> Consumer:
    consumer = unbuilt.copy(tmp_path_factory.mktemp("built"))
    return consumer._replace(output=consumer.run("build"))
