"""The Power BI report: what its pages are made of, as Microsoft's tools and ours judge
the committed files, each gate with an error that it must see; and the pictures."""

import json
import shutil
from datetime import date

import pytest
import yaml
from builds import REPOSITORY
from conftest import fixture_of
from dax import Dax
from power_bi import frames
from power_bi_report import (
    GATES,
    Project,
    absent_in_files,
    all_fields,
    authoring_faults,
    bad_files,
    bad_literals,
    bad_names,
    bad_pages,
    bad_phone_layout,
    broken_references,
    doubtful_visuals,
    foreign_colours,
    hidden_fields,
    loose_slicers,
    needs_authoring,
    overlaps,
    risk_counted_twice,
    schema_faults,
    segment_colours,
    too_much,
    undated_segments,
    unknown_fields,
    unsorted_fields,
    without_alternative_text,
    without_title,
)
from test_attribute_inputs import mall_customers  # registers the build

from segmentation.power_bi.draw import browser, chromium, cut_off, pages_html, shown
from segmentation.power_bi.figures import MEASURES, Figures
from segmentation.power_bi.pictures import formatted
from segmentation.power_bi.project import models, report_specification
from segmentation.power_bi.report import Names, SpecificationError, report_files

mall_customers_fixture = fixture_of(mall_customers.__name__)
PROJECTS = ("segments", "attributes")
VISUALS = "segments.Report/definition/pages/{}/visuals/{}/visual.json"
needs_chromium = pytest.mark.skipif(
    chromium() is None, reason="needs Chromium: apt-get install chromium"
)


@pytest.fixture(scope="module", params=PROJECTS)
def project(request):
    return Project(REPOSITORY / "powerbi" / request.param)


@pytest.fixture
def copied(tmp_path):
    """A copy of the project with orders, to plant an error in."""
    return Project(
        shutil.copytree(REPOSITORY / "powerbi" / "segments", tmp_path / "segments")
    )


@pytest.fixture(scope="module")
def both(demo):
    return models(demo.artifact("manifest.json"), REPOSITORY)


def published(build):
    return build.exports / build.manifest()["folder"]


# ---- the committed project ---------------------------------------------------------


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.__name__)
def test_gate_finds_nothing(gate, project):
    assert gate(project) == []


@needs_authoring
def test_authoring_command_line_finds_neither_error_nor_warning(project):
    assert authoring_faults(project) == []


def test_json_schemas_find_nothing(project):
    assert schema_faults(project) == []


def test_every_column_of_the_report_is_in_the_files(demo):
    project = Project(REPOSITORY / "powerbi" / "segments")
    assert absent_in_files(project, published(demo)) == []


def test_every_column_of_the_small_report_is_in_the_files_without_orders(
    mall_customers,
):
    project = Project(REPOSITORY / "powerbi" / "attributes")
    assert absent_in_files(project, published(mall_customers)) == []


def test_pages_come_in_the_order_of_the_work():
    project = Project(REPOSITORY / "powerbi" / "segments")
    order = project.files["segments.Report/definition/pages/pages.json"]["pageOrder"]
    assert order == [
        "what_to_do", "overview", "segments", "movement", "value_and_risk", "customers",
        "customer", "evidence", "data_quality", "segment_tooltip",
    ]  # fmt: skip


def test_theme_has_the_palette_of_the_segments():
    project = Project(REPOSITORY / "powerbi" / "segments")
    rows = (REPOSITORY / "seeds/reference/palette.csv").read_text().split()[1:]
    palette = [row.split(",")[1].upper() for row in rows]
    own = [colour.upper() for colour in project.theme["dataColors"]]
    # The first is what is no segment, the last what is not segmented.
    assert own[1:] == [*palette[1:], palette[0]]


