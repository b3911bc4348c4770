"""Rules: which customers a segment holds, in words and as SQL."""

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from segmentation.frames import require_columns, with_dtypes

RULE_DTYPES = {
    "segment_id": "string",
    "condition_number": "Int64",
    "feature": "string",
    "level": "string",
    "comparison": "string",
    "threshold": "float64",
    "rule_text": "string",
    "rule_sql": "string",
    "precision": "float64",
    "recall": "float64",
    "f1": "float64",
}
TREE_DTYPES = {
    "tree_sql": "string",
    "accuracy": "float64",
    "max_depth": "Int64",
    "leaf_count": "Int64",
}
MAXIMUM_CONDITIONS = 3
# scikit-learn's trees compare in single precision, which has seven digits.
SPLIT_DIGITS = 7
LEVELS_TRIED = 20
UNITS = {
    "days": "days",
    "count": "count",
    "orders": "count",
    "money": "money",
    "currency": "money",
    "share": "share",
}
COARSENESS = (0, 1)  # first the rounder thresholds, then the finer ones


@dataclass(frozen=True)
class _Condition:
    """At most / more than a number, or is (not ``at_most``) / is not a level."""

    feature: str
    at_most: bool
    value: float | str

    @property
    def is_level(self) -> bool:
        return isinstance(self.value, str)

    def row(self) -> dict:
        """Return the parts of the condition as they are published."""
        if self.is_level:
            comparison = "is_not" if self.at_most else "is"
            return {
                "feature": self.feature,
                "level": self.value,
                "comparison": comparison,
            }
        return {
            "feature": self.feature,
            "comparison": "at_most" if self.at_most else "more_than",
            "threshold": self.value,
        }

    def holds(self, columns: dict) -> np.ndarray:
        """Tell for which customers it is true; never where the value is missing."""
        values, missing = columns[self.feature]
        if self.is_level:
            return ((values == self.value) != self.at_most) & ~missing
        with np.errstate(invalid="ignore"):
            return (values <= self.value if self.at_most else values > self.value) & (
                ~missing
            )

    def sql(self) -> str:
        if self.is_level:
            return (
                f"{self.feature} {'<>' if self.at_most else '='} {_quoted(self.value)}"
            )
        return f"{self.feature} {'<=' if self.at_most else '>'} {_literal(self.value)}"


def ordered_segments(labels) -> list[str]:
    """Return the distinct segment ids, by the number they end in, then as text.

    Parameters
    ----------
    labels : array-like of shape (n,)
        Nulls are left out.

    Examples
    --------
    >>> ordered_segments(["value-10", "value-2", None, "value-10"])
    ['value-2', 'value-10']

    """
    distinct = pd.Series(np.asarray(labels, dtype="object")).dropna().astype("string")

    def key(segment_id: str) -> tuple[float, str]:
        number = re.search(r"\d+$", segment_id)
        return (float(number.group()) if number else np.inf, segment_id)

    return sorted(map(str, distinct.unique()), key=key)


def labels_of(labels, count: int) -> np.ndarray:
    """Return the labels as text, None where null, or raise if their count is wrong.

    Parameters
    ----------
    labels : array-like of shape (n,)
    count
        How many there must be.

    Raises
    ------
    ValueError
        If there are more or fewer.

    """
    labels = pd.Series(np.asarray(labels, dtype="object")).astype("string")
    if len(labels) != count:
        raise ValueError(f"there are {len(labels)} labels for {count} customers")
    return labels.astype("object").where(labels.notna(), None).to_numpy()


def is_category(values: pd.Series) -> bool:
    """Tell text from numbers; numbers may come as exact decimals.

    Parameters
    ----------
    values
        Any column.

    """
    if pd.api.types.is_bool_dtype(values):
        return True
    if pd.api.types.is_numeric_dtype(values):
        return False
    return any(isinstance(value, str | bool) for value in values.dropna())


