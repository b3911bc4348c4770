"""Draw the pages of a report from exports: ``python -m segmentation.power_bi.draw``.

Needs Chromium and the package playwright. See ``pictures`` for what the pictures are.
"""

import argparse
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from segmentation.power_bi.figures import CUSTOMER, Figures
from segmentation.power_bi.model import Model
from segmentation.power_bi.pictures import page_html
from segmentation.power_bi.project import models, read_contracts, report_specification

MANIFEST = "manifest.json"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
# Text that is cut off where no reader can scroll to it.
CUT_OFF = """
() => [...document.querySelectorAll(
    '.box, h1, .question, .title, .subtitle, .label, .number, .sentence, .select, th, '
    + '.body'
)].filter(e => {
    const scrolls = e.classList.contains('body') && e.querySelector('table');
    return e.scrollWidth > e.clientWidth + 1
        || (!scrolls && e.scrollHeight > e.clientHeight + 2 && e.clientHeight > 0);
}).map(e => `${e.closest('.box')?.dataset.name}: ${e.textContent.slice(0, 60)}`)
"""


def chromium() -> str | None:
    """Return where Chromium is, or None; CHROMIUM names another one."""
    named = os.environ.get("CHROMIUM")
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "chrome"))
    return named or next(filter(None, found), None)


def pages_html(
    model: Model, specification: dict, theme: dict, folder: Path
) -> Iterator[tuple[str, tuple[int, int], str]]:
    """Yield name, size in pixels and HTML of each page and each of its views.

    Parameters
    ----------
    model, specification, theme
        Of one of the two projects.
    folder
        Of a published set of Parquet files.

    """
    figures = Figures(model, folder)
    primary = figures.one("select segmentation from dim_segmentations "
                          "where is_primary", {})  # fmt: skip
    formats = {name: measure.format for name, measure in model.measures.items()}
    for table in model.tables:
        formats |= {f"{table.name}.{c.name}": c.format for c in table.columns}
    for page in specification["pages"]:
        for view in page.get("views") or [None]:
            text = page_html(
                specification,
                page,
                theme=theme,
                figures=figures.of_page(_chosen(page, primary, figures)),
                formats=formats,
                primary_segmentation=primary,
                view=view,
            )
            name = page["name"] + (f"_{view}" if view else "")
            yield name, tuple(page.get("tooltip_size", (1280, 720))), text


def _chosen(page: dict, primary: str, figures: Figures) -> dict[str, Any]:
    """What the slicers of a page choose at first, or what leads to a hidden page."""
    chosen: dict[str, Any] = {"Segmentations.Segmentation": [primary]}
    if "tooltip_size" in page:
        return chosen | {"Segments.Segment": [_largest_segment(figures, primary)]}
    if "drill_through" in page:
        return {CUSTOMER: [_most_at_risk(figures)]}
    return chosen if "segmentation" in page.get("slicers", []) else {}


def _largest_segment(figures: Figures, primary: str) -> str:
    return figures.one(
        "select max(segment_name) from fct_customer_segments join dim_segments using "
        f"(segment_id) where dim_segments.segmentation = '{primary}' "
        "group by segment_id order by count(*) desc, 1 limit 1",
        {},
    )


def _most_at_risk(figures: Figures) -> str:
    """The customer to show on the hidden page; any where there are no values."""
    return figures.one(
        "select coalesce(arg_max(customer_id, value_at_risk), max(customer_id)) "
        "from dim_customers",
        {},
    )


@contextmanager
def browser():
    """A headless Chromium of playwright's."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@contextmanager
def shown(opened, size: tuple[int, int], text: str):
    """A page's HTML in a browser window of its size."""
    page = opened.new_page(viewport={"width": size[0], "height": size[1]})
    page.set_content(text)
    yield page
    page.close()


def cut_off(page) -> list[str]:
    """Return the texts of a page in a browser that are cut off."""
    return page.evaluate(CUT_OFF)


def picture(page, theme: dict) -> bytes:
    """Return a page in a browser as a small PNG."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    few = image.quantize(palette=_palette(image, theme), dither=Image.Dither.NONE)
    few.save(out, "png", optimize=True)
    return out.getvalue()


def _palette(image: Image.Image, theme: dict) -> Image.Image:
    """256 colours: a third of the size. The theme's own, or small marks would fade."""
    own = sorted(set(re.findall(r"#[0-9A-Fa-f]{6}", json.dumps(theme))))
    colours = [int(c[place : place + 2], 16) for c in own for place in (1, 3, 5)]
    rest = image.quantize(256 - len(own)).getpalette()[: 3 * (256 - len(own))]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours + rest)
    return palette


def main(arguments: list[str] | None = None) -> int:
    """Draw all pages of one report; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", default="segments", help="segments or attributes")
    parser.add_argument("--exports", default="exports/demo", type=Path)
    parser.add_argument("--output", default="docs/power-bi", type=Path)
    options = parser.parse_args(arguments)
    if chromium() is None:
        print("Chromium is missing. Install it, or name it in CHROMIUM.")
        return 1
    manifest = options.exports / MANIFEST
    if not manifest.is_file():
        print(f"{manifest} is missing. Build first: make build.")
        return 1
    published = options.exports / json.loads(manifest.read_text())["folder"]
    model = models(read_contracts(Path()), Path())[options.project]
    specification, theme = report_specification(options.project, Path())
    options.output.mkdir(parents=True, exist_ok=True)
    with browser() as opened:
        for name, size, text in pages_html(model, specification, theme, published):
            with shown(opened, size, text) as page:
                content, faults = picture(page, theme), cut_off(page)
            path = options.output / f"{name}.png"
            path.write_bytes(content)
            print(
                f"{path} ({len(content) / 1024:.0f} KB)", *faults, sep="\n  cut off: "
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
