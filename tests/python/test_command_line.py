"""The command line: what it says at the end, and when the database is taken."""

import subprocess
import sys

import duckdb
import pytest

from segmentation.command_line import main
from segmentation.command_line.building import JAVA_CURE, LOCK_CURE, summary

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print("open", flush=True)
sys.stdin.read()
"""


def test_the_summary_has_segments_rows_and_places(demo):
    text = summary(demo.exports, "some/where.duckdb")
    for segment, customers in demo.rows(
        "select segment_name, customer_count from dev_marts.rpt_segment_summary "
        "where customer_count > 0"
    ):
        assert any(
            line.strip().startswith(segment) and f" {customers:,} " in line
            for line in text.splitlines()
        ), segment
    used = demo.one("select count(*) from dev_staging.stg_order_lines")
    assert f"{used:,} used" in text
    assert "some/where.duckdb" in text
    assert str(demo.exports / demo.manifest()["folder"]) in text


def test_a_reader_that_holds_the_database_is_named_with_the_cure(
    tmp_path, monkeypatch, capsys
):
    database = tmp_path / "held.duckdb"
    duckdb.connect(str(database)).close()
    monkeypatch.setenv("SEGMENTATION_DB", str(database))
    reader = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout.readline() == "open\n"
    try:
        assert main(["build"]) == 1
    finally:
        reader.communicate("")
    said = capsys.readouterr().err
    assert f"PID {reader.pid}" in said
    assert LOCK_CURE in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("said", "reason"),
    [(None, "no java is found"), ('openjdk version "11.0.2"', "needs Java 17")],
    ids=["absent", "too old"],
)
def test_a_missing_java_says_so_with_the_cure(
    tmp_path, monkeypatch, capsys, said, reason
):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    if said:
        java = tmp_path / "java"
        java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
        java.chmod(0o755)
    assert main(["build", "--target", "spark"]) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert JAVA_CURE in error
