"""The Power BI project as files: the only module of the package that touches any."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import yaml
from dbt.cli.main import dbtRunner

from segmentation.power_bi.model import Model, read_model
from segmentation.power_bi.report import Names, report_files
from segmentation.power_bi.tmdl import project_file, semantic_model_files

HOME = Path("powerbi")
SPECIFICATION = HOME / "specification"
WRITTEN = HOME / "out"
# One for inputs with orders, one for inputs that have attributes only.
PROJECTS = {"segments": True, "attributes": False}
# What the slicer of the committed projects chooses at first; None for the first.
COMMITTED_SEGMENTATION = {"segments": "value", "attributes": None}
DEFAULT_DATA_FOLDER = "C:\\segments\\exports\\{input}\\"
IGNORED = "**/.pbi/localSettings.json\n**/.pbi/cache.abf\n"


def models(manifest: dict, root: Path) -> dict[str, Model]:
    """Return the model of each project, by its name.

    Parameters
    ----------
    manifest
        dbt's target/manifest.json of an input with orders.
    root
        The folder of the dbt project.

    """
    tables, measures = (
        yaml.safe_load((root / SPECIFICATION / name).read_text(encoding="utf-8"))
        for name in ("tables.yml", "measures.yml")
    )
    return {
        name: read_model(manifest, tables, measures, name=name, has_orders=has_orders)
        for name, has_orders in PROJECTS.items()
    }


def report_specification(name: str, root: Path) -> tuple[dict, dict]:
    """Return the pages of a project's report as specified, and the theme."""
    folder = root / SPECIFICATION
    pages = yaml.safe_load((folder / f"{name}_report.yml").read_text(encoding="utf-8"))
    return pages, json.loads((folder / "theme.json").read_text(encoding="utf-8"))


def project_files(
    model: Model,
    *,
    root: Path,
    data_folder: str,
    primary_segmentation: str | None = None,
) -> dict[str, str]:
    """Return all files of a project, by their path in its folder.

    The primary segmentation is what the slicer chooses at first; None for the first.
    """
    semantic_model = semantic_model_files(model, data_folder=data_folder)
    pages, theme = report_specification(model.name, root)
    report = report_files(
        pages,
        theme=theme,
        names=Names.of(model),
        name=model.name,
        primary_segmentation=primary_segmentation,
    )
    return {
        ".gitignore": IGNORED,
        f"{model.name}.pbip": project_file(model.name),
        **{
            f"{model.name}.SemanticModel/{path}": text
            for path, text in semantic_model.items()
        },
        **{f"{model.name}.Report/{path}": text for path, text in report.items()},
    }


def write_project(folder: Path, files: dict[str, str]) -> None:
    """Write the files of a project; what else lies in its folders is removed."""
    for part in {Path(path).parts[0] for path in files if "/" in path}:
        shutil.rmtree(folder / part, ignore_errors=True)
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")


def read_contracts(root: Path) -> dict:
    """Return dbt's manifest of an input with orders, in which every mart is on."""
    target = root / "target" / "power_bi"
    result = dbtRunner().invoke(
        [
            "parse",
            "--quiet",
            f"--project-dir={root}",
            f"--profiles-dir={root}",
            f"--target-path={target}",
            "--vars={input: demo}",
        ]
    )
    if not result.success:
        raise ValueError("dbt does not parse the project; it says why above.")
    return json.loads((target / "manifest.json").read_text(encoding="utf-8"))


def write_committed_projects(root: Path) -> list[Path]:
    """Write the projects that the repository ships; returns their .pbip files."""
    written = []
    for name, model in models(read_contracts(root), root).items():
        files = project_files(
            model,
            root=root,
            data_folder=DEFAULT_DATA_FOLDER.format(input="demo"),
            primary_segmentation=COMMITTED_SEGMENTATION[name],
        )
        write_project(root / HOME / name, files)
        written.append(root / HOME / name / f"{name}.pbip")
    return written


def write_project_for(
    input_name: str, exports: Path, root: Path, data_folder: str | None = None
) -> str:
    """Write the project for what an input has published; returns what to do next.

    Parameters
    ----------
    input_name
        What the input is called: the project lies in powerbi/out under that name.
    exports
        The folder with the input's manifest.json.
    root
        The folder of the dbt project.
    data_folder
        The exports folder as Windows names it; None to find it out.

    Raises FileNotFoundError where nothing is published.

    """
    manifest = exports / "manifest.json"
    if not manifest.is_file():
        raise FileNotFoundError(
            f"{manifest} is not there: nothing is published for {input_name}. "
            f"Build first: make build INPUT={input_name}"
        )
    published = json.loads(manifest.read_text(encoding="utf-8"))
    has_orders = any(
        file["name"].startswith("fct_orders") for file in published["files"]
    )
    name = next(project for project, needs in PROJECTS.items() if needs == has_orders)
    here = _as_windows_has_it(exports)
    folder = data_folder or here or DEFAULT_DATA_FOLDER.format(input=input_name)
    folder = folder.rstrip("\\/") + "\\"
    files = project_files(
        models(read_contracts(root), root)[name],
        root=root,
        data_folder=folder,
        primary_segmentation=_primary_segmentation(exports / published["folder"]),
    )
    target = WRITTEN / input_name
    write_project(root / target, files)
    windows = _as_windows_has_it(root / target / f"{name}.pbip")
    first = (
        f"Open {windows}"
        if windows
        else f"Copy {exports} to {folder} on Windows, and {target} beside it; open "
        f"{name}.pbip"
    )
    return (
        f"1. {first} in Power BI Desktop (May 2026 or newer).\n"
        f"2. Refresh. It reads {folder}; another folder is set under Transform data > "
        "Edit parameters.\n"
        '3. On the page "Data quality and self-check", the figures of the report must '
        "agree with those that were computed in SQL."
    )


def _primary_segmentation(folder: Path) -> str | None:
    table = pq.read_table(
        folder / "dim_segmentations.parquet", columns=["segmentation", "is_primary"]
    )
    return next(
        (row["segmentation"] for row in table.to_pylist() if row["is_primary"]), None
    )


def _as_windows_has_it(folder: Path) -> str | None:
    """The folder's path on this machine's Windows; None where there is none."""
    if os.name == "nt":
        return str(folder.resolve())
    if not shutil.which("wslpath"):
        return None
    return subprocess.run(
        ["wslpath", "-w", str(folder.resolve())],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
