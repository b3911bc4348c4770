"""Write the page and the pictures beside a published set."""

import json
from pathlib import Path

from segmentation.explorer.page import code_version, render_page
from segmentation.explorer.payload import make_payload
from segmentation.explorer.reading import PublishedSet, read_figures
from segmentation.explorer.static_charts import CHARTS, draw_charts

EXPLORER = "explorer.html"
MANIFEST = "manifest.json"
NEEDED = ("dim_segmentations", "dim_segments", "rpt_segment_summary")
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
    ValueError
        If the set has no segments.

    """
    manifest = _read_manifest(exports)
    payload = make_payload(read_figures(PublishedSet(exports, manifest)), manifest)
    if not payload["segmentations"]:
        raise ValueError(
            f"the set in {exports} has no segments: the page needs the tables "
            f"{', '.join(NEEDED)} with rows"
        )
    draw_charts(payload, exports / CHARTS)
    page = exports / EXPLORER
    temporary = exports / f".{EXPLORER}.writing"
    temporary.write_text(
        render_page(payload, set_name=manifest["folder"]), encoding="utf-8"
    )
    temporary.replace(page)
    return page


def is_due(exports: Path) -> bool:
    """Whether the page is to be written.

    It is, if the published set has segments and the page or the pictures are missing,
    or of another set, or of an earlier page code.
    """
    manifest = _read_manifest(exports)
    if not PublishedSet(exports, manifest).has(*NEEDED):
        return False
    page = exports / EXPLORER
    if not (page.is_file() and (exports / CHARTS).is_dir()):
        return True
    with page.open("rb") as stream:
        head = stream.read(HEAD_BYTES).decode(errors="replace")
    return f'content="{manifest["folder"]} {code_version()}"' not in head


def _read_manifest(exports: Path) -> dict:
    path = exports / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there: nothing has been published. Run a full build first, "
            "such as `make build`."
        )
    return json.loads(path.read_text(encoding="utf-8"))
