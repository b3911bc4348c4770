"""The Power BI report as files, from a specification that a person edits.

The specification names pages and visuals, their fields, titles and places on a grid;
the head of `powerbi/specification/segments_report.yml` explains its words. This module
makes the files of Microsoft's report format (PBIR) of it and knows nothing else: it
reads no file, no data and no clock, so that equal specifications give equal bytes.
"""

import difflib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from segmentation.power_bi.model import Model

_SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"
_DEFINITION = f"{_SCHEMAS}/item/report/definition"
# Schemas move as a set: Power BI Desktop of May 2026 or newer.
REPORT_SCHEMA = f"{_DEFINITION}/report/3.3.0/schema.json"
PAGE_SCHEMA = f"{_DEFINITION}/page/2.1.0/schema.json"
PAGES_SCHEMA = f"{_DEFINITION}/pagesMetadata/1.1.0/schema.json"
VISUAL_SCHEMA = f"{_DEFINITION}/visualContainer/2.9.0/schema.json"
MOBILE_SCHEMA = f"{_DEFINITION}/visualContainerMobileState/2.4.0/schema.json"
BOOKMARK_SCHEMA = f"{_DEFINITION}/bookmark/2.1.0/schema.json"
BOOKMARKS_SCHEMA = f"{_DEFINITION}/bookmarksMetadata/1.0.0/schema.json"
VERSION_SCHEMA = f"{_DEFINITION}/versionMetadata/1.0.0/schema.json"
PLATFORM_SCHEMA = f"{_SCHEMAS}/gitIntegration/platformProperties/2.0.0/schema.json"
PBIR_SCHEMA = f"{_SCHEMAS}/item/report/definitionProperties/2.0.0/schema.json"

_IDS = uuid.UUID("8d0b5cbe-1c0d-5a57-9d8e-0c6a8f6f2f11")

# Pixels. A page is a header of one row and below it twelve rows of twelve columns.
PAGE_WIDTH, PAGE_HEIGHT = 1280, 720
MARGIN, GUTTER, COLUMNS, ROWS = 24, 16, 12, 12
COLUMN = (PAGE_WIDTH - 2 * MARGIN - (COLUMNS - 1) * GUTTER) / COLUMNS
HEADER_TOP, HEADER_HEIGHT = 12, 76
BODY_TOP = HEADER_TOP + HEADER_HEIGHT + 12
ROW = (PAGE_HEIGHT - BODY_TOP - MARGIN - (ROWS - 1) * GUTTER) / ROWS
SLICER_WIDTH, SLICER_GUTTER, VIEWS_WIDTH, VIEWS_HEIGHT = 140, 12, 236, 40

# The words of the specification and the format's words for them.
KINDS: dict[str, tuple[str, dict[str, str]]] = {
    "cards": ("cardVisual", {"values": "Data"}),
    "sentence": ("cardVisual", {"values": "Data"}),
    "table": ("tableEx", {"values": "Values"}),
    "matrix": (
        "pivotTable",
        {"rows": "Rows", "columns": "Columns", "values": "Values"},
    ),
    "bars": ("clusteredBarChart", {"category": "Category", "values": "Y"}),
    "columns": ("clusteredColumnChart", {"category": "Category", "values": "Y"}),
    "stacked columns": (
        "columnChart",
        {"category": "Category", "values": "Y", "series": "Series"},
    ),
    "lines": (
        "lineChart",
        {"category": "Category", "values": "Y", "each": "Rows"},
    ),
    "scatter": ("scatterChart", {"category": "Category", "x": "X", "y": "Y"}),
}
_OPTIONS = {
    "name", "kind", "at", "title", "subtitle", "alt", "sort", "colour", "scale",
    "bars", "filters", "tooltip", "view", "phone", "widths", "labels",
}  # fmt: skip
_PAGE_OPTIONS = {
    "name", "title", "question", "slicers", "visuals", "views", "drill_through",
    "tooltip_size", "phone",
}  # fmt: skip


class SpecificationError(ValueError):
    """The specification of the report names what is not there."""


