"""Gates for a Power BI report as text: each is a function that returns what is wrong.

They read the committed files alone and know nothing of the generator: what a person
has changed by hand in Power BI Desktop is judged alike.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pytest
from builds import REPOSITORY
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

TOOLS = REPOSITORY / "powerbi" / "gates" / "node_modules" / ".bin"
AUTHORING = TOOLS / "powerbi-report-author"
SCHEMA_ROOT = "https://developer.microsoft.com/json-schemas/"
LITERAL = re.compile(
    r"^('(?:[^']|'')*'|true|false|null|-?\d+(\.\d+)?[DLM]|datetime'[^']+')$"
)
NAME = re.compile(r"^[\w-]{1,50}$")
COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
CHURN = {"Churn Probability", "Average Churn Probability"}
LIFETIME_VALUE = {"Lifetime Value", "Average Lifetime Value", "Lifetime Value Band"}
AS_OF_NOW = {
    "Revenue", "Share of Revenue", "Net Spend", "Share of Net Spend", "Value at Risk",
    "Value if Retained", "Revenue Last 12 Months",
}  # fmt: skip
AS_OF_THEN = {"Revenue Then", "Customers Then"}

needs_authoring = pytest.mark.skipif(
    not (AUTHORING.exists() and shutil.which("node")),
    reason="needs Node and Microsoft's tools: make powerbi-gates",
)


class Project:
    """A folder with <name>.pbip, <name>.Report and <name>.SemanticModel."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.name = next(folder.glob("*.pbip")).stem
        self.report = folder / f"{self.name}.Report"
        self.definition = self.report / "definition"

    @cached_property
    def files(self) -> dict[str, Any]:
        return {
            path.relative_to(self.folder).as_posix(): json.loads(
                path.read_text("utf-8")
            )
            for path in sorted(self.definition.rglob("*.json"))
        }

    @cached_property
    def pages(self) -> dict[str, dict]:
        return {
            path.parent.name: json.loads(path.read_text("utf-8"))
            for path in sorted(self.definition.glob("pages/*/page.json"))
        }

    @cached_property
    def visuals(self) -> list[tuple[str, dict]]:
        """(page, visual) of every visual."""
        return [
            (path.parts[-4], json.loads(path.read_text("utf-8")))
            for path in sorted(self.definition.glob("pages/*/visuals/*/visual.json"))
        ]

    @cached_property
    def theme(self) -> dict:
        (path,) = (self.report / "StaticResources" / "RegisteredResources").glob(
            "*.json"
        )
        return json.loads(path.read_text("utf-8"))

    @cached_property
    def columns(self) -> dict[tuple[str, str], dict]:
        """(table, column) -> properties; the partition's file under `source`."""
        return {
            (table, name): properties
            for table, kind, name, properties in self._objects
            if kind == "column"
        }

    @cached_property
    def measures(self) -> set[tuple[str, str]]:
        return {(t, name) for t, kind, name, _ in self._objects if kind == "measure"}

    @cached_property
    def _objects(self) -> list[tuple[str, str, str, dict]]:
        found = []
        for path in self.folder.glob("*.SemanticModel/definition/tables/*.tmdl"):
            text = path.read_text("utf-8")
            table = _unquoted(re.search(r"^table (.+)$", text, re.M)[1])
            file = re.search(r'"(\w+)\.parquet"|\("(\w+)"\)', text)
            current: dict = {}
            for line in text.splitlines():
                head = re.match(r"\t(column|measure) ('(?:[^']|'')+'|[^ =]+)", line)
                if head:
                    current = {"file": file and (file[1] or file[2])}
                    found.append((table, head[1], _unquoted(head[2]), current))
                elif re.match(r"\t\t\w", line):
                    key, _, value = line.strip().partition(":")
                    current[key] = value.strip() or True
        return found


def _unquoted(name: str) -> str:
    return name[1:-1].replace("''", "'") if name.startswith("'") else name


