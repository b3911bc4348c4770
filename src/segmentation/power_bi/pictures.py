"""Pictures of the report's pages, drawn from exports: renderings of ours.

No Power BI runs where this project is built. So that a reader can see the pages, and so
that a test can see that titles fit, this module draws them as a browser shows HTML:
places, titles, fields, filters and colours come from the report's specification and the
theme, the figures from the exports (`figures`). Every picture says that it is a
rendering and not Desktop.
"""

import html
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from segmentation.power_bi.report import grid_box, header_boxes

# Power BI measures text in points.
PIXELS_PER_POINT = 4 / 3
LABEL = "Rendering from the exports, not Power BI Desktop"
FONTS = "'Segoe UI', 'Selawik', 'Liberation Sans', Arial, sans-serif"

# A question to the exports: fields, filters of the visual -> rows of values.
Figures = Callable[[Sequence[str], Sequence[Mapping[str, Any]]], list[tuple]]


def formatted(value: Any, pattern: str | None) -> str:
    """Return a value as a Power BI format string shows it; nothing for null.

    >>> formatted(1234.5, "#,##0"), formatted(0.1234, "0.0%"), formatted(None, "0")
    ('1,234', '12.3%', '')
    """
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if hasattr(value, "isoformat"):
        return value.strftime("%b %Y") if pattern == "mmm yyyy" else f"{value:%Y-%m-%d}"
    if isinstance(value, str):
        return value
    pattern = pattern or ("#,##0" if float(value).is_integer() else "0.00")
    pattern = pattern.partition(";")[0]
    number = re.search(r"[#0][#0,.]*", pattern)
    if not number:
        return str(value)
    decimals = len(number[0].partition(".")[2])
    scaled = float(value) * (100 if "%" in pattern else 1)
    separator = "," if "," in number[0] else ""
    text = f"{abs(scaled):{separator}.{decimals}f}"
    sign = "-" if scaled < 0 and float(text.replace(",", "")) else ""
    before = pattern[: number.start()].replace('"', "").replace("\\", "")
    after = pattern[number.end() :].replace('"', "").replace("\\", "")
    if sign:
        before = before.replace("+", "")
    return f"{sign}{before}{text}{after}"


def page_html(
    specification: Mapping[str, Any],
    page: Mapping[str, Any],
    *,
    theme: Mapping[str, Any],
    figures: Figures,
    formats: Mapping[str, str],
    primary_segmentation: str = "",
    view: str | None = None,
) -> str:
    """Return one page as HTML of the page's own size.

    Parameters
    ----------
    specification, page
        As in ``powerbi/specification``; the page is one of its pages.
    figures
        Answers fields and filters with rows, in the order in which a visual without
        a sort shows them.
    formats
        Format strings of measures and columns by the names that the pages use.
    view
        The view that is chosen, if the page has several; the first one by default.

    """
    drawing = _Drawing(specification, page, theme, figures, formats, view)
    drawing.primary_segmentation = primary_segmentation
    return drawing.html()