@dataclass(frozen=True)
class Names:
    """What the semantic model has: columns, and measures with their home table."""

    columns: frozenset[tuple[str, str]]
    measures: Mapping[str, str]

    @classmethod
    def of(cls, model: Model) -> "Names":
        """Return the names of a model, hidden columns too: sorting may need them."""
        return cls(
            frozenset((t.name, c.name) for t in model.tables for c in t.columns),
            {m.name: t.name for t in model.tables for m in t.measures},
        )

    def table(self, field: str, place: str) -> tuple[str, str, bool]:
        """Return table, name and whether it is a measure; ``place`` is for errors."""
        if field in self.measures:
            return self.measures[field], field, True
        table, _, column = field.partition(".")
        if (table, column) in self.columns:
            return table, column, False
        known = [f"{t}.{c}" for t, c in sorted(self.columns)] + sorted(self.measures)
        near = difflib.get_close_matches(field, known, n=1, cutoff=0.0)
        raise SpecificationError(
            f"{place}: the model has no field '{field}'. "
            f"Columns are written Table.Column, measures by their name; "
            f"the nearest is '{near[0] if near else ''}'."
        )


def report_files(
    specification: Mapping[str, Any],
    *,
    theme: Mapping[str, Any],
    names: Names,
    name: str,
    primary_segmentation: str | None = None,
) -> dict[str, str]:
    """Return the text of every file of the report by its path in its folder.

    Parameters
    ----------
    specification
        As in ``powerbi/specification/segments_report.yml``.
    theme
        A Power BI report theme; its ``name`` ends in ``.json`` and its ``minimum``,
        ``center`` and ``maximum`` are the colours of scales.
    names
        Of the semantic model that the report reads.
    name
        Of the project: `<name>.Report` lies beside `<name>.SemanticModel`.
    primary_segmentation
        What a slicer with ``default: primary`` chooses at first; None for nothing.

    Raises
    ------
    SpecificationError
        Naming page, visual and word, where a field, kind or option does not exist.

    """
    return _Report(specification, theme, names, name, primary_segmentation).files()


def grid_box(at: Iterable[int]) -> dict[str, float]:
    """Return place and size in pixels of (column, row, columns, rows), from 1."""
    column, row, columns, rows = at
    return {
        "x": round(MARGIN + (column - 1) * (COLUMN + GUTTER), 2),
        "y": round(BODY_TOP + (row - 1) * (ROW + GUTTER), 2),
        "width": round(columns * COLUMN + (columns - 1) * GUTTER, 2),
        "height": round(rows * ROW + (rows - 1) * GUTTER, 2),
    }


def header_boxes(page: Mapping[str, Any], slicers: Mapping[str, Any]) -> dict:
    """Return the boxes of the header: slicers from the right, the title in the rest."""
    boxes: dict[str, dict[str, float]] = {}
    right = PAGE_WIDTH - MARGIN
    for name in reversed(page.get("slicers", [])):
        width = slicers[name].get("width", SLICER_WIDTH)
        boxes[name] = _box(right - width, HEADER_TOP, width, HEADER_HEIGHT)
        right -= width + SLICER_GUTTER
    if page.get("views"):
        top = HEADER_TOP + (HEADER_HEIGHT - VIEWS_HEIGHT) / 2
        boxes["views"] = _box(right - VIEWS_WIDTH, top, VIEWS_WIDTH, VIEWS_HEIGHT)
        right -= VIEWS_WIDTH + SLICER_GUTTER
    left = MARGIN
    if page.get("drill_through"):
        boxes["back"] = _box(left, HEADER_TOP + 18, 40, 40)
        left += 40 + GUTTER
    boxes["heading"] = _box(left, HEADER_TOP, right - left, HEADER_HEIGHT)
    return boxes


def _box(x: float, y: float, width: float, height: float) -> dict[str, float]:
    return {"x": x, "y": y, "width": width, "height": height}


# ---- expressions -------------------------------------------------------------------


def _literal(value: bool | int | float | str | None) -> dict:
    if value is None:
        text = "null"
    elif isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, int):
        text = f"{value}L"
    elif isinstance(value, float):
        text = f"{value:g}D"
    else:
        text = "'" + value.replace("'", "''") + "'"
    return {"expr": {"Literal": {"Value": text}}}


def _properties(selector: dict | None = None, **values: Any) -> list[dict]:
    found: dict[str, Any] = {
        "properties": {
            name: value if isinstance(value, dict) else _literal(value)
            for name, value in values.items()
        }
    }
    if selector:
        found["selector"] = selector
    return [found]


_EACH_VALUE = {"data": [{"dataViewWildcard": {"matchingOption": 1}}]}


