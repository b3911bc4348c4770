"""Draw the README's picture: key figures and segments of the demo's explorer page.

    make build && .venv/bin/python docs/images/draw.py

Needs Chromium.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

PAGE = Path("exports/demo/explorer.html")
PICTURE = Path(__file__).with_name("explorer.png")
WIDTH = 1400
FIRST, AFTER = "Key figures", "How they move"  # headings


def main(page_path: str = str(PAGE)) -> int:
    """Write the picture; returns the exit code."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": 3000})
        page.goto(Path(page_path).resolve().as_uri())
        page.wait_for_selector(".js-plotly-plot .main-svg")
        page.evaluate(
            "document.querySelectorAll('details[open]').forEach(d => d.open = false)"
        )
        page.wait_for_timeout(3000)
        top, bottom = (
            page.get_by_role("heading", name=name).first.bounding_box()["y"]
            for name in (FIRST, AFTER)
        )
        clip = {"x": 0, "y": top - 12, "width": WIDTH, "height": bottom - top - 8}
        shot = page.screenshot(clip=clip, full_page=True)
        browser.close()
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    picture = picture.quantize(128, dither=Image.Dither.NONE)
    picture.save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