def describe_segments(
    features: pd.DataFrame,
    labels,
    *,
    units: pd.DataFrame,
    phrases: pd.DataFrame,
) -> pd.DataFrame:
    """Return the best short rule of each segment, in parts, in words and as SQL.

    A decision tree of depth 3 (CART, Breiman et al. 1984; scikit-learn, classes
    balanced) tells the segment from the rest. Every node of it but the root is a
    candidate: those of depth 1 and 2 are the leaves of the shallower trees.
    Thresholds are rounded to business units, conditions on one feature merged, and
    what then holds for everyone is left out. Of the rules so rounded the best F1 to
    two decimals wins, then fewer conditions, then the rounder thresholds.

    Parameters
    ----------
    features
        One row per customer, one column per feature (a plain SQL identifier):
        numbers in raw units, or text. No rule holds for a missing value.
    labels : array-like of shape (n,)
        Segment id of each customer; customers without one do not count.
    units
        feature and unit of any feature: 'days' (rounded to whole days below 10, 5
        below 100, else 10), 'money' or 'currency' (one digit), 'count' or 'orders'
        (whole numbers, from 100 on two digits), 'share' (5 %); anything else two
        digits. Where it describes a segment better, whole days, two digits, whole
        numbers, 1 % and three digits instead. A column ``step`` (may be null)
        rounds a feature to its multiples and nothing else.
    phrases
        feature, at_most_phrase and more_than_phrase of any feature, with {value}
        where the threshold goes; optionally is_phrase and is_not_phrase for levels
        and between_phrase with {low} and {high}. A feature without a phrase is
        called by its column name.

    Returns
    -------
    DataFrame
        One row per segment and condition, by segment number and condition_number
        (from 1), with ``RULE_DTYPES``; all conditions must hold. comparison is
        'at_most' or 'more_than' the threshold (in raw units), or 'is' or 'is_not'
        the level (null for numbers). rule_text and rule_sql are the whole rule;
        precision, recall and f1 are those of the rounded rule on the labelled
        customers given, by its SQL. The best rule is returned however good it is. A
        segment that none could be found for, as where it is the only one, has one
        row, null from condition_number on.

    Raises
    ------
    ValueError
        If a column is missing, a feature has two units or phrases, a feature name
        is no plain SQL identifier, or there is not one label per customer.

    """
    require_columns(units, ["feature", "unit"], name="units")
    require_columns(
        phrases, ["feature", "at_most_phrase", "more_than_phrase"], name="phrases"
    )
    for frame, name in ((units, "units"), (phrases, "phrases")):
        if frame["feature"].duplicated().any():
            raise ValueError(f"{name} have the same feature twice")
    units = units.set_index("feature").to_dict("index")
    phrases = phrases.set_index("feature").to_dict("index")
    columns, labels = _columns(features, labels)
    matrix, splits = _matrix(columns)
    rows = []
    for segment_id in ordered_segments(labels):
        own = labels == segment_id
        best = _best_rule(matrix, splits, columns, own, units)
        if best is None:
            rows.append({"segment_id": segment_id})
            continue
        rule, quality = best
        whole = {
            "segment_id": segment_id,
            "rule_text": _text(rule, units, phrases),
            "rule_sql": " and ".join(condition.sql() for condition in rule),
            **dict(zip(("precision", "recall", "f1"), quality, strict=True)),
        }
        rows += [
            whole | {"condition_number": number} | condition.row()
            for number, condition in enumerate(rule, start=1)
        ]
    return with_dtypes(pd.DataFrame(rows, columns=list(RULE_DTYPES)), RULE_DTYPES)


