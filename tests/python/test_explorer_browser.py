"""The explorer page in Chromium: what people see is what the published files say."""

import csv
import importlib.util
import json
import re
import shutil
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import test_attribute_inputs  # noqa: F401 (registers the shared builds)
from builds import REPOSITORY
from conftest import fixture_of

from segmentation.explorer import write_explorer

SCREENSHOTS = REPOSITORY / "target" / "explorer_screenshots"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK, TABLET, PHONE = (
    {"width": 1400, "height": 900},
    {"width": 800, "height": 1100},
    {"width": 390, "height": 844},
)
INPUTS = [
    "demo",
    "online_retail",
    "mall_customers",
    pytest.param("credit_card", marks=pytest.mark.slow),
]
OF_ORDERS = {
    "risk", "migration", "cohorts", "trends", "second_purchase", "value_validation",
    "churn_validation",
}  # fmt: skip
mall_customers_fixture = fixture_of("mall_customers")
credit_card_fixture = fixture_of("credit_card")


class Published(NamedTuple):
    """The files of a set, asked by SQL in which a mart's name is its file."""

    exports: Path

    def rows(self, sql):
        manifest = json.loads((self.exports / "manifest.json").read_text())
        folder = self.exports / manifest["folder"]
        named = re.sub(r"\b((?:dim|fct|rpt)_\w+)", rf"'{folder}/\1.parquet'", sql)
        return duckdb.sql(named).fetchall()

    def one(self, sql):
        ((value,),) = self.rows(sql)
        return value


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("the package playwright is not installed: make test installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("chromium"),
            executable_path=path,
            args=FLAGS,
            viewport=DESK,
            accept_downloads=True,
        )
        yield context
        PAGES.clear()
        context.close()


FAULTS = []
PAGES = {}


def listening(page):
    """Note all that goes wrong in a page, or out of it."""
    page.on("pageerror", lambda error: FAULTS.append(f"error: {error}"))
    page.on("dialog", lambda dialog: FAULTS.append(f"dialog: {dialog.message}"))

    def console(message):
        if message.type in ("error", "warning"):
            FAULTS.append(f"console: {message.text}")

    def request(asked):
        if not asked.url.startswith(("file:", "data:", "blob:")):
            FAULTS.append(f"request: {asked.url}")

    page.on("console", console)
    page.on("request", request)
    return page


@pytest.fixture
def open_page(chromium):
    """Open the page of an exports folder; in the end nothing may have gone wrong.

    A page takes seconds to load, so one that is open goes on with another choice.
    """
    fresh_pages = []

    def opened(exports, choice="", *, viewport=DESK, scheme="light", fresh=False):
        key = exports, viewport["width"], scheme
        page = None if fresh else PAGES.get(key)
        if page is None:
            page = listening(chromium.new_page())
            page.set_viewport_size(viewport)
            page.emulate_media(color_scheme=scheme)
            address = (exports / "explorer.html").as_uri()
            page.goto(address + (choice and f"#{choice}"))
            page.wait_for_selector("html[data-drawn]")
            if fresh:
                fresh_pages.append(page)
            else:
                PAGES[key] = page
        else:
            page.bring_to_front()
            page.evaluate(
                """choice => {
                    showsAllActions = false;
                    history.replaceState(null, "", choice ? `#${choice}` : "#");
                    for (const c of CHARTS) if (c.details) c.details.open = false;
                    draw();
                    scrollTo(0, 0);
                }""",
                choice,
            )
        return page

    yield opened
    for page in fresh_pages:
        page.close()
    found, FAULTS[:] = list(FAULTS), []
    assert found == []


@pytest.fixture
def exports(request):
    return request.getfixturevalue(request.param).exports


def every_input(test):
    return pytest.mark.parametrize("exports", INPUTS, indirect=True)(test)


def drawn(page, chart):
    """What Plotly was given to draw."""
    return page.evaluate(f"document.getElementById('{chart}-plot').data")


