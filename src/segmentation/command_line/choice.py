"""What is remembered on this machine: the input of `init`, and where its files are.

The paths belong to the machine, so the file is not tracked by git, and the demo stays
what a fresh clone builds.
"""

import os
from pathlib import Path
from typing import NamedTuple

import yaml

from segmentation.command_line.faults import Fault

FILE = Path(".segmentation.yml")
HEAD = """\
# What `segmentation init` remembers on this machine: the input that is built without
# --input, and the files of each. Delete it to go back to the demo.
"""


class Choice(NamedTuple):
    """The input to work on, and by which environment variables its files are known."""

    name: str
    variables: dict[str, str]
    is_remembered: bool  # False: the demo, or as given

    @property
    def said(self) -> str:
        """The files in words; empty for an input that has none."""
        return ", ".join(self.variables.values())


def remember(name: str, variables: dict[str, Path]) -> None:
    """Make an input the one that is built, with its files."""
    known = _read()
    known["input"] = name
    known.setdefault("files", {})[name] = {
        variable: str(path) for variable, path in variables.items()
    }
    FILE.write_text(HEAD + yaml.safe_dump(known, allow_unicode=True), encoding="utf-8")


def remembered() -> str:
    """Return the input that is worked on where none is named."""
    return _read().get("input", "demo")


def declaration_of(name: str) -> dict:
    """Return what dbt_project.yml declares of an input.

    Raises
    ------
    Fault
        If there is no such input.

    """
    project = yaml.safe_load(Path("dbt_project.yml").read_text(encoding="utf-8"))
    known = project["vars"]["inputs"]
    if name not in known:
        raise Fault(
            f"There is no input '{name}'.",
            f"Known: {', '.join(sorted(known))}. Make one: segmentation init NAME FILE",
        )
    return known[name]


def chosen(name: str | None, data: str | None = None) -> Choice:
    """Return the input to work on and set the environment variables of its files.

    What the environment has already is left alone, but for `data`.

    Parameters
    ----------
    name
        As given; None is the remembered one, or the demo.
    data
        The path of its file as given.

    Raises
    ------
    Fault
        If a remembered file is no longer there.

    """
    known = _read()
    own = name or remembered()
    given = {"SEGMENTATION_DATA": str(Path(data).resolve())} if data else {}
    variables = {
        variable: os.environ.get(variable) or path
        for variable, path in known.get("files", {}).get(own, {}).items()
    } | given
    for path in variables.values():
        if "*" not in path and not Path(path).exists():
            raise Fault(
                f"There is no file {path}, which input '{own}' reads.",
                "Put it back, name another with --data, or run init again.",
            )
    os.environ.update(variables)
    return Choice(own, variables, name is None and "input" in known)


def _read() -> dict:
    if not FILE.exists():
        return {}
    try:
        known = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        known = None
    if not isinstance(known, dict):
        raise Fault(
            f"{FILE} cannot be read.", "Delete it and run segmentation init again."
        )
    return known