def test_scale_and_text_can_be_told_apart():
    """Text of the theme on every colour of a scale: 4.5 to 1, as WCAG asks."""
    theme = Project(REPOSITORY / "powerbi" / "segments").theme

    def light(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    text = light(theme["foreground"])
    for name in ("minimum", "center", "maximum", "background", "backgroundLight"):
        assert (light(theme[name]) + 0.05) / (text + 0.05) >= 4.5, name


# ---- each gate sees an error -------------------------------------------------------


def changed(project: Project, place: str, change) -> Project:
    path = project.folder / place
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return Project(project.folder)


def on_visual(page, name, change):
    return lambda project: changed(project, VISUALS.format(page, name), change)


def on_page(page, change):
    place = f"segments.Report/definition/pages/{page}/page.json"
    return lambda project: changed(project, place, change)


def first_projection(visual, role="Y"):
    return visual["visual"]["query"]["queryState"][role]["projections"][0]


def rename_measure(visual):
    first_projection(visual)["field"]["Measure"]["Property"] = "Revenues"


def show_a_key(visual):
    column = first_projection(visual, "Category")["field"]["Column"]
    column |= {"Property": "Segment Number"}


def sort_by_another(visual):
    sort = visual["visual"]["query"]["sortDefinition"]["sort"][0]
    sort["field"]["Measure"]["Property"] = "Purchases"


def bare_text(visual):
    title = visual["visual"]["visualContainerObjects"]["title"][0]["properties"]
    title["text"]["expr"]["Literal"]["Value"] = "No quotes"


def wide(visual):
    visual["position"]["width"] = 900


def beyond(visual):
    visual["position"]["y"] = 700


def without_alt(visual):
    visual["visual"]["visualContainerObjects"]["general"] = []


def untitled(visual):
    del visual["visual"]["visualContainerObjects"]["title"]


def without_colour(visual):
    del visual["visual"]["objects"]["dataPoint"]


def segments_in_legend(visual):
    state = visual["visual"]["query"]["queryState"]
    state["Series"] = state.pop("Rows")


def no_subtitle(visual):
    del visual["visual"]["visualContainerObjects"]["subTitle"]


def own_red(visual):
    visual["visual"]["objects"]["values"][0]["properties"]["fontColor"] = {
        "solid": {"color": {"expr": {"Literal": {"Value": "'#FF0000'"}}}}
    }


def lifetime_value(visual):
    first_projection(visual)["field"]["Measure"]["Property"] = "Lifetime Value"


def not_synced(visual):
    del visual["visual"]["syncGroup"]


def many_segmentations(visual):
    del visual["visual"]["objects"]["selection"]


def other_tooltip(visual):
    tooltip = visual["visual"]["visualContainerObjects"]["visualTooltip"][0]
    tooltip["properties"]["section"]["expr"]["Literal"]["Value"] = "'gone'"


def all_items(visual):
    visual["visual"]["query"]["queryState"]["Category"]["showAll"] = True


def shown_tooltip(page):
    del page["visibility"]


def tall(page):
    page["height"] = 1400


def renamed(page):
    page["name"] = "over view"


def many_visuals(project):
    folder = project.folder / VISUALS.format("overview", "heading")
    for number in range(12):
        copy = folder.parent.parent / f"copy_{number}"
        shutil.copytree(folder.parent, copy)
    return Project(project.folder)


def with_mark(project):
    path = project.folder / VISUALS.format("overview", "heading")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    return Project(project.folder)


def broad_on_phone(project):
    place = VISUALS.format("overview", "figures").replace("visual.json", "mobile.json")
    return changed(
        project, place, lambda content: content["position"].update(width=400)
    )


PLANTED = [
    (unknown_fields, on_visual("overview", "revenue_by_segment", rename_measure),
     "no Measure Key Measures[Revenues]"),
    (hidden_fields, on_visual("overview", "revenue_by_segment", show_a_key),
     "shows the hidden Segments[Segment Number]"),
    (unsorted_fields, on_visual("overview", "revenue_by_segment", sort_by_another),
     "sorted by Purchases"),
    (bad_literals, on_visual("overview", "revenue_by_segment", bare_text), "No quotes"),
    (bad_names, on_page("overview", renamed), "over view"),
    (bad_files, with_mark, "byte order mark"),
    (broken_references, on_visual("overview", "revenue_by_segment", other_tooltip),
     "tooltip page gone"),
    (overlaps, on_visual("overview", "revenue_by_segment", wide),
     "customers_by_segment overlaps revenue_by_segment"),
    (overlaps, on_visual("overview", "segments", beyond), "beyond the edge"),
    (too_much, many_visuals, "overview: "),
    (bad_pages, on_page("segment_tooltip", shown_tooltip), "not hidden"),
    (bad_pages, on_page("overview", tall), "scrolls"),
    (without_alternative_text, on_visual("overview", "segments", without_alt),
     "overview/segments"),
    (without_title, on_visual("overview", "revenue_by_month", untitled), "no title"),
    (foreign_colours, on_visual("segments", "rules", own_red), "#FF0000"),
    (doubtful_visuals, on_visual("overview", "revenue_by_segment", all_items),
     "without data"),
    (segment_colours, on_visual("overview", "revenue_by_segment", without_colour),
     "not in the segments' colours"),
    (segment_colours, on_visual("movement", "trends", segments_in_legend),
     "segments in the legend"),
    (undated_segments, on_visual("overview", "revenue_by_segment", no_subtitle),
     "does not say 'as of now'"),
    (undated_segments, on_visual("movement", "trends", no_subtitle),
     "does not say 'then'"),
    (risk_counted_twice, on_visual("value_and_risk", "customers", lifetime_value),
     "lifetime value beside churn probability"),
    (loose_slicers, on_visual("overview", "slicer_country", not_synced), "not synced"),
    (loose_slicers, on_visual("overview", "slicer_segmentation", many_segmentations),
     "several segmentations"),
    (bad_phone_layout, broad_on_phone, "wider than a phone"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("gate", "plant", "seen"), PLANTED, ids=lambda part: getattr(part, "__name__", None)
)
def test_gate_sees_a_planted_error(gate, plant, seen, copied):
    assert any(seen in fault for fault in gate(plant(copied)))


def test_every_gate_has_a_planted_error():
    assert {gate for gate, _, _ in PLANTED} == set(GATES)


@needs_authoring
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda v: v["visual"]["objects"].update(nonsense=[]), "OBJECT_UNKNOWN"),
        (
            lambda v: v["visual"]["query"]["queryState"].pop("Y"),
            "ROLE_REQUIRED_MISSING",
        ),
        (
            lambda v: v["position"].update(width=2000),
            "LAYOUT_OUT_OF_BOUNDS",
        ),  # a warning
    ],
)
def test_authoring_command_line_sees_a_planted_error(change, code, copied):
    planted = on_visual("overview", "revenue_by_segment", change)(copied)
    assert any(code in fault for fault in authoring_faults(planted))