def tree_sql(features: pd.DataFrame, labels, *, max_depth: int = 4) -> pd.DataFrame:
    """Return one decision tree for all segments as an SQL case expression.

    Parameters
    ----------
    features, labels
        As for ``describe_segments``. A missing number counts as the median.
    max_depth
        How many questions at most lead to a segment.

    Returns
    -------
    DataFrame
        One row with ``TREE_DTYPES``: tree_sql gives the segment_id, its splits
        rounded to 7 digits; accuracy is the share of the labelled customers that
        this very expression puts into their segment.

    Raises
    ------
    ValueError
        If a feature name is no plain SQL identifier, there is not one label per
        customer, or no customer has a label.

    """
    columns, labels = _columns(features, labels)
    if not len(labels):
        raise ValueError("no customer has a label")
    matrix, splits = _matrix(columns)
    segments = ordered_segments(labels)
    numbers = np.array([segments.index(label) for label in labels])
    tree = _fitted(matrix, numbers, max_depth=max_depth, class_weight=None)
    found = np.empty(len(labels), dtype=object)
    leaves = []

    def write(node: int, here: np.ndarray) -> str:
        left, right = tree.children_left[node], tree.children_right[node]
        segment = segments[int(tree.value[node][0].argmax())]
        if left != right:
            feature, level = splits[tree.feature[node]]
            if level is None:
                threshold = _significant(tree.threshold[node], SPLIT_DIGITS)
                is_left = matrix[:, tree.feature[node]] <= threshold
                name = feature
                if columns[feature][1].any():
                    middle = _literal(_median(columns[feature][0]))
                    name = f"coalesce({feature}, {middle})"
                question = f"{name} <= {_literal(threshold)}"
                branches = [(left, here & is_left), (right, here & ~is_left)]
            else:
                is_level = matrix[:, tree.feature[node]] > 0.5
                question = f"{feature} = {_quoted(level)}"
                branches = [(right, here & is_level), (left, here & ~is_level)]
            before = len(leaves)
            first, second = (write(*branch) for branch in branches)
            if first != second:
                return f"case when {question} then {first} else {second} end"
            del leaves[before:]  # both sides are one segment
        found[here] = segment
        leaves.append(node)
        return _quoted(segment)

    sql = write(0, np.ones(len(labels), dtype=bool))
    row = {
        "tree_sql": sql,
        "accuracy": round(float((found == labels).mean()), 9),
        "max_depth": max_depth,
        "leaf_count": len(leaves),
    }
    return with_dtypes(pd.DataFrame([row]), TREE_DTYPES)


def _columns(features: pd.DataFrame, labels) -> tuple[dict, np.ndarray]:
    """Return feature -> (values, missing) and the labels, of labelled customers."""
    for feature in features:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", str(feature)):
            raise ValueError(f"feature {feature!r} is no plain SQL identifier")
    labels = labels_of(labels, len(features))
    features = features[pd.notna(labels)]
    columns = {}
    for feature in features:
        values = features[feature]
        missing = values.isna().to_numpy()
        if is_category(values):
            values = values.astype("string").fillna("").to_numpy(dtype=object)
        else:
            values = values.to_numpy(dtype=float, na_value=np.nan)
        columns[feature] = (values, missing)
    return columns, labels[pd.notna(labels)]


def _matrix(columns: dict) -> tuple[np.ndarray, list[tuple[str, str | None]]]:
    """Return what a tree may split on, and feature and level of each column of it."""
    parts, splits = [], []
    for feature, (values, missing) in columns.items():
        if values.dtype == object:
            counts = pd.Series(values[~missing]).value_counts().sort_index()
            common = counts.sort_values(ascending=False, kind="stable")
            for level in sorted(common.index[:LEVELS_TRIED]):
                parts.append(((values == level) & ~missing).astype(float))
                splits.append((feature, str(level)))
        else:
            parts.append(np.where(missing, _median(values), values))
            splits.append((feature, None))
    return np.column_stack(parts), splits


def _median(values: np.ndarray) -> float:
    present = values[~np.isnan(values)]
    return _significant(np.median(present), SPLIT_DIGITS) if len(present) else 0.0


def _fitted(matrix, numbers, *, max_depth, class_weight):
    # Sums of weights depend on the order of the rows; equal rows may change places.
    order = np.lexsort([numbers, *matrix.T[::-1]])
    model = DecisionTreeClassifier(
        max_depth=max_depth, class_weight=class_weight, random_state=0
    )
    return model.fit(matrix[order], numbers[order]).tree_


def _best_rule(matrix, splits, columns, own, units):
    """Return the best rounded rule and its (precision, recall, f1), if there is one."""
    if own.all():
        return None
    tree = _fitted(
        matrix,
        own.astype(int),
        max_depth=MAXIMUM_CONDITIONS,
        class_weight="balanced",
    )
    found = []
    for path in _paths(tree, splits):
        for coarseness in COARSENESS:
            rule = _rounded(path, units, coarseness)
            rule = [c for c in rule if not c.holds(columns).all()]
            if not rule:
                continue
            quality = _quality(rule, columns, own)
            key = (-round(quality[2], 2), len(rule), coarseness, len(found))
            found.append((key, rule, quality))
    return min(found, key=lambda entry: entry[0])[1:] if found else None


def _paths(tree, splits) -> list[list[_Condition]]:
    """Return the conditions that lead to each node but the root, in node order."""
    paths: dict[int, list[_Condition]] = {0: []}
    for node in range(tree.node_count):  # parents come before their children
        left, right = tree.children_left[node], tree.children_right[node]
        if left == right:
            continue
        feature, level = splits[tree.feature[node]]
        value = tree.threshold[node] if level is None else level
        for child, at_most in ((left, True), (right, False)):
            paths[child] = [*paths[node], _Condition(feature, at_most, value)]
    return [paths[node] for node in sorted(paths) if node]