def shapes(page, chart, what):
    """How many marks are on the screen."""
    return page.locator(f"#{chart}-plot {what}").count()


def charts_on(page):
    return set(page.eval_on_selector_all(".chart", "cards => cards.map(c => c.id)"))


def tile(page, name):
    return page.locator(f"#figure-{name} dd").first.inner_text().replace("\xa0", " ")


def figure(text):
    """The number in a text such as `€1,234.50` or `12.3 %`."""
    return float(re.sub(r"[^\d.-]", "", text))


def choose(page, control, value):
    page.select_option(f"#{control}", value)


def primary_of(published):
    return published.one("select segmentation from dim_segmentations where is_primary")


# ---- what is drawn is what was published -------------------------------------------


@every_input
def test_shares_are_those_of_the_summary(exports, open_page):
    published, page = Published(exports), open_page(exports)
    rows = published.rows(
        f"""
        select customer_share, revenue_share from rpt_segment_summary
        where segmentation = '{primary_of(published)}' and customer_count > 0
        order by segment_id like '%-0',
            coalesce(revenue, customer_count) desc, segment_id
        """
    )
    traces = drawn(page, "shares")
    has_revenue = rows[0][1] is not None
    assert len(traces) == 1 + has_revenue
    for trace, expected in zip(traces, zip(*rows, strict=True), strict=False):
        lengths = [max(0, share) for share in expected]
        assert trace["x"] == pytest.approx(lengths, abs=2e-6)
    assert shapes(page, "shares", ".bars .point") == len(rows) * len(traces)


@every_input
def test_the_heat_map_has_the_means_of_the_profiles(exports, open_page):
    published, page = Published(exports), open_page(exports)
    rows = published.rows(
        f"select mean_value from rpt_segment_profiles "
        f"where segmentation = '{primary_of(published)}' and level is null"
    )
    known = {float(f"{mean:.6g}") for (mean,) in rows if mean is not None}
    (numbers,) = page.evaluate(
        "[CHARTS.find(c => c.id === 'profiles').drawn.rows.map(r => r.slice(1))]"
    )
    shown = [value for row in numbers for value in row]
    assert shown and {float(f"{value:.6g}") for value in shown} <= known
    (trace,) = drawn(page, "profiles")
    assert sum(len(row) for row in trace["z"]) == len(shown)
    texts = page.locator("#profiles-plot .annotation-text").all_inner_texts()
    assert len(texts) == len(shown)


@every_input
def test_the_map_has_the_customers_of_the_sample(exports, open_page):
    published, page = Published(exports), open_page(exports)
    primary = primary_of(published)
    expected = published.rows(
        "select segment_name, count(*), sum(component_1), sum(component_2) "
        "from rpt_customer_map as points inner join dim_segments as segments "
        "using (segmentation, segment_id) "
        f"where segmentation = '{primary}' group by all"
    )
    traces = drawn(page, "map")
    found = {t["name"]: (len(t["x"]), sum(t["x"]), sum(t["y"])) for t in traces}
    assert found == {
        name: (count, pytest.approx(x, abs=1), pytest.approx(y, abs=1))
        for name, count, x, y in expected
    }
    assert shapes(page, "map", ".scatterlayer .point") == sum(r[1] for r in expected)


@every_input
def test_the_candidates_are_those_of_the_evidence_and_one_is_marked(exports, open_page):
    published, page = Published(exports), open_page(exports)
    rows = published.rows(
        f"""
        select cluster_count, inertia, silhouette, stability, is_chosen
        from rpt_segment_candidates
        where segmentation = '{primary_of(published)}' and algorithm = 'kmeans'
        order by cluster_count
        """
    )
    traces = drawn(page, "candidates")
    assert [trace["name"] for trace in traces] == ["inertia", "silhouette", "stability"]
    for number, trace in enumerate(traces, 1):
        assert trace["x"] == [row[0] for row in rows]
        assert trace["y"] == pytest.approx([row[number] for row in rows], rel=1e-5)
    assert shapes(page, "candidates", ".scatterlayer .point") == 3 * len(rows)
    (chosen,) = [row[0] for row in rows if row[4]]
    assert page.locator("#candidates .words").inner_text().startswith(f"{chosen} ")