def walk(part: Any) -> Iterator[dict]:
    """Every object inside."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from walk(value)
    elif isinstance(part, list):
        for value in part:
            yield from walk(value)


def literal(part: dict, *path) -> Any:
    """The text of a literal property, without its quotes; None if it is not there."""
    for key in path:
        if isinstance(part, list):
            part = part[key] if len(part) > key else {}
        else:
            part = part.get(key, {})
    value = part.get("expr", {}).get("Literal", {}).get("Value") if part else None
    return value.strip("'").replace("''", "'") if isinstance(value, str) else None


def container(visual: dict, name: str, key: str) -> str | None:
    objects = visual["visual"].get("visualContainerObjects", {})
    return literal(objects, name, 0, "properties", key)


def fields(visual: dict) -> dict[str, list[tuple[str, str]]]:
    """Role -> (table, name) of the fields of a visual."""
    state = visual["visual"].get("query", {}).get("queryState", {})
    return {
        role: [
            (
                next(iter(p["field"].values()))["Expression"]["SourceRef"]["Entity"],
                next(iter(p["field"].values()))["Property"],
            )
            for p in content["projections"]
        ]
        for role, content in state.items()
    }


def all_fields(visual: dict) -> set[tuple[str, str]]:
    return {field for found in fields(visual).values() for field in found}


def label(page: str, visual: dict) -> str:
    return f"{page}/{visual['name']}"


# ---- Microsoft's tools -------------------------------------------------------------


def authoring_faults(project: Project) -> list[str]:
    """What Microsoft's authoring command line finds, warnings too."""
    done = subprocess.run(
        [str(AUTHORING), "validate", "--no-schema", str(project.report)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(done.stdout)["data"]
    assert found["result"] in ("succeeded", "succeededWithWarnings", "failed")
    return [
        f"{code}: {item['message']}"
        for code, group in found.get("diagnostics", {}).items()
        for item in group["items"]
    ]


def schema_folder() -> Path:
    """Microsoft's JSON schemas beside the shared data; the test is skipped without."""
    named = os.environ.get("SEGMENTATION_SHARED_DATA")
    shared = Path(named).parent if named else REPOSITORY.parent / "shared"
    folder = shared / "reference" / "powerbi" / "schemas"
    if not folder.is_dir():
        pytest.skip(f"Microsoft's JSON schemas not found: {folder}")
    return folder


def schema_faults(project: Project) -> list[str]:
    """What the JSON schemas refuse in any file of the project."""
    folder = schema_folder()
    registry, known = Registry(), {}
    for path in folder.rglob("*.json"):
        content = json.loads(path.read_text("utf-8-sig"))
        address = SCHEMA_ROOT + path.relative_to(folder).as_posix()
        content["$id"] = address  # their own differs from where references point
        known[address] = content
        resource = Resource(contents=content, specification=DRAFT7)
        registry = registry.with_resource(address, resource)
    found = []
    for path in sorted(project.folder.rglob("*")):
        is_json = path.suffix in (".json", ".pbip", ".pbir", ".pbism")
        if not (is_json or path.name == ".platform") or "StaticResources" in path.parts:
            continue
        content = json.loads(path.read_text("utf-8"))
        place = path.relative_to(project.folder)
        if content.get("$schema") not in known:
            found.append(f"{place}: no schema {content.get('$schema')}")
            continue
        validator = Draft7Validator(known[content["$schema"]], registry=registry)
        found += [f"{place}: {e.message[:200]}" for e in validator.iter_errors(content)]
    return found


# ---- report against model ----------------------------------------------------------


def unknown_fields(project: Project) -> list[str]:
    """Fields that the model does not have, and references that name another field."""
    found = []
    for place, content in project.files.items():
        for part in walk(content):
            aliases = {s["Name"]: s["Entity"] for s in part.get("From", [])}
            for kind, known in (
                ("Column", set(project.columns)),
                ("Measure", project.measures),
            ):
                for inner in walk(part) if aliases else [part]:
                    used = inner.get(kind)
                    if not (isinstance(used, dict) and "Property" in used):
                        continue
                    source = used["Expression"]["SourceRef"]
                    table = source.get("Entity") or aliases.get(source.get("Source"))
                    if table and (table, used["Property"]) not in known:
                        found.append(f"{place}: no {kind} {table}[{used['Property']}]")
            if "queryRef" in part:
                used = next(iter(part["field"].values()))
                table = used["Expression"]["SourceRef"]["Entity"]
                if part["queryRef"] != f"{table}.{used['Property']}":
                    found.append(
                        f"{place}: queryRef {part['queryRef']} is another field"
                    )
    return sorted(set(found))


def hidden_fields(project: Project) -> list[str]:
    """Hidden columns that a visual shows."""
    return [
        f"{label(page, visual)}: shows the hidden {table}[{name}]"
        for page, visual in project.visuals
        for table, name in sorted(all_fields(visual))
        if "isHidden" in project.columns.get((table, name), {})
    ]


def absent_in_files(project: Project, exported: Path) -> list[str]:
    """Columns of the report that the Parquet files behind them do not have."""
    found, headers = [], {}
    for page, visual in project.visuals:
        for table, name in sorted(all_fields(visual)):
            column = project.columns.get((table, name))
            if column is None:
                continue
            path = exported / f"{column['file']}.parquet"
            if path not in headers:
                headers[path] = (
                    set(duckdb.sql(f"select * from '{path}' limit 0").columns)
                    if path.is_file()
                    else None
                )
            if headers[path] is None:
                found.append(f"{label(page, visual)}: {path.name} is not published")
            elif column["sourceColumn"] not in headers[path]:
                found.append(
                    f"{label(page, visual)}: {column['sourceColumn']} is not in "
                    f"{path.name}"
                )
    return found


def unsorted_fields(project: Project) -> list[str]:
    """Sorts by a field that the visual does not have: Power BI drops them."""
    found = []
    for page, visual in project.visuals:
        definition = visual["visual"].get("query", {}).get("sortDefinition", {})
        for sort in definition.get("sort", []):
            used = next(iter(sort["field"].values()))
            field = (used["Expression"]["SourceRef"]["Entity"], used["Property"])
            if field not in all_fields(visual):
                found.append(f"{label(page, visual)}: sorted by {field[1]}, not shown")
    return found


def bad_literals(project: Project) -> list[str]:
    return [
        f"{place}: literal {part['Literal'].get('Value')!r}"
        for place, content in project.files.items()
        for part in walk(content)
        if isinstance(part.get("Literal"), dict)
        and not LITERAL.match(str(part["Literal"].get("Value")))
    ]


# ---- names, places, references -----------------------------------------------------


def bad_names(project: Project) -> list[str]:
    """Desktop ignores pages and visuals with such names without a word."""
    found = []
    for path in project.definition.rglob("*.json"):
        if path.name not in ("page.json", "visual.json"):
            continue
        name = json.loads(path.read_text("utf-8"))["name"]
        if not NAME.match(name):
            found.append(f"{name}: not of letters, digits, _ and -, at most 50")
        if name != path.parent.name:
            found.append(f"{name}: its folder is called {path.parent.name}")
    return found


def bad_files(project: Project) -> list[str]:
    found = []
    for path in project.folder.rglob("*"):
        if path.is_file():
            place = path.relative_to(project.folder).as_posix()
            if path.read_bytes().startswith(b"\xef\xbb\xbf"):
                found.append(f"{place}: begins with a byte order mark")
            if b"\r" in path.read_bytes():
                found.append(f"{place}: line ends of Windows")
            if len(place) > 150:
                found.append(f"{place}: too long for Windows below most folders")
    return found


def broken_references(project: Project) -> list[str]:
    """Pages, bookmarks, tooltips, files and the model that are named but not there."""
    found = []
    order = project.files[f"{project.name}.Report/definition/pages/pages.json"]
    if sorted(order["pageOrder"]) != sorted(project.pages):
        found.append("pages.json does not list the pages that there are")
    tooltips = {n for n, p in project.pages.items() if p.get("type") == "Tooltip"}
    groups = {
        item["name"]: item["children"]
        for place, content in project.files.items()
        if place.endswith("bookmarks.json")
        for item in content["items"]
    }
    for page, visual in project.visuals:
        section = container(visual, "visualTooltip", "section")
        if section is not None and section not in tooltips:
            found.append(f"{label(page, visual)}: tooltip page {section}")
        objects = visual["visual"].get("objects", {})
        group = literal(objects, "bookmarks", 0, "properties", "bookmarkGroup")
        if group is not None and group not in groups:
            found.append(f"{label(page, visual)}: bookmark group {group}")
    names = {(page, visual["name"]) for page, visual in project.visuals}
    for place, content in project.files.items():
        if place.endswith(".bookmark.json"):
            for page, state in content["explorationState"]["sections"].items():
                for visual in state["visualContainers"]:
                    if (page, visual) not in names:
                        found.append(f"{place}: no visual {page}/{visual}")
    report = project.files[f"{project.name}.Report/definition/report.json"]
    for package in report["resourcePackages"]:
        for item in package["items"]:
            folder = project.report / "StaticResources" / package["name"]
            if not (folder / item["path"]).is_file():
                found.append(f"report.json: resource {item['path']}")
    binding = json.loads((project.report / "definition.pbir").read_text("utf-8"))
    model = project.report / binding["datasetReference"]["byPath"]["path"]
    if not (model / "definition.pbism").is_file():
        found.append("definition.pbir: no semantic model there")
    return found


def overlaps(project: Project) -> list[str]:
    """Visuals that lie on each other in one view, or beyond the page's edge."""
    views: dict[str, list[set[str]]] = {}
    for place, content in project.files.items():
        if place.endswith(".bookmark.json"):
            for page, state in content["explorationState"]["sections"].items():
                hidden = {
                    name
                    for name, found in state["visualContainers"].items()
                    if found["singleVisual"].get("display", {}).get("mode") == "hidden"
                }
                views.setdefault(page, []).append(hidden)
    found = []
    for page, size in project.pages.items():
        boxes = {v["name"]: v["position"] for p, v in project.visuals if p == page}
        for name, box in boxes.items():
            if (
                box["x"] < 0
                or box["y"] < 0
                or box["x"] + box["width"] > size["width"]
                or box["y"] + box["height"] > size["height"]
            ):
                found.append(f"{page}/{name}: beyond the edge of the page")
        for hidden in views.get(page, [set()]):
            shown = sorted(set(boxes) - hidden)
            for number, one in enumerate(shown):
                for other in shown[number + 1 :]:
                    if _meet(boxes[one], boxes[other]):
                        found.append(f"{page}: {one} overlaps {other}")
    return found


def _meet(a: dict, b: dict) -> bool:
    return (
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )


# ---- rules of good practice --------------------------------------------------------


def too_much(project: Project) -> list[str]:
    """At most ten pages, twenty visuals a page, two filters to the top N a page."""
    found = []
    if len(project.pages) > 10:
        found.append(f"{len(project.pages)} pages")
    for page in project.pages:
        visuals = [v for p, v in project.visuals if p == page]
        if len(visuals) > 20:
            found.append(f"{page}: {len(visuals)} visuals")
        top = [
            f
            for v in visuals
            for f in v.get("filterConfig", {}).get("filters", [])
            if f["type"] in ("TopN", "Advanced")
        ]
        if len(top) > 2:
            found.append(f"{page}: {len(top)} filters to the top N or by a condition")
    return found


def bad_pages(project: Project) -> list[str]:
    """Pages that scroll, are not hidden though they should be, a hidden first page."""
    found = []
    for name, page in project.pages.items():
        is_hidden = page.get("visibility") == "HiddenInViewMode"
        if page["height"] > 720:
            found.append(f"{name}: {page['height']} pixels high, so that it scrolls")
        if page.get("type") in ("Tooltip", "Drillthrough") and not is_hidden:
            found.append(f"{name}: a {page['type']} page that is not hidden")
        if re.fullmatch(r"Page \d+", page["displayName"]):
            found.append(f"{name}: called {page['displayName']}")
    order = project.files[f"{project.name}.Report/definition/pages/pages.json"]
    first = order["pageOrder"][0]
    if order["activePageName"] != first or "visibility" in project.pages[first]:
        found.append("the report does not open on its first page")
    return found


def without_alternative_text(project: Project) -> list[str]:
    return [
        f"{label(page, visual)}: no alternative text"
        for page, visual in project.visuals
        if not (container(visual, "general", "altText") or "").strip()
    ]


def without_title(project: Project) -> list[str]:
    """Charts, tables and matrices need one; figures, slicers and tooltips do not."""
    return [
        f"{label(page, visual)}: no title"
        for page, visual in project.visuals
        if visual["visual"]["visualType"].endswith(("Chart", "pivotTable"))
        and not container(visual, "title", "text")
    ]


def foreign_colours(project: Project) -> list[str]:
    """Colours that are not the theme's."""
    own = {colour.upper() for colour in COLOUR.findall(json.dumps(project.theme))}
    return [
        f"{place}: {colour} is not in the theme"
        for place, content in project.files.items()
        for colour in sorted(set(COLOUR.findall(json.dumps(content))))
        if colour.upper() not in own
    ]


def doubtful_visuals(project: Project) -> list[str]:
    """Custom visuals, and columns that show items without data."""
    report = project.files[f"{project.name}.Report/definition/report.json"]
    found = [f"custom visual {name}" for name in report.get("publicCustomVisuals", [])]
    for page, visual in project.visuals:
        if any(part.get("showAll") for part in walk(visual)):
            found.append(f"{label(page, visual)}: shows items without data")
    return found


# ---- rules of this report ----------------------------------------------------------


def segment_colours(project: Project) -> list[str]:
    """Marks of segments without the segment's colour, segments in a legend."""
    found = []
    for page, visual in project.visuals:
        roles = fields(visual)
        if ("Segments", "Segment") in roles.get("Series", []):
            found.append(f"{label(page, visual)}: segments in the legend")
        kind = visual["visual"]["visualType"]
        marks = roles.get("Category", [])
        of_segments = ("Segments", "Segment") in marks or kind == "scatterChart"
        points = json.dumps(visual["visual"].get("objects", {}).get("dataPoint", []))
        if kind.endswith("Chart") and of_segments and "Segment Colour" not in points:
            found.append(f"{label(page, visual)}: not in the segments' colours")
    return found


def undated_segments(project: Project) -> list[str]:
    """Revenue by segment whose title does not say of when the segment is."""
    found = []
    for page, visual in project.visuals:
        if visual["visual"]["visualType"] in ("slicer", "tableEx") and not container(
            visual, "title", "text"
        ):
            continue
        shown = {name for _, name in all_fields(visual)}
        by_segment = ("Segments", "Segment") in all_fields(visual)
        words = f"{container(visual, 'title', 'text')} " + str(
            container(visual, "subTitle", "text")
        )
        if by_segment and shown & AS_OF_NOW and "as of now" not in words:
            found.append(f"{label(page, visual)}: does not say 'as of now'")
        if by_segment and shown & AS_OF_THEN and "then" not in words:
            found.append(f"{label(page, visual)}: does not say 'then'")
    return found


def risk_counted_twice(project: Project) -> list[str]:
    """Lifetime value, which contains the risk of leaving, beside churn probability."""
    return [
        f"{label(page, visual)}: lifetime value beside churn probability"
        for page, visual in project.visuals
        if {name for _, name in all_fields(visual)} & CHURN
        and {name for _, name in all_fields(visual)} & LIFETIME_VALUE
    ]


def loose_slicers(project: Project) -> list[str]:
    """Slicers that are not the same on all pages, or choose several segmentations."""
    found, groups = [], {}
    for page, visual in project.visuals:
        if visual["visual"]["visualType"] != "slicer":
            continue
        group = visual["visual"].get("syncGroup", {})
        if not (group.get("fieldChanges") and group.get("filterChanges")):
            found.append(f"{label(page, visual)}: not synced with the other pages")
            continue
        (field,) = all_fields(visual)
        if groups.setdefault(group["groupName"], field) != field:
            found.append(
                f"{label(page, visual)}: synced with {groups[group['groupName']]}"
            )
        objects = visual["visual"]["objects"]
        single = literal(objects, "selection", 0, "properties", "strictSingleSelect")
        if field == ("Segmentations", "Segmentation") and single != "true":
            found.append(f"{label(page, visual)}: several segmentations can be chosen")
    return found


def bad_phone_layout(project: Project) -> list[str]:
    """Visuals of the phone layout beyond its width or on each other."""
    found, boxes = [], {}
    for place, content in project.files.items():
        if place.endswith("mobile.json"):
            *_, page, _, name, _ = place.split("/")
            box = content["position"]
            if box["x"] < 0 or box["x"] + box["width"] > 320:
                found.append(f"{page}/{name}: wider than a phone")
            for other, there in boxes.setdefault(page, {}).items():
                if _meet(box, there):
                    found.append(f"{page}: {name} overlaps {other} on the phone")
            boxes[page][name] = box
    if "overview" not in boxes:
        found.append("the overview has no phone layout")
    return found


GATES = (
    unknown_fields, hidden_fields, unsorted_fields, bad_literals, bad_names, bad_files,
    broken_references, overlaps, too_much, bad_pages, without_alternative_text,
    without_title, foreign_colours, doubtful_visuals, segment_colours, undated_segments,
    risk_counted_twice, loose_slicers, bad_phone_layout,
)  # fmt: skip
