"""Frames to plain values, the form in which the page takes them."""

import math

import pandas as pd

SIGNIFICANT = 6


class Numbering:
    """Names of segments and countries to their places in the payload."""

    def __init__(self, segments: dict, countries: dict):
        """Take the places of segments by segmentation, and of countries."""
        self._segments = segments
        self._countries = countries

    def of(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Keep the rows of active segments; segment and country are numbers."""
        segment = [
            self._segments.get(segmentation, {}).get(segment)
            for segmentation, segment in zip(
                frame["segmentation"], frame["segment_id"], strict=True
            )
        ]
        country = [self._countries.get(name, 0) for name in frame["country"]]
        frame = frame.assign(segment=segment, country=country)
        frame = frame[frame["segment"].notna()]
        return frame.assign(segment=frame["segment"].astype(int))


def rows_of(frames, name) -> pd.DataFrame | None:
    """The frame, if it is there and has a row."""
    frame = frames.get(name)
    return None if frame is None or frame.empty else frame


def columns_of(
    frame, names: str, significant: int | None = SIGNIFICANT
) -> dict[str, list]:
    """The named columns, each a list; numbers of so many digits."""
    return {
        name: (
            numbers(frame[name], significant)
            if pd.api.types.is_numeric_dtype(frame[name])
            and not pd.api.types.is_bool_dtype(frame[name])
            else [plain(value) for value in frame[name]]
        )
        for name in names.split()
    }


def numbers(values, significant: int | None = SIGNIFICANT) -> list:
    """The values as ``number`` gives them."""
    return [number(value, significant) for value in values]


def number(value, significant: int | None = SIGNIFICANT):
    """A number of so many digits, whole ones as they are; None where it is missing."""
    if pd.isna(value) or math.isinf(value):
        return None
    value = float(value)
    if value.is_integer():
        return int(value)
    if significant is None:
        return round(value, 4)
    return float(f"{value:.{significant}g}")


def plain(value):
    """A Python value for JSON."""
    if pd.isna(value):
        return None
    if isinstance(value, str):
        return value
    if pd.api.types.is_bool(value):
        return bool(value)
    return number(value)


def in_words(name: str) -> str:
    """A name of the configuration as people would write it."""
    text = str(name).replace("_", " ")
    return "RFM" if text == "rfm" else text[:1].upper() + text[1:]