@pytest.mark.parametrize("exports", ["demo", "online_retail"], indirect=True)
def test_movement_and_return_are_those_of_the_marts(exports, open_page):
    published, page = Published(exports), open_page(exports)
    month = published.one("select max(month_end_date) from rpt_segment_migration")
    moved = (
        f"from rpt_segment_migration where segmentation = '{primary_of(published)}' "
        f"and month_end_date = '{month}' and cause in "
    )
    count = published.one(
        f"select sum(customer_count) {moved} ('purchase', 'return', 'ageing', 'model')"
    )
    (sankey,) = drawn(page, "migration")
    assert sum(sankey["link"]["value"]) == count
    assert shapes(page, "migration", ".sankey-link") == len(sankey["link"]["value"])
    assert f"{count:,} of" in page.locator("#migration .words").inner_text()

    ageing = published.one(f"select sum(customer_count) {moved} ('ageing')")
    choose(page, "moves", "ageing")
    page.wait_for_function(
        f"document.getElementById('migration-plot').data[0].link.value"
        f".reduce((a, b) => a + b) === {ageing}"
    )

    (cohorts,) = drawn(page, "cohorts")
    cells = [cell for row in cohorts["z"] for cell in row if cell is not None]
    rates = published.rows(
        "select retention_rate from rpt_cohort_retention "
        "where month_number > 0 and is_complete"
    )
    assert sorted(cells) == pytest.approx(sorted(r for (r,) in rates), rel=1e-5)


@pytest.mark.parametrize("exports", ["demo", "online_retail"], indirect=True)
def test_risk_curve_and_validation_are_those_of_the_marts(exports, open_page):
    published, page = Published(exports), open_page(exports)
    with_risk = published.one(
        "select count(*) from dim_customers where churn_probability is not null"
    )
    assert shapes(page, "risk", ".scatterlayer .point") == min(2000, with_risk)
    said = page.locator("#risk .words").inner_text()
    at_risk, leaving = published.rows(
        "select sum(value_at_risk), count(*) filter (is_high_value_at_risk) "
        "from dim_customers"
    )[0]
    assert f"{at_risk:,.0f} at risk, {leaving:,} high-value" in said

    (*_, curve) = drawn(page, "second_purchase")
    last, day = published.rows(
        "select share_with_second_purchase, day from rpt_second_purchase "
        "where group_kind = 'all' order by day desc limit 1"
    )[0]
    assert (curve["x"][-1], curve["y"][-1]) == (day, pytest.approx(last, rel=1e-5))

    expected, spent = drawn(page, "value_validation")
    rows = published.rows(
        "select predicted, actual from rpt_value_validation "
        "where model = 'expected_value' and measure = 'decile' order by bin"
    )
    assert expected["y"] == pytest.approx([row[0] for row in rows], rel=1e-5)
    assert spent["y"] == pytest.approx([row[1] for row in rows], rel=1e-5)
    assert shapes(page, "value_validation", ".bars .point") == 2 * len(rows)

    _, tenths = drawn(page, "churn_validation")
    rows = published.rows(
        "select predicted, estimate from rpt_churn_validation "
        "where is_chosen and measure = 'calibration' order by bin"
    )
    assert tenths["x"] == pytest.approx([row[0] for row in rows], rel=1e-5)
    assert tenths["y"] == pytest.approx([row[1] for row in rows], rel=1e-5)


