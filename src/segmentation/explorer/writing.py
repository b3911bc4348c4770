"""Write the page and the pictures beside a published set."""

import json
from pathlib import Path

from segmentation.explorer.page import code_version, render_page
from segmentation.explorer.payload import make_payload
from segmentation.explorer.reading import PublishedSet, read_figures
from segmentation.explorer.static_charts import CHARTS, draw_charts

EXPLORER = "explorer.html"
MANIFEST = "manifest.json"
# The page tells within its first bytes what it was made from.
HEAD_BYTES = 2_000


def write_explorer(exports: Path) -> Path:
    """Write ``explorer.html`` and ``charts/*.png`` for the set that is published.

    Parameters
    ----------
    exports
        The folder of one input's exports: it has a ``manifest.json``.

    Returns
    -------
    The path of the page. Equal sets give equal bytes.

    Raises
    ------
    FileNotFoundError
        If nothing has been published there.

    """
    manifest = _read_manifest(exports)
    payload = make_payload(read_figures(PublishedSet(exports, manifest)), manifest)
    draw_charts(payload, exports / CHARTS)
    page = exports / EXPLORER
    temporary = exports / f".{EXPLORER}.writing"
    temporary.write_text(
        render_page(payload, set_name=manifest["folder"]), encoding="utf-8"
    )
    temporary.replace(page)
    return page


def is_current(exports: Path) -> bool:
    """Whether the page is there, of the published set and of today's page code."""
    page = exports / EXPLORER
    if not (page.is_file() and (exports / CHARTS).is_dir()):
        return False
    with page.open("rb") as stream:
        head = stream.read(HEAD_BYTES).decode(errors="replace")
    folder = _read_manifest(exports)["folder"]
    return f'content="{folder} {code_version()}"' in head


def _read_manifest(exports: Path) -> dict:
    path = exports / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there: nothing has been published. Run a full build first, "
            "such as `make build`."
        )
    return json.loads(path.read_text(encoding="utf-8"))