def test_json_schemas_see_a_planted_error(copied):
    planted = on_visual(
        "overview", "revenue_by_segment", lambda v: v.update(extra="key")
    )(copied)
    (fault,) = schema_faults(planted)
    assert "extra" in fault


def test_a_column_that_is_not_published_is_seen(tmp_path):
    project = Project(REPOSITORY / "powerbi" / "segments")
    found = absent_in_files(project, tmp_path)
    assert "customers/customers: dim_customers.parquet is not published" in found


# ---- the specification -------------------------------------------------------------


def made(both, change=lambda pages: None):
    pages, theme = report_specification("segments", REPOSITORY)
    change(pages)
    names = Names.of(both["segments"])
    return report_files(pages, theme=theme, names=names, name="segments")


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("values", "Revenu", "no field 'Revenu'.*nearest is 'Revenue'"),
        ("category", "Segments.Name", "no field 'Segments.Name'"),
        ("kind", "pie", "kind 'pie' is none of cards"),
        ("tital", "A title", "unknown word 'tital'"),
        ("scale", {"Revenue": "loud"}, "'from low to high' or three"),
    ],
)
def test_a_mistake_in_the_specification_names_place_and_cure(
    place, value, message, both
):
    def change(pages):
        page = next(p for p in pages["pages"] if p["name"] == "overview")
        visual = next(v for v in page["visuals"] if v["name"] == "revenue_by_segment")
        visual[place] = value

    with pytest.raises(SpecificationError, match=f"(?s)overview.*{message}"):
        made(both, change)


def test_two_visuals_of_one_name_are_refused(both):
    def change(pages):
        pages["pages"][1]["visuals"].append(pages["pages"][1]["visuals"][0])

    with pytest.raises(SpecificationError, match="two visuals are called 'figures'"):
        made(both, change)


def test_the_primary_segmentation_is_chosen_where_it_is_known(both):
    pages, theme = report_specification("segments", REPOSITORY)
    files = report_files(
        pages, theme=theme, names=Names.of(both["segments"]), name="segments",
        primary_segmentation="worth's",
    )  # fmt: skip
    place = "definition/pages/overview/visuals/slicer_segmentation/visual.json"
    slicer = json.loads(files[place])["visual"]
    where = slicer["objects"]["general"][0]["properties"]["filter"]["filter"]["Where"]
    assert where[0]["Condition"]["In"]["Values"] == [
        [{"Literal": {"Value": "'worth''s'"}}]
    ]
    unknown = json.loads(made(both)[place])["visual"]["objects"]
    assert "general" not in unknown


def test_views_hide_what_belongs_to_the_other(both):
    files = made(both)
    place = "definition/bookmarks/what_to_do_{}.bookmark.json"
    hidden = {}
    for view in ("management", "analyst"):
        bookmark = json.loads(files[place.format(view)])
        assert bookmark["options"]["suppressData"]  # filters stay as they are
        state = bookmark["explorationState"]["sections"]["what_to_do"]
        hidden[view] = {
            name
            for name, visual in state["visualContainers"].items()
            if "display" in visual["singleVisual"]
        }
    assert hidden == {
        "management": {"all_actions", "campaigns"},
        "analyst": {"worth", "actions"},
    }


# ---- the pictures ------------------------------------------------------------------


def test_every_measure_of_the_pages_can_be_drawn(project):
    shown = {field for _, visual in project.visuals for field in all_fields(visual)}
    assert {name for _, name in shown & project.measures} <= set(MEASURES)