def test_actions_have_the_numbers_of_the_recommendations(demo, open_page):
    published, page = Published(demo.exports), open_page(demo.exports)
    page.click("#more-actions")
    rows = published.rows(
        "select segment_name, action, reachable_customer_count, net_worth, uplift "
        "from rpt_recommendations where segmentation = 'next_action' "
        "and is_best_action order by worth_rank"
    )
    shown = page.locator(".actions tbody tr").all_inner_texts()
    assert len(shown) == len(rows)
    for text, (name, action, reachable, worth, uplift) in zip(shown, rows, strict=True):
        assert name in text and action in text
        assert f"{reachable:,} reachable" in text
        if worth is not None:
            assert f"€{abs(round(worth)):,}" in text
            assert f"{100 * uplift:.1f}\xa0%" in text


def test_the_footer_counts_rows_as_the_data_quality_does(demo, open_page):
    published, page = Published(demo.exports), open_page(demo.exports)
    used, aside = published.rows(
        "select sum(row_count) filter (measure = 'used'), "
        "sum(row_count) filter (measure = 'quarantined') from rpt_data_quality"
    )[0]
    said = page.locator("#quality").inner_text()
    assert f"{used:,} rows were used, {aside:,} were put aside" in said
    assert page.locator("#health .model").count() == 3


@every_input
def test_what_an_input_lacks_is_absent_and_nothing_is_empty(exports, open_page):
    page = open_page(exports)
    has_orders = Published(exports).one("select max(frequency) from dim_customers")
    charts = charts_on(page)
    assert {"shares", "profiles", "map", "candidates"} <= charts
    if has_orders:
        assert charts >= OF_ORDERS and "own" not in charts
    else:
        assert not charts & OF_ORDERS and "own" in charts
    for chart in charts:
        assert shapes(page, chart, ".main-svg path") > 0
    if has_orders:
        page = open_page(exports, "segmentation=rfm")
        assert not charts_on(page) & {"map", "candidates"}, "rules have neither"


def test_mall_is_drawn_by_income_and_spending(mall_customers, open_page):
    published, page = (
        Published(mall_customers.exports), open_page(mall_customers.exports),
    )  # fmt: skip
    rows = published.rows("select value_1, value_2 from rpt_customer_map")
    points = [
        point
        for trace in drawn(page, "own")
        for point in zip(trace["x"], trace["y"], strict=True)
    ]
    assert sorted(points) == sorted(rows)
    assert page.locator("#own h3").inner_text() == "Annual income and spending score"


def test_too_few_customers_for_segments_make_a_page_of_what_there_is(
    few_customers, open_page
):
    assert not few_customers.lines("could not be drawn")
    page = open_page(few_customers.exports)
    assert figure(tile(page, "customers")) == 49
    revenue = Published(few_customers.exports).one(
        "select sum(monetary) from dim_customers"
    )
    assert figure(tile(page, "revenue")) == pytest.approx(float(revenue), abs=0.51)
    assert not charts_on(page) & {"map", "candidates", "churn_validation"}
    said = page.locator("body").inner_text()
    assert not re.search(r"\b(undefined|NaN|null|Infinity)\b", said)


# ---- a choice changes the figures to those in the files -----------------------------


