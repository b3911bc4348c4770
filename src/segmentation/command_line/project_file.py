"""Entries of `vars: inputs:` in dbt_project.yml, put in by a careful edit of its text.

The comments stay. What the file means is compared before it is written: it must mean
what it meant, but for the one entry.
"""

import json
import re

import yaml

from segmentation.command_line.faults import Fault

WIDTH = 88


def with_input(text: str, name: str, declaration: dict) -> str:
    """Return the text of dbt_project.yml with the declaration of an input.

    Parameters
    ----------
    text
        Of the file as it is.
    name
        Of the input; one that is there is replaced.
    declaration
        Plain dictionaries, lists, texts and numbers.

    Raises
    ------
    Fault
        If the file has no `vars: inputs:` as a block, or the edit would change more.

    """
    entries = _entries(text, name, declaration)
    lines = text.splitlines(keepends=True)
    indent = entries[0][0].start_mark.column
    block = _block(name, declaration, indent)
    for key, value in entries:
        if key.value == name:
            first, end = key.start_mark.line, _last_line(value) + 1
            break
    else:
        first = end = _last_line(entries[-1][1]) + 1
        if not lines[-1].endswith("\n"):
            lines[-1] += "\n"
    changed = "".join([*lines[:first], block, *lines[end:]])
    before, after = yaml.safe_load(text), yaml.safe_load(changed)
    before["vars"]["inputs"][name] = declaration
    if before != after:
        raise _by_hand(name, declaration)
    return changed


def _entries(text: str, name: str, declaration: dict) -> list[tuple]:
    """(key, value) nodes of the block of inputs."""
    node = yaml.compose(text)
    for step in ("vars", "inputs"):
        found = [
            value
            for key, value in (node.value if isinstance(node, yaml.MappingNode) else [])
            if key.value == step
        ]
        node = found[0] if found else None
    if not isinstance(node, yaml.MappingNode) or node.flow_style or not node.value:
        raise _by_hand(name, declaration)
    return node.value


def _last_line(node) -> int:
    """The line where a node's own text ends, without comments and blanks after it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return node.end_mark.line
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _by_hand(name: str, declaration: dict) -> Fault:
    return Fault(
        "dbt_project.yml is written in a way that is not changed by a program.",
        f"Add this under vars: inputs: yourself:\n{_block(name, declaration, 4)}",
    )


def _block(name: str, declaration: dict, indent: int) -> str:
    text = "".join(_written({name: declaration}, indent))
    assert yaml.safe_load(text) == {name: declaration}
    return text


def _written(mapping: dict, indent: int):
    """Lines of a mapping in the style of the file."""
    pad = " " * indent
    for name, value in mapping.items():
        key = _scalar(name)
        if isinstance(value, dict) and value:
            yield f"{pad}{key}:\n"
            yield from _written(value, indent + 2)
        elif isinstance(value, list) and len(pad + key + str(value)) > WIDTH:
            yield f"{pad}{key}: [\n"
            line = f"{pad}  "
            for item in value:
                word = f"{_scalar(item)}, "
                if len(line) + len(word) > WIDTH:
                    yield line.rstrip() + "\n"
                    line = f"{pad}  "
                line += word
            yield f"{line.rstrip()}\n{pad}]\n"
        elif isinstance(value, list):
            yield f"{pad}{key}: [{', '.join(map(_scalar, value))}]\n"
        else:
            yield f"{pad}{key}: {_scalar(value)}\n"


def _scalar(value) -> str:
    """A plain word where it is one, else a quoted text."""
    is_word = isinstance(value, str) and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", value)
    if is_word and yaml.safe_load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)
