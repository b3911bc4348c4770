"""The Power BI project as files: the only module of the package that touches any."""

import json
import shutil
from pathlib import Path

import yaml

from segmentation.power_bi.model import Model, read_model
from segmentation.power_bi.report import Names, report_files
from segmentation.power_bi.tmdl import project_file, semantic_model_files

SPECIFICATION = Path("powerbi", "specification")
# One for inputs with orders, one for inputs that have attributes only.
PROJECTS = {"segments": True, "attributes": False}
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


def read_manifest(root: Path) -> dict:
    """Read what dbt knows of the marts from the last build or parse."""
    return json.loads((root / "target" / "manifest.json").read_text(encoding="utf-8"))