class _Drawing:
    def __init__(self, specification, page, theme, figures, formats, view):
        self.page = page
        self.slicers = specification.get("slicers", {})
        self.theme = theme
        self.figures = figures
        self.formats = formats
        self.view = view or next(iter(page.get("views") or {}), None)
        self.size = page.get("tooltip_size", (1280, 720))

    def html(self) -> str:
        is_tooltip = "tooltip_size" in self.page
        parts = [] if is_tooltip else self._header()
        for visual in self.page["visuals"]:
            if visual.get("view", self.view) != self.view:
                continue
            box = (
                dict(zip(("x", "y", "width", "height"), visual["at"], strict=True))
                if is_tooltip
                else grid_box(visual["at"])
            )
            parts.append(self._visual(visual, box))
        width, height = self.size
        note = "" if is_tooltip else f'<div class="note">{LABEL}</div>'
        return (
            "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
            f"<title>{_safe(self.page['title'])}</title><style>{self._style()}</style>"
            f"</head><body style='width:{width}px;height:{height}px'>"
            f"{''.join(parts)}{note}</body></html>"
        )

    def _style(self):
        theme = self.theme
        return f"""
* {{ box-sizing: border-box; margin: 0; }}
body {{ position: relative; overflow: hidden; background: {theme["backgroundLight"]};
  font-family: {FONTS}; font-size: {_px(10)}; color: {theme["foreground"]}; }}
.box {{ position: absolute; overflow: hidden; }}
.card {{ background: {theme["background"]}; border: 1px solid
  {theme["backgroundNeutral"]}; border-radius: 6px; padding: 8px 12px;
  display: flex; flex-direction: column; }}
.title {{ font-size: {_px(12)}; font-weight: 600; line-height: 1.25; }}
.subtitle, .label {{ color: {theme["foregroundNeutralSecondary"]}; }}
.subtitle {{ margin-top: 2px; line-height: 1.25; }}
.body {{ flex: 1; min-height: 0; overflow: hidden; margin-top: 6px; }}
h1 {{ font-size: {_px(20)}; line-height: 1.3; white-space: nowrap; overflow: hidden; }}
.question {{ font-size: {_px(11)}; color: {theme["foreground"]}; line-height: 1.3; }}
.select {{ border: 1px solid {theme["backgroundNeutral"]}; border-radius: 2px;
  height: 30px; line-height: 28px; padding: 0 8px; margin-top: 5px; white-space: nowrap;
  overflow: hidden; text-overflow: ellipsis; position: relative; }}
.arrow::after {{ content: ''; position: absolute; right: 9px; top: 9px; width: 7px;
  height: 7px; border: solid {theme["foregroundNeutralSecondary"]};
  border-width: 0 1.5px 1.5px 0; transform: rotate(45deg); }}
.dates {{ display: flex; gap: 8px; }} .dates .select {{ flex: 1; padding: 0 6px; }}
.numbers {{ display: flex; height: 100%; align-items: center; }}
.numbers > div {{ flex: 1; padding: 0 14px; min-width: 0; border-left: 1px solid
  {theme["backgroundNeutral"]}; }} .numbers > div:first-child {{ border: 0;
  padding-left: 2px; }}
.number {{ font-size: {_px(20)}; font-weight: 600; line-height: 1.2; }}
.sentence {{ font-size: {_px(11)}; font-weight: 600; line-height: 1.35; }}
table {{ border-collapse: collapse; width: 100%; line-height: 1.3; }}
th {{ text-align: left; color: {theme["foregroundNeutralSecondary"]}; font-weight: 600;
  padding: 3px 7px; vertical-align: bottom; background: {theme["background"]};
  border-bottom: 1px solid {theme["backgroundNeutral"]}; }}
td {{ padding: 4px 7px; border-bottom: 1px solid #E4E8EC; vertical-align: top; }}
td.n, th.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
td.n {{ white-space: nowrap; }}
.matrix td, .matrix th {{ padding: 2px 6px; border: 1px solid {theme["background"]};
  vertical-align: middle; }} .matrix th {{ vertical-align: bottom; }}
.matrix td.row {{ white-space: nowrap; }}
.bar {{ position: relative; }} .bar i {{ position: absolute; left: 0; top: 3px;
  bottom: 3px; background: {theme["maximum"]}; }} .bar span {{ position: relative; }}
.views {{ display: flex; height: 100%; }} .views div {{ flex: 1; text-align: center;
  line-height: 38px; border: 1px solid {theme["dataColors"][0]};
  background: {theme["background"]}; }} .views .on {{ color: {theme["background"]};
  background: {theme["dataColors"][0]}; }}
.back {{ width: 34px; height: 34px; border: 1.5px solid {theme["dataColors"][0]};
  border-radius: 50%; font-size: 19px; line-height: 28px; text-align: center; }}
.note {{ position: absolute; right: 24px; bottom: 3px; font-size: 12px;
  color: {theme["foregroundNeutralSecondary"]}; }}
svg {{ display: block; }} svg text {{ font-size: {_px(10)};
  fill: {theme["foregroundNeutralSecondary"]}; }}
svg text.strong {{ fill: {theme["foreground"]}; }}
"""

    # ---- header

    def _header(self):
        boxes = header_boxes(self.page, self.slicers)
        heading = (
            f"<h1>{_safe(self.page['title'])}</h1>"
            f"<div class='question'>{_safe(self.page.get('question', ''))}</div>"
        )
        parts = [_place(boxes.pop("heading"), heading)]
        if "back" in boxes:
            parts.append(_place(boxes.pop("back"), "<div class='back'>←</div>"))
        if "views" in boxes:
            buttons = "".join(
                f"<div class='{'on' if name == self.view else ''}'>{_safe(title)}</div>"
                for name, title in self.page["views"].items()
            )
            parts.append(
                _place(boxes.pop("views"), f"<div class='views'>{buttons}</div>")
            )
        for name, box in boxes.items():
            slicer = self.slicers[name]
            label = f"<div class='label'>{_safe(slicer['title'])}</div>"
            if slicer.get("mode") == "Between":
                dates = [row[0] for row in self.figures([slicer["field"]], [])]
                chosen = "".join(
                    f"<div class='select'>{formatted(end(dates), None)}</div>"
                    for end in (min, max)
                )
                chosen = f"<div class='dates'>{chosen}</div>"
            else:
                shown = slicer.get("default", "All")
                shown = _safe(
                    self.primary_segmentation if shown == "primary" else shown
                )
                chosen = f"<div class='select arrow'>{shown}</div>"
            parts.append(_place(box, label + chosen, "card", name))
        return parts

    # ---- visuals

    def _visual(self, visual, box):
        kind = visual["kind"]
        title = ""
        if visual.get("title"):
            title = f"<div class='title'>{_safe(visual['title'])}</div>"
        if visual.get("subtitle"):
            title += f"<div class='subtitle'>{_safe(visual['subtitle'])}</div>"
        inside = box["height"] - 18 - (6 if title else 0)
        if visual.get("title"):
            lines = math.ceil(len(visual["title"]) * 8.3 / (box["width"] - 26))
            inside -= 20 * lines
        if visual.get("subtitle"):
            lines = math.ceil(len(visual["subtitle"]) * 6.3 / (box["width"] - 26))
            inside -= 2 + 17 * lines
        draw = {
            "cards": self._cards,
            "sentence": self._sentence,
            "table": self._table,
            "matrix": self._matrix,
            "bars": self._bars,
            "columns": self._columns,
            "stacked columns": self._columns,
            "lines": self._lines,
            "scatter": self._scatter,
        }[kind]
        body = draw(visual, box["width"] - 26, inside)
        inner = f"{title}<div class='body'>{body}</div>"
        return _place(box, inner, "card", visual["name"])

    def _fields(self, visual, *roles):
        fields, shown = [], {}
        for role in roles:
            given = visual.get(role, [])
            for field in given if isinstance(given, list) else [given]:
                if isinstance(field, Mapping):
                    ((field, title),) = field.items()
                    shown[field] = title
                else:
                    shown[field] = field.rpartition(".")[2]
                fields.append(field)
        return fields, shown

    def _rows(self, visual, fields):
        colours = [c for c in [visual.get("colour"), *visual.get("labels", {}).values()]
                   if c]  # fmt: skip
        sort = next(iter(visual.get("sort", {})), None)
        wanted = list(dict.fromkeys([*fields, *colours, *([sort] if sort else [])]))
        rows = [
            dict(zip(wanted, row, strict=True))
            for row in self.figures(wanted, visual.get("filters", []))
        ]
        if sort:
            down = visual["sort"][sort] == "down"
            known = [row for row in rows if row[sort] is not None]
            known.sort(key=lambda row: row[sort], reverse=down)
            rows = known + [row for row in rows if row[sort] is None]
        return rows

    def _text(self, field, value):
        return formatted(value, self.formats.get(field))

    def _cards(self, visual, width, height):
        fields, shown = self._fields(visual, "values")
        rows = self._rows(visual, fields)
        row = rows[0] if rows else dict.fromkeys(fields)
        cells = []
        for field in fields:
            value = self._text(field, row[field]) or "(Blank)"
            cells.append(
                f"<div><div class='number'>{_safe(value)}</div>"
                f"<div class='label'>{_safe(shown[field])}</div></div>"
            )
        return f"<div class='numbers'>{''.join(cells)}</div>"

    def _sentence(self, visual, width, height):
        fields, _ = self._fields(visual, "values")
        rows = self._rows(visual, fields)
        return (
            f"<div class='sentence'>{_safe(rows[0][fields[0]] if rows else '')}</div>"
        )

    def _table(self, visual, width, height):
        fields, shown = self._fields(visual, "values")
        rows = self._rows(visual, fields)
        numeric = {
            field: any(_is_number(row[field]) for row in rows) for field in fields
        }
        largest = {
            field: max((abs(_float(row[field])) for row in rows), default=0) or 1
            for field in visual.get("bars", [])
        }
        widths = visual.get("widths", {})
        head = "".join(
            f"<th class='{'n' if numeric[field] else ''}'"
            + (f" style='width:{widths[field]}px'" if field in widths else "")
            + f">{_safe(shown[field])}</th>"
            for field in fields
        )
        lines = []
        for row in rows[: int(height / 24) + 1]:
            cells = []
            for field in fields:
                text = _safe(self._text(field, row[field]))
                style = ""
                if colour := visual.get("labels", {}).get(field):
                    style = f"color:{row[colour] or 'inherit'}"
                if field in visual.get("scale", {}):
                    style = self._shade(visual["scale"][field], row[field], rows, field)
                name = "n" if numeric[field] else ""
                if field in largest:
                    share = 100 * abs(_float(row[field])) / largest[field]
                    tint = "maximum" if _float(row[field]) >= 0 else "minimum"
                    text = (
                        f"<i style='width:{share:.1f}%;background:{self.theme[tint]}'>"
                        f"</i><span>{text}</span>"
                    )
                    name += " bar"
                cells.append(f"<td class='{name}' style='{style}'>{text}</td>")
            lines.append(f"<tr>{''.join(cells)}</tr>")
        return f"<table><tr>{head}</tr>{''.join(lines)}</table>"

    def _matrix(self, visual, width, height):
        (row_field,), row_shown = self._fields(visual, "rows")
        column_fields, _ = self._fields(visual, "columns")
        values, shown = self._fields(visual, "values")
        rows = self._rows(visual, [row_field, *column_fields, *values])
        of = {}
        row_keys, column_keys = [], []
        for row in rows:
            key = row[row_field]
            if key not in row_keys:
                row_keys.append(key)
            for value in values:
                column = row[column_fields[0]] if column_fields else value
                if column not in column_keys:
                    column_keys.append(column)
                of[key, column] = (value, row[value])
        if column_fields:
            wanted = self.figures(column_fields, visual.get("filters", []))
            order = {key: number for number, (key,) in enumerate(wanted)}
            column_keys.sort(key=lambda key: order.get(key, 0))
        head = "".join(
            f"<th class='n'>{_safe(str(key) if column_fields else shown[key])}</th>"
            for key in column_keys
        )
        lines = []
        for key in row_keys[: int(height / 23) + 1]:
            cells = []
            for column in column_keys:
                field, value = of.get((key, column), (values[0], None))
                style = ""
                if field in visual.get("scale", {}):
                    style = self._shade(visual["scale"][field], value, rows, field)
                text = _safe(self._text(field, value))
                cells.append(f"<td class='n' style='{style}'>{text}</td>")
            lines.append(
                f"<tr><td class='row'>{_safe(self._text(row_field, key))}</td>"
                f"{''.join(cells)}</tr>"
            )
        corner = _safe(row_shown[row_field])
        return (
            f"<table class='matrix'><tr><th>{corner}</th>{head}</tr>"
            f"{''.join(lines)}</table>"
        )

    def _shade(self, scale, value, rows, field):
        if value is None:
            return ""
        value, theme = float(value), self.theme
        if scale == "from low to high":
            known = [float(row[field]) for row in rows if row[field] is not None]
            low, high = min(known), max(known)
            share = (value - low) / ((high - low) or 1)
            colour = _between(theme["center"], theme["maximum"], share)
        else:
            low, middle, high = scale
            end, limit = ("minimum", low) if value < middle else ("maximum", high)
            share = (value - middle) / (limit - middle)
            colour = _between(theme["center"], theme[end], share)
        return f"background:{colour}"

    # ---- charts

    def _bars(self, visual, width, height):
        (category,), _ = self._fields(visual, "category")
        (value,), _ = self._fields(visual, "values")
        # More than fit have a scroll bar in Power BI.
        rows = self._rows(visual, [category, value])[: int(height / 15)]
        names = [self._text(category, row[category]) for row in rows]
        left = min(max(map(_width, names), default=0) + 10, width * 0.42)
        step = min(height / max(len(rows), 1), 46)
        lowest = min(0.0, *(_float(row[value]) for row in rows), 0.0)
        highest = max(0.0, *(_float(row[value]) for row in rows), 0.0)
        room = width - left - 74
        unit = room / ((highest - lowest) or 1)
        zero = left - unit * lowest
        parts = []
        for place, (row, name) in enumerate(zip(rows, names, strict=True)):
            middle = (place + 0.5) * step
            length = unit * abs(_float(row[value]))
            start = zero if _float(row[value]) >= 0 else zero - length
            colour = self._mark(visual, rows, category, row[category], 0)
            parts.append(
                f"<text x='{left - 8:.1f}' y='{middle + 4.5:.1f}' class='strong' "
                f"text-anchor='end'>{_safe(_cut(name, left - 8))}</text>"
                f"<rect x='{start:.1f}' y='{middle - step * 0.34:.1f}' "
                f"width='{length:.1f}' height='{step * 0.68:.1f}' fill='{colour}'/>"
                f"<text x='{max(start + length, zero) + 5:.1f}' y='{middle + 4.5:.1f}'>"
                f"{_safe(self._text(value, row[value]))}</text>"
            )
        return _svg(width, height, parts)

    def _series(self, rows, category, series, values, shown):
        """Return series title -> category -> value."""
        if not series:
            return {
                shown[value]: {row[category]: row[value] for row in rows}
                for value in values
            }
        found = {self._text(series, name): {} for (name,) in self.figures([series], [])}
        for row in rows:
            found[self._text(series, row[series])][row[category]] = row[values[0]]
        return {name: of for name, of in found.items() if of}

    def _mark(self, visual, rows, category, key, number):
        if colour := visual.get("colour"):
            for row in rows:
                if row[category] == key and row[colour]:
                    return row[colour]
        return self.theme["dataColors"][number]

    def _legend(self, stacks, width):
        parts, x = [], 0.0
        for number, name in enumerate(stacks):
            colour = self.theme["dataColors"][number]
            parts.append(
                f"<circle cx='{x + 5:.1f}' cy='9' r='5' fill='{colour}'/>"
                f"<text x='{x + 14:.1f}' y='13.5'>{_safe(name)}</text>"
            )
            x += 14 + _width(name) + 16
        return "".join(parts), 26

    def _axes(self, fields, low, high, left, top, width, height):
        parts = []
        for tick in _ticks(low, high):
            y = top + height * (high - tick) / ((high - low) or 1)
            text = _short(tick, self.formats.get(fields[0], ""))
            parts.append(
                f"<line x1='{left}' x2='{left + width:.1f}' y1='{y:.1f}' y2='{y:.1f}' "
                "stroke='#E4E8EC'/>"
                f"<text x='{left - 6}' y='{y + 4.5:.1f}' text-anchor='end'>"
                f"{text}</text>"
            )
        return parts

    def _category_labels(self, texts, places, y, room):
        """Return labels below an axis, as many as have room."""
        widest = max((_width(text) for text in texts), default=1) + 12
        every = max(1, math.ceil(widest * len(texts) / max(room, 1)))
        return [
            f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='middle'>{_safe(text)}</text>"
            for n, (text, x) in enumerate(zip(texts, places, strict=True))
            if n % every == 0
        ]

    def _columns(self, visual, width, height):
        (category,), _ = self._fields(visual, "category")
        values, shown = self._fields(visual, "values")
        series = visual.get("series")
        rows = self._rows(visual, [category, *([series] if series else []), *values])
        keys = list(dict.fromkeys(row[category] for row in rows))
        stacks = self._series(rows, category, series, values, shown)
        parts, top = [], 6
        if len(stacks) > 1:
            legend, top = self._legend(stacks, width)
            parts.append(legend)
        stacked = visual["kind"] == "stacked columns"
        totals = [
            (sum if stacked else max)(_float(of.get(key)) for of in stacks.values())
            for key in keys
        ]
        low, high = 0, _ticks(0, max(totals, default=0) or 1)[-1]
        left, bottom = 46, 24
        room, plot = width - left - 6, height - top - bottom
        parts += self._axes(values, low, high, left, top, room, plot)
        step = room / max(len(keys), 1)
        for place, key in enumerate(keys):
            base = 0.0
            band = min(step * 0.72, 48) / (1 if stacked else len(stacks))
            for number, of in enumerate(stacks.values()):
                size = plot * _float(of.get(key)) / high
                x = left + (place + 0.5) * step - min(step * 0.72, 48) / 2
                x += 0 if stacked else number * band
                parts.append(
                    f"<rect x='{x:.1f}' y='{top + plot - base - size:.1f}' "
                    f"width='{band:.1f}' height='{size:.1f}' "
                    f"fill='{self._mark(visual, rows, category, key, number)}'/>"
                )
                base += size if stacked else 0
        texts = [self._text(category, key) for key in keys]
        places = [left + (n + 0.5) * step for n in range(len(keys))]
        parts += self._category_labels(texts, places, height - 6, room)
        return _svg(width, height, parts)

    def _lines(self, visual, width, height):
        (category,), _ = self._fields(visual, "category")
        values, shown = self._fields(visual, "values")
        each, _ = self._fields(visual, "each")
        rows = self._rows(visual, [category, *each, *values])
        if not each:
            inner = self._plot(rows, category, values, shown, width, height)
            return _svg(width, height, inner)
        panels = list(dict.fromkeys(row[each[0]] for row in rows))
        across = math.ceil(math.sqrt(len(panels) * 1.3)) or 1
        down = math.ceil(len(panels) / across) or 1
        parts = []
        wide, tall = width / across, height / down
        highest = max((_float(row[v]) for row in rows for v in values), default=1)
        for number, panel in enumerate(panels):
            own = [row for row in rows if row[each[0]] == panel]
            inner = self._plot(
                own, category, values, shown, wide - 10, tall - 24, highest
            )
            x, y = (number % across) * wide, (number // across) * tall
            parts.append(
                f"<g transform='translate({x:.1f},{y:.1f})'><text x='4' y='14' "
                f"class='strong'>{_safe(_cut(str(panel), wide - 12))}</text>"
                f"<g transform='translate(0,20)'>{''.join(inner)}</g></g>"
            )
        return _svg(width, height, parts)

    def _plot(self, rows, category, values, shown, width, height, highest=None):
        keys = list(dict.fromkeys(row[category] for row in rows))
        stacks = {
            shown[value]: {row[category]: row[value] for row in rows}
            for value in values
        }
        parts, top = [], 6
        if len(stacks) > 1:
            legend, top = self._legend(stacks, width)
            parts.append(legend)
        known = [
            float(v) for of in stacks.values() for v in of.values() if v is not None
        ]
        biggest = highest if highest is not None else max(known, default=1)
        smallest = min(0.0, min(known, default=0))
        ticks = _ticks(smallest, biggest or 1)
        low, high = ticks[0], max(ticks[-1], biggest)
        left, bottom = 46, 24
        room, plot = width - left - 12, height - top - bottom
        parts += self._axes(values, low, high, left, top, room, plot)
        numeric = all(_is_number(key) for key in keys) and len(keys) > 1
        first, last = (keys[0], keys[-1]) if keys else (0, 1)
        place = {
            key: left
            + room
            * (
                (float(key) - float(first)) / (float(last) - float(first))
                if numeric
                else n / max(len(keys) - 1, 1)
            )
            for n, key in enumerate(keys)
        }
        for number, of in enumerate(stacks.values()):
            known = {key: float(of[key]) for key in keys if of.get(key) is not None}
            points = [
                f"{place[key]:.1f},{top + plot * (high - value) / (high - low):.1f}"
                for key, value in known.items()
            ]
            colour = self.theme["dataColors"][number]
            parts.append(
                f"<polyline points='{' '.join(points)}' fill='none' stroke='{colour}' "
                "stroke-width='2.2' stroke-linejoin='round'/>"
            )
        if numeric and len(keys) > 15:
            ticks = [t for t in _ticks(float(first), float(last)) if first <= t <= last]
            spots = [left + room * (t - float(first)) / (float(last) - float(first))
                     for t in ticks]  # fmt: skip
            texts = [formatted(t, "#,##0") for t in ticks]
        else:
            texts = [self._text(category, key) for key in keys]
            spots = list(place.values())
        parts += self._category_labels(texts, spots, height - 6, room)
        return parts

    def _scatter(self, visual, width, height):
        (category,), _ = self._fields(visual, "category")
        (x_field,), x_shown = self._fields(visual, "x")
        (y_field,), y_shown = self._fields(visual, "y")
        rows = [
            row
            for row in self._rows(visual, [category, x_field, y_field])
            if row[x_field] is not None and row[y_field] is not None
        ]
        left, bottom, top = 56, 44, 22
        room, plot = width - left - 22, height - top - bottom
        high_y = _ticks(0, max((float(row[y_field]) for row in rows), default=1))[-1]
        ticks = _ticks(0, max((float(row[x_field]) for row in rows), default=1))
        high_x = ticks[-1]
        parts = self._axes([y_field], 0, high_y, left, top, room, plot)
        for tick in ticks:
            parts.append(
                f"<text x='{left + room * tick / high_x:.1f}' y='{height - 24}' "
                f"text-anchor='middle'>{_short(tick, self.formats.get(x_field, ''))}"
                "</text>"
            )
        for row in rows:
            colour = row.get(visual.get("colour")) or self.theme["dataColors"][0]
            parts.append(
                f"<circle cx='{left + room * float(row[x_field]) / high_x:.1f}' "
                f"cy='{top + plot * (1 - float(row[y_field]) / high_y):.1f}' "
                f"r='3.2' fill='{colour}' fill-opacity='0.7'/>"
            )
        parts.append(
            f"<text x='{left + room / 2:.1f}' y='{height - 6}' text-anchor='middle'>"
            f"{_safe(x_shown[x_field])}</text>"
            f"<text x='0' y='12'>{_safe(y_shown[y_field])}</text>"
        )
        return _svg(width, height, parts)


# ---- small helpers -----------------------------------------------------------------


def _px(points):
    return f"{points * PIXELS_PER_POINT:.2f}px"


def _safe(text):
    return html.escape(str(text))


def _place(box, inner, kind="", name="heading"):
    style = ";".join(
        f"{name}:{box[key]}px"
        for name, key in (
            ("left", "x"), ("top", "y"), ("width", "width"), ("height", "height"),
        )
    )  # fmt: skip
    return f"<div class='box {kind}' data-name='{name}' style='{style}'>{inner}</div>"


def _svg(width, height, parts):
    size = f"width='{width:.0f}' height='{height:.0f}'"
    return f"<svg {size} role='img'>{''.join(parts)}</svg>"


def _is_number(value):
    return not isinstance(value, (bool, str)) and hasattr(value, "__float__")


def _float(value):
    return float(value) if _is_number(value) else 0.0


def _width(text):
    """About how wide a text of 10 points is, in pixels."""
    return sum(4.0 if c in "iljtfr.,:;' |()" else 10.0 if c in "mwMW" else 7.2
               for c in text)  # fmt: skip


def _cut(text, room):
    while _width(text) > room and len(text) > 2:
        text = text[:-2] + "…"
    return text


def _between(low, high, share):
    """Mix two hex colours; share 0 is the first."""
    share = min(max(share, 0.0), 1.0)
    pairs = zip(_rgb(low), _rgb(high), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def _rgb(colour):
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _ticks(low, high, count=4):
    """Return round numbers from at most low to at least high."""
    if high <= low:
        high = low + 1
    raw = (high - low) / count
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * n for n in (1, 2, 2.5, 5, 10) if power * n >= raw - 1e-12)
    first = math.floor(low / step + 1e-9)
    last = math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def _short(value, pattern):
    if "%" in pattern:
        return f"{100 * value:g}%"
    if abs(value) >= 1_000_000:
        return f"{value / 1e6:g}M"
    if abs(value) >= 10_000:
        return f"{value / 1e3:g}K"
    return f"{value:,g}"