@pytest.mark.parametrize("exports", ["demo", "online_retail"], indirect=True)
@pytest.mark.parametrize("segmentation", ["value", "behaviour", "rfm"])
@pytest.mark.parametrize("in_country", [False, True])
def test_choosing_changes_the_key_figures(exports, segmentation, in_country, open_page):
    published, page = Published(exports), open_page(exports)
    segment, name = published.rows(
        "select segment_id, segment_name from rpt_segment_summary "
        f"where segmentation = '{segmentation}' order by revenue desc limit 1 offset 1"
    )[0]
    country = published.one(
        "select country from dim_customers group by country "
        "order by count(*) desc limit 1 offset 1"
    )
    if len(page.locator("#segmentation").all()) and segmentation != "value":
        choose(page, "segmentation", segmentation)
    page.get_by_role("radio", name=name, exact=True).check(force=True)
    if in_country:
        choose(page, "country", country)
    page.wait_for_function(
        "t => document.getElementById('figures-title').textContent.includes(t)",
        arg=f"{name} in {country}" if in_country else name,
    )
    where = f"country = '{country}'" if in_country else "true"
    customers, revenue, orders, net, risk, churn = published.rows(
        f"""
        select count(*), sum(monetary), sum(frequency), sum(order_net_amount),
            sum(value_at_risk), avg(churn_probability)
        from dim_customers inner join fct_customer_segments as segments
            using (customer_id)
        where segments.segmentation = '{segmentation}'
            and segments.segment_id = '{segment}' and {where}
        """
    )[0]
    assert figure(tile(page, "customers")) == customers > 0
    assert figure(tile(page, "revenue")) == pytest.approx(float(revenue), abs=0.51)
    assert figure(tile(page, "orders_per_customer")) == pytest.approx(
        orders / customers, abs=0.0051
    )
    assert figure(tile(page, "average_order")) == pytest.approx(
        float(net) / orders, abs=0.0051
    )
    assert figure(tile(page, "value_at_risk")) == pytest.approx(float(risk), abs=0.51)
    assert figure(tile(page, "churn")) == pytest.approx(100 * churn, abs=0.051)
    all_customers = published.one(f"select count(*) from dim_customers where {where}")
    shares = page.locator("#shares .words").inner_text().replace("\xa0", " ")
    assert f"{100 * customers / all_customers:.1f} % of customers" in shares


def test_choosing_a_country_filters_map_profile_and_risk_and_says_what_it_cannot(
    demo, open_page
):
    published, page = Published(demo.exports), open_page(demo.exports)
    choose(page, "country", "Austria")
    page.wait_for_function("location.hash.includes('Austria')")
    points = published.one(
        "select count(*) from rpt_customer_map inner join dim_customers "
        "using (customer_id) where segmentation = 'value' and country = 'Austria'"
    )
    page.wait_for_function(
        f"document.querySelectorAll('#map-plot .point').length === {points}"
    )
    means = dict(
        published.rows(
            "select segment_name, avg(cast(monetary as double)) from dim_customers "
            "where country = 'Austria' and frequency > 0 group by all"
        )
    )
    columns, rows = page.evaluate(
        "(d => [d.columns, d.rows])(CHARTS.find(c => c.id === 'profiles').drawn)"
    )
    spend = columns.index("Spend")
    assert {row[0]: row[spend] for row in rows} == {
        name: pytest.approx(mean, rel=1e-5) for name, mean in means.items()
    }
    for chart in ("migration", "cohorts", "trends", "candidates"):
        said = page.locator(f"#{chart} .note").inner_text().lower()
        assert "all c" in said or "by segment or country" in said, chart
    assert "Austria" in page.locator("#second_purchase .words").inner_text()
    assert "All countries" in page.locator("#actions").inner_text()


def test_the_month_of_the_movement_can_be_chosen(demo, open_page):
    published, page = Published(demo.exports), open_page(demo.exports)
    choose(page, "month", "2024-03-31")
    count = published.one(
        "select sum(customer_count) from rpt_segment_migration where "
        "segmentation = 'value' and month_end_date = '2024-03-31' "
        "and cause not in ('stayed', 'entered')"
    )
    page.wait_for_function(
        "document.querySelector('#migration .words').textContent.startsWith('March')"
    )
    words = page.text_content("#migration .words")
    assert words.startswith(f"March 2024: {count:,} of")


def test_a_month_in_which_nobody_moved_has_words_and_no_empty_axes(demo, open_page):
    published = Published(demo.exports)
    month = published.one(
        "select month_end_date from rpt_segment_migration "
        "where segmentation = 'behaviour' group by month_end_date "
        "having count(*) filter (cause = 'ageing') = 0 "
        "order by month_end_date desc limit 1"
    )
    page = open_page(demo.exports, f"segmentation=behaviour&moves=ageing&month={month}")
    assert not page.locator("#migration-plot").is_visible()
    assert "Nobody moved" in page.locator("#migration .note").inner_text()
    choose(page, "moves", "all")
    page.wait_for_selector("#migration-plot .sankey-link")


