"""The semantic model as text: TMDL and the small JSON files around it.

Written as Microsoft's own exporter writes it, so that a model that Desktop has saved
differs only where somebody changed something.
"""

import json
import re
import uuid

from segmentation.power_bi.model import Column, Measure, Model, Relationship, Table

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "customer-segmentation/power-bi")
CULTURE = "en-US"
SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"
DATA_TYPES = {  # contract: TMDL and M
    "string": ("string", "type text"),
    "integer": ("int64", "Int64.Type"),
    "bigint": ("int64", "Int64.Type"),
    "double": ("double", "type number"),
    "decimal": ("decimal", "Currency.Type"),
    "date": ("dateTime", "type date"),
    "timestamp": ("dateTime", "type datetime"),
    "boolean": ("boolean", "type logical"),
}
BOOLEAN_FORMAT = '"""TRUE"";""TRUE"";""FALSE"""'


def semantic_model_files(model: Model, *, data_folder: str) -> dict[str, str]:
    """Return the files of the .SemanticModel folder, by their path in it.

    Parameters
    ----------
    model
        What `read_model` gives.
    data_folder
        The default of the parameter DataFolder: where manifest.json is, as Windows
        writes it.

    """
    definition = {
        "database.tmdl": "database\n\tcompatibilityLevel: 1601\n\n",
        "model.tmdl": _model(model),
        "expressions.tmdl": _expressions(model, data_folder),
        "relationships.tmdl": "".join(
            _relationship(model, relationship) for relationship in model.relationships
        ),
        f"cultures/{CULTURE}.tmdl": _culture(),
        **{f"tables/{t.name}.tmdl": _table(model, t) for t in model.tables},
    }
    return {
        ".platform": platform_file("SemanticModel", model.name),
        "definition.pbism": as_json(
            {
                "$schema": f"{SCHEMAS}/item/semanticModel/definitionProperties/1.0.0"
                "/schema.json",
                "version": "4.2",
                "settings": {},
            }
        ),
        **{f"definition/{path}": text for path, text in definition.items()},
    }


def platform_file(kind: str, name: str) -> str:
    """Return the .platform file of a SemanticModel or a Report."""
    return as_json(
        {
            "$schema": f"{SCHEMAS}/gitIntegration/platformProperties/2.0.0/schema.json",
            "metadata": {"type": kind, "displayName": name},
            "config": {"version": "2.0", "logicalId": lineage_tag(name, kind)},
        }
    )


def project_file(name: str) -> str:
    """Return the .pbip file, which people open."""
    return as_json(
        {
            "$schema": f"{SCHEMAS}/pbip/pbipProperties/1.0.0/schema.json",
            "version": "1.0",
            "artifacts": [{"report": {"path": f"{name}.Report"}}],
            "settings": {"enableAutoRecovery": True},
        }
    )


