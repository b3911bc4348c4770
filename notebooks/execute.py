"""Execute the notebook on published marts: make notebook INPUT=<name>.

    python notebooks/execute.py exports/<input> <file>.ipynb

Equal marts give an equal file: cells are numbered, nothing is timed, and versions of
the interpreter stay out.
"""

import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

SOURCE = Path(__file__).with_name("eda.py")
SECONDS_A_CELL = 600


def execute(exports: Path) -> nbformat.NotebookNode:
    """Return the notebook with what its cells give for an exports folder."""
    notebook = jupytext.read(SOURCE)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    environment = os.environ | {"SEGMENTATION_EXPORTS": str(Path(exports).resolve())}
    client = NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        record_timing=False,
        # else it says that it listens on the loopback address
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute(env=environment)
    notebook.metadata.pop("language_info", None)
    notebook.metadata.pop("jupytext", None)
    return notebook


def main(exports: str, target: str) -> int:
    """Write the executed notebook; returns the exit code."""
    if not Path(exports, "manifest.json").exists():
        print(
            f"Nothing is published in {exports} yet. Build first: "
            f"make build INPUT={Path(exports).name}",
            file=sys.stderr,
        )
        return 1
    nbformat.write(execute(Path(exports)), target)
    print(f"Executed on {exports}: {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