def test_a_choice_is_in_the_address_and_comes_back_from_it(demo, open_page):
    page = open_page(demo.exports, fresh=True)
    choose(page, "segmentation", "behaviour")
    page.get_by_role("radio", name="Serial returners").check(force=True)
    choose(page, "country", "Spain")
    choose(page, "month", "2024-06-30")
    title = "Key figures: Serial returners in Spain"
    page.wait_for_function(
        "t => document.getElementById('figures-title').textContent === t", arg=title
    )
    page.wait_for_function("location.hash.includes('2024-06-30')")
    assert parse_qs(page.url.partition("#")[2]) == {
        "segmentation": ["behaviour"],
        "segment": ["behaviour-4"],
        "country": ["Spain"],
        "month": ["2024-06-30"],
    }
    figures = page.locator("#figures").inner_text()
    other = open_page(demo.exports, page.url.partition("#")[2], fresh=True)
    assert other.locator("#figures").inner_text() == figures
    assert other.input_value("#month") == "2024-06-30"
    page.go_back()
    page.go_back()
    page.wait_for_function(
        "document.getElementById('figures-title').textContent"
        " === 'Key figures: Serial returners'"
    )


def test_an_address_that_asks_for_what_is_not_there_shows_everybody(demo, open_page):
    page = open_page(
        demo.exports,
        "segmentation=gone&segment=%3Cb%3E&country=Atlantis&month=1&moves=x&compare=y",
    )
    assert page.locator("#figures-title").inner_text() == "Key figures: All customers"


def test_pointing_at_a_bar_chooses_its_segment(demo, open_page):
    page = open_page(demo.exports)
    page.locator("#shares-plot .bars .point").nth(7).scroll_into_view_if_needed()
    box = page.locator("#shares-plot .bars .point").nth(7).bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("location.hash.includes('segment=')")
    assert "segment=value-3" in page.url


# ---- for everybody -----------------------------------------------------------------


def test_the_keyboard_reaches_and_changes_everything(demo, open_page):
    page = open_page(demo.exports, fresh=True)
    seen = []
    for _ in range(12):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id"))
    order = ["share", "theme", "segmentation", "country", "segment--1", "plan"]
    assert [name for name in seen if name in order] == order
    page.focus("#segment--1")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.hash.includes('segment=value-2')")
    assert page.evaluate("document.activeElement.id") == "segment-0"
    assert "399 customers" in page.locator("#said").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_function("!location.hash.includes('segment')")
    page.focus(".skip")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