class _Report:
    def __init__(self, specification, theme, names, name, primary_segmentation):
        self.specification = specification
        self.name = name
        self.primary_segmentation = primary_segmentation
        self.theme = theme
        self.names = names
        self.slicers = specification.get("slicers", {})

    # ---- files

    def files(self) -> dict[str, str]:
        definition = "definition"
        pages = self.specification["pages"]
        found: dict[str, Any] = {
            ".platform": self._platform(),
            "definition.pbir": {
                "$schema": PBIR_SCHEMA,
                "version": "4.0",
                "datasetReference": {
                    "byPath": {"path": f"../{self.name}.SemanticModel"}
                },
            },
            f"StaticResources/RegisteredResources/{self.theme['name']}": self.theme,
            f"{definition}/version.json": {
                "$schema": VERSION_SCHEMA,
                "version": "2.0.0",
            },
            f"{definition}/report.json": self._report(),
            f"{definition}/pages/pages.json": {
                "$schema": PAGES_SCHEMA,
                "pageOrder": [page["name"] for page in pages],
                "activePageName": pages[0]["name"],
            },
        }
        for page in pages:
            found |= self._page_files(page, f"{definition}/pages/{page['name']}")
        found |= self._bookmark_files(pages, f"{definition}/bookmarks")
        return {
            path: json.dumps(content, ensure_ascii=False, indent=2) + "\n"
            for path, content in sorted(found.items())
        }

    def _platform(self):
        return {
            "$schema": PLATFORM_SCHEMA,
            "metadata": {"type": "Report", "displayName": self.name},
            "config": {
                "version": "2.0",
                "logicalId": str(uuid.uuid5(_IDS, f"{self.name}.Report")),
            },
        }

    def _report(self):
        """Without a base theme, whose file would be Microsoft's: ours says it all."""
        name = self.theme["name"]
        return {
            "$schema": REPORT_SCHEMA,
            "themeCollection": {
                "customTheme": {
                    "name": name,
                    "reportVersionAtImport": {
                        "visual": "2.9.0",
                        "report": "3.3.0",
                        "page": "2.1.0",
                    },
                    "type": "RegisteredResources",
                }
            },
            "resourcePackages": [
                {
                    "name": "RegisteredResources",
                    "type": "RegisteredResources",
                    "items": [{"name": name, "path": name, "type": "CustomTheme"}],
                }
            ],
            "settings": {
                "useStylableVisualContainerHeader": True,
                "exportDataMode": "AllowSummarized",
                "defaultDrillFilterOtherVisuals": True,
                "allowChangeFilterTypes": True,
                "useEnhancedTooltips": True,
                "useDefaultAggregateDisplayName": True,
            },
        }

    # ---- pages

    def _page_files(self, page, folder):
        _known_words(page, _PAGE_OPTIONS, f"page {page['name']}")
        width, height = page.get("tooltip_size", (PAGE_WIDTH, PAGE_HEIGHT))
        content: dict[str, Any] = {
            "$schema": PAGE_SCHEMA,
            "name": page["name"],
            "displayName": page["title"],
            "displayOption": "ActualSize" if "tooltip_size" in page else "FitToPage",
            "height": height,
            "width": width,
        }
        if "tooltip_size" in page:
            content |= {
                "type": "Tooltip",
                "visibility": "HiddenInViewMode",
                "pageBinding": {
                    "name": f"{page['name']}_binding",
                    "type": "Tooltip",
                    "parameters": [],
                },
            }
        if field := page.get("drill_through"):
            content |= self._drill_through(page, field)
        visuals = self._header(page) + [
            self._visual(visual, page) for visual in page["visuals"]
        ]
        files = {f"{folder}/page.json": content}
        for place, (visual, phone) in enumerate(visuals):
            # Keyboard and screen reader go by place, and nothing lies on anything.
            order = 1000 * place
            visual["position"] |= {"z": order, "tabOrder": order}
            where = f"{folder}/visuals/{visual['name']}"
            if f"{where}/visual.json" in files:
                raise SpecificationError(
                    f"page {page['name']}: two visuals are called '{visual['name']}'."
                )
            files[f"{where}/visual.json"] = visual
            if phone:
                x, y, width, height = phone
                files[f"{where}/mobile.json"] = {
                    "$schema": MOBILE_SCHEMA,
                    "position": _box(x, y, width, height)
                    | {"z": order, "tabOrder": order},
                }
        return files

    def _drill_through(self, page, field):
        expression = self._expression(field, f"page {page['name']}")
        name = f"{page['name']}_filter"
        return {
            "type": "Drillthrough",
            "visibility": "HiddenInViewMode",
            "filterConfig": {
                "filters": [
                    {
                        "name": name,
                        "field": expression,
                        "type": "Categorical",
                        "howCreated": "Drillthrough",
                    }
                ]
            },
            "pageBinding": {
                "name": f"{page['name']}_binding",
                "type": "Drillthrough",
                "parameters": [
                    {
                        "name": f"{page['name']}_parameter",
                        "boundFilter": name,
                        "fieldExpr": expression,
                    }
                ],
            },
        }

    def _header(self, page):
        if "tooltip_size" in page:
            return []
        boxes = header_boxes(page, self.slicers)
        phones = page.get("phone", {})
        found = []
        if "back" in boxes:
            found.append((self._back(boxes["back"]), None))
        found.append((self._heading(page, boxes["heading"]), phones.get("heading")))
        if "views" in boxes:
            found.append((self._views(page, boxes["views"]), None))
        for name in page.get("slicers", []):
            found.append((self._slicer(name, page, boxes[name]), phones.get(name)))
        return found

    def _container(self, name, kind, box, *, alt, title=None, subtitle=None):
        objects: dict[str, Any] = {
            "title": _properties(show=True, text=title)
            if title
            else _properties(show=False),
            "general": _properties(altText=alt),
        }
        if subtitle:
            objects["subTitle"] = _properties(show=True, text=subtitle)
        return {
            "$schema": VISUAL_SCHEMA,
            "name": name,
            "position": dict(box),
            "visual": {
                "visualType": kind,
                "visualContainerObjects": objects,
                "drillFilterOtherVisuals": True,
            },
        }

    def _heading(self, page, box):
        visual = self._container(
            "heading", "textbox", box, alt=f"Heading: {page['title']}"
        )
        visual["visual"]["objects"] = {
            "general": [
                {
                    "properties": {
                        "paragraphs": [
                            _paragraph(page["title"], "20pt", "bold"),
                            _paragraph(page.get("question", ""), "11pt", "normal"),
                        ]
                    }
                }
            ]
        }
        return visual

    def _back(self, box):
        visual = self._container(
            "back", "actionButton", box, alt="Back to the page you came from"
        )
        visual["visual"]["objects"] = {
            "icon": _properties({"id": "default"}, shapeType="back")
        }
        visual["visual"]["visualContainerObjects"]["visualLink"] = _properties(
            show=True, type="Back"
        )
        return visual

    def _views(self, page, box):
        titles = " or ".join(page["views"].values())
        visual = self._container(
            "views", "bookmarkNavigator", box, alt=f"Choose the view: {titles}"
        )
        visual["visual"]["objects"] = {
            "bookmarks": _properties(
                bookmarkGroup=f"{page['name']}_views",
                selectedBookmark=f"{page['name']}_{next(iter(page['views']))}",
            )
        }
        return visual

    def _slicer(self, name, page, box):
        slicer = self.slicers[name]
        place = f"page {page['name']}, slicer {name}"
        visual = self._container(
            f"slicer_{name}", "slicer", box, alt=f"Filter by {slicer['title'].lower()}"
        )
        field = slicer["field"]
        objects = {
            "data": _properties(mode=slicer.get("mode", "Dropdown")),
            "header": _properties(show=True, text=slicer["title"]),
        }
        if slicer.get("single"):
            objects["selection"] = _properties(strictSingleSelect=True)
        default = slicer.get("default")
        if default == "primary":
            default = self.primary_segmentation
        if default is not None:
            chosen = self._is_in(field, [default], place)
            objects["general"] = [{"properties": {"filter": {"filter": chosen}}}]
        visual["visual"] |= {
            "query": {
                "queryState": {
                    "Values": {
                        "projections": [self._projection(field, place, active=True)]
                    }
                }
            },
            "objects": objects,
            "syncGroup": {
                "groupName": name,
                "fieldChanges": True,
                "filterChanges": True,
            },
        }
        return visual

    # ---- visuals

    def _visual(self, spec, page):
        place = f"page {page['name']}, visual {spec.get('name')}"
        if spec.get("kind") not in KINDS:
            raise SpecificationError(
                f"{place}: kind '{spec.get('kind')}' is none of {', '.join(KINDS)}."
            )
        kind, roles = KINDS[spec["kind"]]
        _known_words(spec, _OPTIONS | set(roles), place)
        box = _box(*spec["at"]) if "tooltip_size" in page else grid_box(spec["at"])
        visual = self._container(
            spec["name"],
            kind,
            box,
            alt=spec["alt"],
            title=spec.get("title"),
            subtitle=spec.get("subtitle"),
        )
        inner = visual["visual"]
        state = {
            roles[role]: {"projections": self._projections(spec[role], role, place)}
            for role in roles
            if role in spec
        }
        if state:
            inner["query"] = {"queryState": state}
            if "sort" in spec:
                inner["query"]["sortDefinition"] = self._sort(spec["sort"], place)
        if objects := self._objects(spec, place):
            inner["objects"] = objects
        if "tooltip" in spec:
            inner["visualContainerObjects"]["visualTooltip"] = _properties(
                show=True, type="Canvas", section=spec["tooltip"]
            )
        if "filters" in spec:
            visual["filterConfig"] = {
                "filters": [
                    self._filter(each, f"{page['name']}_{spec['name']}_{n}", place)
                    for n, each in enumerate(spec["filters"], 1)
                ]
            }
        if "view" in spec and spec["view"] != next(iter(page["views"])):
            visual["isHidden"] = True
        return visual, spec.get("phone")

    def _objects(self, spec, place):
        found: dict[str, list] = {}
        if spec["kind"] == "sentence":
            # A card shows figures; a sentence needs smaller letters and no label.
            found["value"] = _properties(
                {"id": "default"}, fontSize=11.0, textWrap=True
            )
            found["label"] = _properties({"id": "default"}, show=False)
        if "colour" in spec:
            fill = {
                "solid": {"color": {"expr": self._expression(spec["colour"], place)}}
            }
            found["dataPoint"] = _properties(_EACH_VALUE, fill=fill)
        values = []
        for field, scale in spec.get("scale", {}).items():
            rule = {"expr": self._gradient(field, scale, place)}
            reference = {"metadata": self._reference(field, place)}
            values += _properties(
                _EACH_VALUE | reference, backColor={"solid": {"color": rule}}
            )
        for field, colour in (spec.get("labels") or {}).items():
            expression = {"expr": self._expression(colour, place)}
            reference = {"metadata": self._reference(field, place)}
            values += _properties(
                _EACH_VALUE | reference, fontColor={"solid": {"color": expression}}
            )
        if values:
            found["values"] = values
        bars = []
        for field in spec.get("bars", []):
            bars += self._data_bars(field, place)
        if bars:
            found["columnFormatting"] = bars
        widths = []
        for field, width in spec.get("widths", {}).items():
            widths += _properties(
                {"metadata": self._reference(field, place)}, value=float(width)
            )
        if widths:
            found["columnWidth"] = widths
        return found

    def _gradient(self, field, scale, place):
        """A colour scale. Its stops must be hex here, so they are the theme's own."""
        stop = {
            name: {"color": {"Literal": {"Value": f"'{self.theme[name]}'"}}}
            for name in ("minimum", "center", "maximum")
        }
        nothing = {"strategy": {"Literal": {"Value": "'noColor'"}}}
        if scale == "from low to high":
            gradient = {
                "linearGradient2": {
                    "min": stop["center"],
                    "max": stop["maximum"],
                    "nullColoringStrategy": nothing,
                }
            }
        elif isinstance(scale, list) and len(scale) == 3:
            low, middle, high = (
                {"value": {"Literal": {"Value": f"{value:g}D"}}} for value in scale
            )
            gradient = {
                "linearGradient3": {
                    "min": stop["minimum"] | low,
                    "mid": stop["center"] | middle,
                    "max": stop["maximum"] | high,
                    "nullColoringStrategy": nothing,
                }
            }
        else:
            raise SpecificationError(
                f"{place}: the scale of '{field}' is 'from low to high' or three "
                f"numbers, those of the two colours and of white, not '{scale}'."
            )
        return {
            "FillRule": {
                "Input": {
                    "SelectRef": {"ExpressionName": self._reference(field, place)}
                },
                "FillRule": gradient,
            }
        }

    def _data_bars(self, field, place):
        def colour(text):
            return {"solid": {"color": _literal(text)}}

        bars = {
            "positiveColor": colour(self.theme["maximum"]),
            "negativeColor": colour(self.theme["minimum"]),
            "axisColor": colour(self.theme["foreground"]),
            "reverseDirection": _literal(False),
            "hideText": _literal(False),
        }
        return _properties({"metadata": self._reference(field, place)}, dataBars=bars)

    # ---- fields

    def _expression(self, field, place, source=None):
        table, name, is_measure = self.names.table(field, place)
        of = {"Source": source} if source else {"Entity": table}
        return {
            "Measure" if is_measure else "Column": {
                "Expression": {"SourceRef": of},
                "Property": name,
            }
        }

    def _reference(self, field, place):
        table, name, _ = self.names.table(field, place)
        return f"{table}.{name}"

    def _projections(self, fields, role, place):
        fields = fields if isinstance(fields, list) else [fields]
        return [
            self._projection(
                field, place, active=role in ("category", "rows", "columns")
            )
            for field in fields
        ]

    def _projection(self, field, place, *, active=False):
        shown = None
        if isinstance(field, Mapping):
            ((field, shown),) = field.items()
        table, name, _ = self.names.table(field, place)
        found = {
            "field": self._expression(field, place),
            "queryRef": f"{table}.{name}",
            "nativeQueryRef": name,
        }
        if active:
            found["active"] = True
        if shown:
            found["displayName"] = shown
        return found

    def _sort(self, sort, place):
        ((field, direction),) = sort.items()
        return {
            "sort": [
                {
                    "field": self._expression(field, place),
                    "direction": {"down": "Descending", "up": "Ascending"}[direction],
                }
            ],
            "isDefaultSort": False,
        }

    def _is_in(self, field, values, place):
        table, _, _ = self.names.table(field, place)
        listed = [[_literal(value)["expr"]] for value in values]
        return {
            "Version": 2,
            "From": [{"Name": "t", "Entity": table, "Type": 0}],
            "Where": [
                {
                    "Condition": {
                        "In": {
                            "Expressions": [self._expression(field, place, "t")],
                            "Values": listed,
                        }
                    }
                }
            ],
        }

    def _filter(self, spec, name, place):
        ((field, values),) = spec.items()
        without = isinstance(values, Mapping)
        chosen = self._is_in(field, values["not"] if without else values, place)
        if without:
            condition = chosen["Where"][0]["Condition"]
            chosen["Where"] = [{"Condition": {"Not": {"Expression": condition}}}]
        return {
            "name": name,
            "field": self._expression(field, place),
            "type": "Categorical",
            "filter": chosen,
            "howCreated": "User",
        }

    # ---- bookmarks

    def _bookmark_files(self, pages, folder):
        """Per page with views: a bookmark a view that shows its visuals, hides others.

        They touch no filter, so that changing the view keeps what was chosen.
        """
        groups, found = [], {}
        for page in pages:
            if not page.get("views"):
                continue
            swapped = {
                visual["name"]: visual for visual in page["visuals"] if "view" in visual
            }
            children = []
            for view, title in page["views"].items():
                name = f"{page['name']}_{view}"
                children.append(name)
                found[f"{folder}/{name}.bookmark.json"] = {
                    "$schema": BOOKMARK_SCHEMA,
                    "displayName": title,
                    "name": name,
                    "options": {
                        "applyOnlyToTargetVisuals": True,
                        "targetVisualNames": list(swapped),
                        "suppressData": True,
                    },
                    "explorationState": {
                        "version": "1.3",
                        "activeSection": page["name"],
                        "sections": {
                            page["name"]: {
                                "visualContainers": {
                                    each: _shown(visual, visual_is=view)
                                    for each, visual in swapped.items()
                                }
                            }
                        },
                    },
                }
            groups.append(
                {
                    "name": f"{page['name']}_views",
                    "displayName": f"{page['title']}: views",
                    "children": children,
                }
            )
        if groups:
            found[f"{folder}/bookmarks.json"] = {
                "$schema": BOOKMARKS_SCHEMA,
                "items": groups,
            }
        return found


def _shown(visual, *, visual_is):
    state: dict[str, Any] = {"visualType": KINDS[visual["kind"]][0], "objects": {}}
    if visual["view"] != visual_is:
        state["display"] = {"mode": "hidden"}
    return {"singleVisual": state}


def _paragraph(text, size, weight):
    return {
        "textRuns": [
            {"value": text, "textStyle": {"fontSize": size, "fontWeight": weight}}
        ]
    }


def _known_words(given, known, place):
    if unknown := sorted(set(given) - known):
        raise SpecificationError(
            f"{place}: unknown word '{unknown[0]}'. Known: {', '.join(sorted(known))}."
        )
