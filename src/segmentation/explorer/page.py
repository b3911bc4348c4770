"""Put the figures, the style, the scripts and Plotly.js into one HTML file."""

import hashlib
import html
import json
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

TEMPLATE = "template.html"
STYLE = "explorer.css"
# In this order: each uses what is before it.
SCRIPTS = (
    "format.js", "state.js", "figures.js", "look.js", "controls.js", "charts.js",
    "history.js", "evidence.js", "sections.js", "cards.js", "page.js",
)  # fmt: skip


def render_page(payload: dict, *, set_name: str) -> str:
    """Return the page as HTML that loads nothing.

    Parameters
    ----------
    payload
        What ``make_payload`` returns: JSON without NaN.
    set_name
        The folder of the published set, for the page to say what it was made from.

    """
    title = f"Customer segments: {payload['input']}"
    parts = {
        "{{title}}": html.escape(title),
        "{{made_from}}": html.escape(f"{set_name} {code_version()}"),
        "{{style}}": _page_file(STYLE),
        "{{data}}": embedded_json(payload),
        "{{plotly}}": _plotly_path().read_text(encoding="utf-8"),
        "{{scripts}}": "\n".join(_page_file(name) for name in SCRIPTS),
    }
    page = []
    for piece in _pieces(_page_file(TEMPLATE), parts):
        page.append(parts.get(piece, piece))
    return "".join(page)


def embedded_json(payload: dict) -> str:
    """Return JSON that cannot end the script element it stands in.

    >>> embedded_json({"name": "</script><!--"})
    '{"name":"\\\\u003c/script>\\\\u003c!--"}'
    """
    text = json.dumps(
        payload, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return (
        text.replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )


@cache
def code_version() -> str:
    """Return a hash of all that a page is made by: this package and Plotly.js."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(package.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(path.relative_to(package).as_posix().encode())
            digest.update(path.read_bytes())
    digest.update(_plotly_path().read_bytes())
    return digest.hexdigest()[:16]


def _pieces(template: str, parts: dict[str, str]) -> list[str]:
    """Cut the template at its places, so that no text is searched for them twice."""
    pieces = [template]
    for place in parts:
        cut = []
        for piece in pieces:
            before, found, after = piece.partition(place)
            cut += [before, found, after] if found else [piece]
        pieces = cut
    return pieces


def _page_file(name: str) -> str:
    return (files("segmentation.explorer") / "page" / name).read_text(encoding="utf-8")


def _plotly_path() -> Path:
    """Plotly.js of the installed package, found without the seconds of importing it."""
    spec = find_spec("plotly")
    if spec is None:
        raise ModuleNotFoundError(
            "the package plotly is not installed; it brings the page's Plotly.js"
        )
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