@every_input
def test_charts_and_controls_have_names_for_screen_readers(exports, open_page):
    page = open_page(exports)
    for chart in charts_on(page):
        label = page.locator(f"#{chart}-plot").get_attribute("aria-label")
        assert len(label) > 40 and "undefined" not in label and "NaN" not in label
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, select, input')].filter(e =>
            !(e.getAttribute('aria-label') || e.textContent.trim()
              || e.labels?.[0]?.textContent.trim())).map(e => e.outerHTML)"""
    )
    assert nameless == []
    said = page.locator("body").inner_text()
    assert not re.search(r"\b(undefined|NaN|null|Infinity)\b", said)


def test_the_numbers_behind_a_chart_can_be_read_as_a_table(demo, open_page):
    page = open_page(demo.exports)
    page.click("#shares summary")
    rows = page.locator("#shares .numbers tbody tr").all_inner_texts()
    assert len(rows) == 6
    assert rows[0].split("\t")[:2] == ["High-value customers", "399"]


LUMINANCE = """colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(c =>
        (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@every_input
def test_texts_are_not_pale(exports, scheme, open_page):
    """All have the contrast of 4.5 that WCAG asks for, in the charts too."""
    page = open_page(exports, scheme=scheme)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    pale = page.evaluate(
        f"""() => {{
        const luminance = {LUMINANCE};
        const behind = e => {{
            for (let at = e; at; at = at.parentElement) {{
                const colour = getComputedStyle(at).backgroundColor;
                if (!colour.endsWith(', 0)')) return colour;
            }}
            return 'rgb(255, 255, 255)';
        }};
        const contrast = (a, b) => {{
            const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
            return (high + 0.05) / (low + 0.05);
        }};
        return [...document.querySelectorAll('body *')].filter(e =>
            [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
            && e.checkVisibility() && !e.closest('script, style, .annotation')
        ).map(e => {{
            const style = getComputedStyle(e);
            const isDrawn = e.namespaceURI.endsWith('svg');
            const host = isDrawn ? e.closest('.plot') : e;
            return [contrast(isDrawn ? style.fill : style.color, behind(host)),
                    e.textContent];
        }}).filter(([ratio]) => ratio < 4.5);
        }}"""
    )
    assert pale == []


@pytest.mark.parametrize(
    "viewport", [DESK, TABLET, PHONE], ids=["desk", "tablet", "phone"]
)
@every_input
def test_nothing_is_clipped_and_the_page_does_not_scroll_sideways(
    exports, viewport, open_page
):
    page = open_page(exports, viewport=viewport)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"]
    inside = page.evaluate(
        """() => [...document.querySelectorAll('.table-card')].every(c =>
            c.scrollWidth <= c.clientWidth)"""
    )
    assert inside, "the table of actions fits into its card"
    clipped = page.evaluate(
        """() => [...document.querySelectorAll('.main-svg text')].filter(t =>
            t.textContent.trim() && t.getBoundingClientRect().width).map(t => {
            const box = t.getBoundingClientRect();
            const svg = t.closest('.main-svg').getBoundingClientRect();
            return [Math.max(svg.left - box.left, box.right - svg.right,
                             svg.top - box.top, box.bottom - svg.bottom),
                    t.textContent, t.closest('.chart').id];
        }).filter(([over]) => over > 2)"""
    )
    assert clipped == []
    overlapping = page.evaluate(
        """() => ['.xtick text', '.ytick text', '.legendtext', '.annotation-text']
        .flatMap(kind => [...document.querySelectorAll('.plot')].flatMap(plot => {
            const boxes = [...plot.querySelectorAll(kind)].map(t =>
                [t.getBoundingClientRect(), t.textContent]).filter(([b]) => b.width);
            return boxes.flatMap(([a, first], n) => boxes.slice(n + 1)
                .filter(([b]) =>
                    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
                    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
                .map(([, second]) => [plot.id, first, second]));
        }))"""
    )
    assert overlapping == []


def test_dark_can_be_chosen_and_stays(demo, open_page):
    page = open_page(demo.exports, fresh=True)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    page.wait_for_selector("html[data-drawn]")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == light


def test_print_is_light_and_without_buttons(demo, open_page, tmp_path):
    page = open_page(demo.exports, scheme="dark", fresh=True)
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function("document.documentElement.dataset.theme === 'light'")
    assert not page.locator("#theme").is_visible()
    assert not page.get_by_role("button", name="Save PNG: Customer map").is_visible()
    assert page.locator("#map-plot").is_visible()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / "demo_print.pdf"
    page.pdf(path=path, format="A4", print_background=True)
    assert path.read_bytes().startswith(b"%PDF")


# ---- to take away ------------------------------------------------------------------


def test_a_chart_is_saved_as_a_picture_and_its_numbers_as_csv(demo, open_page):
    page = open_page(demo.exports)
    with page.expect_download() as waited:
        page.get_by_role("button", name="Save PNG: Customer map").click()
    picture = Path(waited.value.path()).read_bytes()
    assert picture.startswith(b"\x89PNG") and len(picture) > 20_000
    assert waited.value.suggested_filename == "demo_map_2025-01-01.png"
    with page.expect_download() as waited:
        page.get_by_role("button", name="Save CSV: Share of customers").click()
    text = Path(waited.value.path()).read_bytes().decode()
    assert text.count("\r\n") == 7 == text.count("\n")
    header, first, *_ = csv.reader(text.splitlines())
    assert header[:2] == ["segment", "customers"]
    assert first[:2] == ["High-value customers", "399"]


MARKUP = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


@pytest.fixture
def planted(demo, tmp_path):
    """Names that are markup or a formula, in all that a page shows of a shop."""
    exports = shutil.copytree(demo.exports, tmp_path / "exports")
    manifest = json.loads((exports / "manifest.json").read_text())
    names = {
        "segment_name": f"<b>{MARKUP}</b>",
        "from_segment_name": f"<b>{MARKUP}</b>",
        "description": MARKUP,
        "rule_text": MARKUP,
        "feature_label": f"<i>{MARKUP}",
        "action": MARKUP,
        "how": MARKUP,
        "reason": MARKUP,
        "status_reason": MARKUP,
        "verdict": MARKUP,
    }
    for file in manifest["files"]:
        if not re.match(r"(dim_seg|rpt_).*parquet", file["name"]):
            continue
        path = exports / manifest["folder"] / file["name"]
        table = pq.read_table(path)
        for name, text in names.items():
            if name in table.column_names:
                place = table.column_names.index(name)
                planted = pa.array([text] * len(table), pa.string())
                table = table.set_column(place, name, planted)
        pq.write_table(table, path)
    path = exports / manifest["folder"] / "dim_customers.parquet"
    table = pq.read_table(path)
    countries = [
        f"={name}</option>{MARKUP}" for name in table.column("country").to_pylist()
    ]
    place = table.column_names.index("country")
    table = table.set_column(place, "country", pa.array(countries, pa.string()))
    pq.write_table(table, path)
    write_explorer(exports)
    return exports


def test_names_with_markup_show_as_text(planted, open_page):
    page = open_page(planted, "segment=value-2&month=2024-12-31&moves=everybody")
    page.hover("#map-plot .scatterlayer .point >> nth=-1", force=True)
    page.click("#shares summary")
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert page.locator("b b, #main b img, i i").count() == 0
    for place in (
        "label[for=segment-0]", ".actions tbody th", "#figures-title", "#segments h3",
        "#shares .words", "#shares .numbers td", "#shares-plot .ytick",
    ):  # fmt: skip
        text = page.locator(place).first.text_content()
        assert "<img" in text and "onerror" in text, place
    assert "</option>" in page.locator("#country option").nth(1).text_content()


def test_a_cell_that_begins_like_a_formula_is_saved_as_text(planted, open_page):
    page = open_page(planted)
    with page.expect_download() as waited:
        page.get_by_role("button", name="Save CSV: Customer map").click()
    lines = Path(waited.value.path()).read_text().splitlines()
    header, *rows = csv.reader(lines)
    assert len(rows) == 1998
    assert {row[header.index("country")][:2] for row in rows} == {"'="}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@"))]


# ---- to look at --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("viewport", "scheme"),
    [(DESK, "light"), (DESK, "dark"), (PHONE, "light")],
    ids=["light", "dark", "phone"],
)
@every_input
def test_screenshots_are_kept_to_be_looked_at(
    exports, viewport, scheme, open_page, request
):
    page = open_page(exports, viewport=viewport, scheme=scheme)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    look = request.node.callspec.id.split("-")[-1]
    path = SCREENSHOTS / f"{exports.parent.name}_{exports.name}_{look}.png"
    page.screenshot(path=path, full_page=True)
    assert path.stat().st_size > 100_000