def as_json(content: dict) -> str:
    """Return JSON as Power BI Desktop writes it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def lineage_tag(*path: str) -> str:
    """Return the id of a thing: the same as long as its name is."""
    return str(uuid.uuid5(NAMESPACE, "/".join(path)))


def _model(model: Model) -> str:
    order = json.dumps(
        ["DataFolder", *(table.name for table in model.tables)],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    references = "".join(f"ref table {quoted(t.name)}\n" for t in model.tables)
    return (
        "model Model\n"
        f"\tculture: {CULTURE}\n"
        "\tdefaultPowerBIDataSourceVersion: powerBI_V3\n"
        "\tdiscourageImplicitMeasures\n"
        f"\tsourceQueryCulture: {CULTURE}\n"
        "\tdataAccessOptions\n"
        "\t\tlegacyRedirects\n"
        "\t\treturnErrorValuesAsNull\n"
        "\n"
        "annotation __PBI_TimeIntelligenceEnabled = 0\n"
        "\n"
        f"annotation PBI_QueryOrder = {order}\n"
        "\n"
        f"{references}"
        "\n"
        f"ref cultureInfo {CULTURE}\n"
        "\n"
    )


def _expressions(model: Model, data_folder: str) -> str:
    text = data_folder.replace('"', '""')
    return (
        "/// The folder that holds manifest.json: exports/<input> of the project.\n"
        f'expression DataFolder = "{text}" meta '
        '[IsParameterQuery = true, IsParameterQueryRequired = true, Type = "Text"]\n'
        f"\tlineageTag: {lineage_tag(model.name, 'expression', 'DataFolder')}\n"
        "\n"
        "\tannotation PBI_ResultType = Text\n"
        "\n"
    )


def _culture() -> str:
    return (
        f"cultureInfo {CULTURE}\n"
        "\n"
        "\tlinguisticMetadata =\n"
        "\t\t\t{\n"
        '\t\t\t  "Version": "1.0.0",\n'
        f'\t\t\t  "Language": "{CULTURE}"\n'
        "\t\t\t}\n"
        "\t\tcontentType: json\n"
        "\n"
    )


def _relationship(model: Model, relationship: Relationship) -> str:
    many = f"{quoted(relationship.from_table)}.{quoted(relationship.from_column)}"
    one = f"{quoted(relationship.to_table)}.{quoted(relationship.to_column)}"
    return (
        f"relationship {lineage_tag(model.name, 'relationship', many, one)}\n"
        f"\tfromColumn: {many}\n"
        f"\ttoColumn: {one}\n"
        "\n"
    )


def _table(model: Model, table: Table) -> str:
    lines = [
        f"/// {table.description}",
        f"table {quoted(table.name)}",
        f"\tlineageTag: {lineage_tag(model.name, table.name)}",
    ]
    if table.is_calendar:
        lines.append("\tdataCategory: Time")
    lines.append("")
    for measure in table.measures:
        lines += [*_measure(model, table, measure), ""]
    for column in table.columns:
        lines += [*_column(model, table, column), ""]
    for name, levels in table.hierarchies.items():
        lines += [*_hierarchy(model, table, name, levels), ""]
    source = _mart_query(table) if table.mart else _empty_query()
    lines += [
        f"\tpartition {quoted(table.name)} = m",
        "\t\tmode: import",
        "\t\tsource =",
        *(f"\t\t\t\t{line}" for line in source),
        "",
        "\tannotation PBI_ResultType = Table",
        "",
        "",
    ]
    return "\n".join(lines)


def _measure(model: Model, table: Table, measure: Measure) -> list[str]:
    dax = measure.dax.splitlines()
    expression = (
        [f"\tmeasure {quoted(measure.name)} = {dax[0]}"]
        if len(dax) == 1
        else [
            f"\tmeasure {quoted(measure.name)} =",
            *(f"\t\t\t{line}" for line in dax),
        ]
    )
    tag = lineage_tag(model.name, table.name, "measure", measure.name)
    return [
        f"\t/// {measure.description}",
        *expression,
        *([f"\t\tformatString: {measure.format}"] if measure.format else []),
        *(["\t\tisHidden"] if measure.is_hidden else []),
        f"\t\tdisplayFolder: {measure.folder}",
        f"\t\tlineageTag: {tag}",
    ]


def _column(model: Model, table: Table, column: Column) -> list[str]:
    data_type, _ = DATA_TYPES[column.data_type]
    is_boolean = column.data_type == "boolean"
    column_format = BOOLEAN_FORMAT if is_boolean else column.format
    lines = [
        f"\t/// {column.description}",
        f"\tcolumn {quoted(column.name)}",
        f"\t\tdataType: {data_type}",
    ]
    if column.is_hidden:
        lines.append("\t\tisHidden")
    if column.is_key:
        lines.append("\t\tisKey")
    if column_format:
        lines.append(f"\t\tformatString: {column_format}")
    lines.append(f"\t\tlineageTag: {lineage_tag(model.name, table.name, column.name)}")
    if column.category:
        lines.append(f"\t\tdataCategory: {column.category}")
    lines += [
        "\t\tsummarizeBy: none",
        f"\t\tsourceColumn: {column.source}",
    ]
    if column.sort_by:
        lines.append(f"\t\tsortByColumn: {quoted(column.sort_by)}")
    lines += ["", "\t\tannotation SummarizationSetBy = User"]
    if column.data_type == "date":
        lines += ["", "\t\tannotation UnderlyingDateTimeDataType = Date"]
    return lines


def _hierarchy(
    model: Model, table: Table, name: str, levels: tuple[str, ...]
) -> list[str]:
    tag = lineage_tag(model.name, table.name, "hierarchy", name)
    lines = [f"\thierarchy {quoted(name)}", f"\t\tlineageTag: {tag}"]
    for level in levels:
        tag = lineage_tag(model.name, table.name, "hierarchy", name, level)
        lines += [
            "",
            f"\t\tlevel {quoted(level)}",
            f"\t\t\tlineageTag: {tag}",
            f"\t\t\tcolumn: {quoted(level)}",
        ]
    return lines


def _mart_query(table: Table) -> list[str]:
    """Return the M query that reads a mart of the set that the manifest names.

    Everything comes from one call with the parameter as it stands: a path that is
    computed from the manifest would be a source that a scheduled refresh does not know
    beforehand. The engines write a large table as several files.
    """
    stored = [column for column in table.columns if not column.order_of]
    names = ", ".join(f'"{column.source}"' for column in stored)
    types = ", ".join(
        f'{{"{column.source}", {DATA_TYPES[column.data_type][1]}}}' for column in stored
    )
    steps = [
        ("Source", "Folder.Files(DataFolder)"),
        ("Manifests", 'Table.SelectRows(Source, each [Name] = "manifest.json")'),
        (
            "Manifest",
            "if Table.RowCount(Manifests) = 1 then "
            "Json.Document(Manifests{0}[Content]) else error "
            '"DataFolder must be the folder with one manifest.json, exports/<input>; '
            'it is " & DataFolder',
        ),
        (
            "Files",
            "Table.SelectRows(Source, each Text.Contains([Folder Path], "
            f'Manifest[folder]) and ([Name] = "{table.mart}.parquet" or '
            f'Text.StartsWith([Name], "{table.mart}-")))',
        ),
        (
            "Mart",
            "if Table.IsEmpty(Files) then error "
            f'"{table.mart} is not among the files that manifest.json names: publish '
            'again with the release that this project is of" else '
            "Table.Combine(List.Transform(Files[Content], each Parquet.Document(_)))",
        ),
        ("Selected", f"Table.SelectColumns(Mart, {{{names}}})"),
        ("Typed", f"Table.TransformColumnTypes(Selected, {{{types}}})"),
    ]
    for column in table.columns:
        if column.order_of:
            values = ", ".join(f'"{value}"' for value in column.values)
            before = steps[-1][0]
            steps.append(
                (
                    f'#"{column.name}"',
                    f'Table.AddColumn({before}, "{column.source}", each '
                    f"List.PositionOf({{{values}}}, [{column.order_of}]), Int64.Type)",
                )
            )
    body = [f"    {name} = {expression}," for name, expression in steps]
    body[-1] = body[-1].removesuffix(",")
    return ["let", *body, "in", f"    {steps[-1][0]}"]


def _empty_query() -> list[str]:
    return [
        "let",
        "    Source = #table(type table [name = text], {})",
        "in",
        "    Source",
    ]


def quoted(name: str) -> str:
    """Return a name as TMDL writes it.

    >>> quoted("Customers"), quoted("Key Measures")
    ('Customers', "'Key Measures'")
    """
    if re.fullmatch(r"[A-Za-z_]\w*", name):
        return name
    return "'" + name.replace("'", "''") + "'"