def _rounded(path, units, coarseness) -> list[_Condition]:
    """Return the path with rounded thresholds, one bound per feature and side."""
    merged: dict[tuple, _Condition] = {}
    order = {feature: i for i, feature in enumerate(dict.fromkeys(_names(path)))}
    for condition in path:
        if condition.is_level:
            merged[condition.feature, condition.at_most, condition.value] = condition
            continue
        unit = units.get(condition.feature, {})
        value = _business(condition.value, unit, coarseness)
        key = (condition.feature, condition.at_most, None)
        if key in merged:
            tighter = min if condition.at_most else max
            value = tighter(value, merged[key].value)
        merged[key] = replace(condition, value=value)
    # Of a feature that is one level it need not be said which it is not.
    known = {c.feature for c in merged.values() if c.is_level and not c.at_most}
    kept = [
        c
        for c in merged.values()
        if not (c.is_level and c.at_most and c.feature in known)
    ]
    return sorted(kept, key=lambda c: (order[c.feature], c.at_most))


def _names(path) -> list[str]:
    return [condition.feature for condition in path]


def _business(value: float, unit: dict, coarseness: int) -> float:
    """Return a threshold rounded to what is said in business."""
    step = unit.get("step")
    if step is not None and not pd.isna(step):
        return _multiple(value, float(step))
    kind = UNITS.get(str(unit.get("unit")), "number")
    size = abs(value)
    if kind == "money":
        return _significant(value, 1 + coarseness)
    if kind == "share":
        return _multiple(value, (0.05, 0.01)[coarseness])
    if kind == "number":
        return _significant(value, 2 + coarseness)
    coarse = not coarseness
    if kind == "days" and coarse and size >= 10:
        return _multiple(value, 5 if size < 100 else 10)
    if kind == "count" and coarse and size >= 100:
        return _significant(value, 2)
    # At most 6.5 is at most 6, of whole numbers.
    return float(np.floor(value)) + 0.0


def _multiple(value: float, step: float) -> float:
    return round(float(np.floor(value / step + 0.5)) * step, 9) + 0.0


def _significant(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}") + 0.0


def _quality(rule, columns, own) -> tuple[float, float, float]:
    """Return precision, recall and F1 of a rule; 0 where it holds for nobody."""
    holds = np.logical_and.reduce([condition.holds(columns) for condition in rule])
    hits = int((holds & own).sum())
    if not hits:
        return (0.0, 0.0, 0.0)
    claimed, wanted = int(holds.sum()), int(own.sum())
    quality = (hits / claimed, hits / wanted, 2 * hits / (claimed + wanted))
    return tuple(round(value, 9) for value in quality)


def _text(rule, units, phrases) -> str:
    parts: list[str] = []
    for feature in dict.fromkeys(_names(rule)):
        own = [condition for condition in rule if condition.feature == feature]
        said = phrases.get(feature, {})
        percent = UNITS.get(str(units.get(feature, {}).get("unit"))) == "share"
        between = said.get("between_phrase")
        if len(own) == 2 and isinstance(between, str) and not own[0].is_level:
            low, high = (_said(condition.value, percent) for condition in own)
            parts.append(between.format(low=low, high=high))
            continue
        parts.extend(_phrase(condition, said, percent) for condition in own)
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def _phrase(condition, said, percent) -> str:
    names, plain = ("more_than_phrase", "at_most_phrase"), ("more than", "at most")
    if condition.is_level:
        names, plain = ("is_phrase", "is_not_phrase"), ("is", "is not")
    template = said.get(names[condition.at_most])
    value = _said(condition.value, percent)
    if isinstance(template, str):
        return template.format(value=value)
    return f"{condition.feature.replace('_', ' ')} {plain[condition.at_most]} {value}"


def _said(value, percent: bool) -> str:
    if isinstance(value, str):
        return value
    if percent:
        return f"{_literal(round(value * 100, 7))} %"
    return f"{int(value):,}" if float(value).is_integer() else f"{value:,}"


def _literal(value: float) -> str:
    return np.format_float_positional(value, trim="-")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