def test_figures_by_segment_are_those_of_the_mart(demo, both):
    figures = Figures(
        both["segments"], published(demo), {"Segmentations.Segmentation": ["value"]}
    )
    fields = ["Customer Count", "Value at Risk", "Average Recency Days"]
    found = figures(["Segments.Segment", *fields])
    expected = demo.rows(
        "select segment_name, customer_count, value_at_risk, mean_recency_days "
        "from dev_marts.rpt_segment_summary where segmentation = 'value' order by 1"
    )
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    assert [row[3] for row in found] == [pytest.approx(row[3]) for row in expected]


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"Segmentations.Segmentation": "value"},
        {
            "Segmentations.Segmentation": "value",
            "Segments.Segment": "High-value customers",
        },
        {"Customers.Country": "Germany"},
        {"Dates.Month Start": date(2024, 11, 1)},
        {"Customers.Country": "Germany", "Segments.Segment Key": "value-1"},
        {"Segments.Segment Key": "rfm-1", "Dates.Month Start": date(2024, 11, 1)},
    ],
    ids=[
        "no filter",
        "segmentation",
        "segment",
        "country",
        "month",
        "segment in a country",
        "segment in a month",
    ],
)
def test_pictures_show_what_the_measures_give(chosen, demo, both):
    model = both["segments"]
    figures = Figures(model, published(demo))
    dax = Dax(model, frames(model, published(demo)))
    context = {field: [value] for field, value in chosen.items()}
    filters = {tuple(field.split(".")): value for field, value in chosen.items()}
    faults = {}
    for name in set(MEASURES) & set(model.measures):
        if name.startswith("Self-Check"):
            continue  # what only Power BI can tell
        drawn, given = figures.measure(name, context), dax.measure(name, filters)
        is_text = isinstance(drawn, str)
        same = drawn == given if is_text else drawn_alike(drawn, given)
        if not same:
            faults[name] = (drawn, given)
    assert faults == {}


def drawn_alike(one, other):
    """Blank and none at all are drawn alike."""
    return float(one or 0) == pytest.approx(float(other or 0), rel=1e-9, abs=1e-6)


def test_several_segmentations_give_no_figure_by_segment(demo, both):
    figures = Figures(both["segments"], published(demo))
    assert figures.measure("Net Spend", {"Segments.Segment": ["Not segmented"]}) is None


@pytest.mark.parametrize(
    ("value", "pattern", "text"),
    [
        (-1234.5, "#,##0", "-1,234"),
        (0.1234, "0.0%", "12.3%"),
        (-0.05, "+0.0%;-0.0%;0.0%", "-5.0%"),
        (0.05, "+0.0%;-0.0%;0.0%", "+5.0%"),
        (True, None, "Yes"),
        (None, "0", ""),
    ],
)
def test_format_strings_are_followed(value, pattern, text):
    assert formatted(value, pattern) == text


@needs_chromium
@pytest.mark.parametrize("name", PROJECTS)
def test_all_text_of_the_pages_fits(name, request, both):
    source = request.getfixturevalue({"segments": "demo"}.get(name, "mall_customers"))
    specification, theme = report_specification(name, REPOSITORY)
    faults = []
    with browser() as opened:
        for page, size, text in pages_html(
            both[name], specification, theme, published(source)
        ):
            with shown(opened, size, text) as window:
                faults += [f"{page}: {fault}" for fault in cut_off(window)]
            assert "tooltip" in page or "not Power BI Desktop" in text
    assert faults == []


@needs_chromium
def test_a_title_that_is_too_long_is_seen(demo, both):
    specification, theme = report_specification("segments", REPOSITORY)
    page = next(p for p in specification["pages"] if p["name"] == "overview")
    page["question"] = "Who are our customers, and what do they bring? " * 6
    specification["pages"] = [page]
    ((_, size, text),) = pages_html(
        both["segments"], specification, theme, published(demo)
    )
    with browser() as opened, shown(opened, size, text) as window:
        assert cut_off(window)


def test_text_of_the_data_is_escaped(demo, both):
    specification, theme = report_specification("segments", REPOSITORY)
    page = next(p for p in specification["pages"] if p["name"] == "customers")
    page["title"] = "<script>alert(1)</script>"
    specification["pages"] = [page]
    ((_, _, text),) = pages_html(
        both["segments"], specification, theme, published(demo)
    )
    assert "<script" not in text


def test_committed_pictures_are_small_and_one_a_page_and_view():
    pages = yaml.safe_load(
        (REPOSITORY / "powerbi/specification/segments_report.yml").read_text("utf-8")
    )["pages"]
    expected = {
        page["name"] + (f"_{view}" if view else "")
        for page in pages
        for view in page.get("views") or [""]
    }
    pictures = list((REPOSITORY / "docs" / "power-bi").glob("*.png"))
    assert {path.stem for path in pictures} == expected
    assert max(path.stat().st_size for path in pictures) < 150_000
