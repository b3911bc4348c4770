"""The command line: what it says at the end, and when the database is taken."""

import io
import subprocess
import sys
import types

import duckdb
import pytest

from segmentation.command_line import main
from segmentation.command_line.building import JAVA_CURE, LOCK_CURE, summary
from segmentation.command_line.running import Progress, explanation, reduced

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


def stand_in(monkeypatch, module, **members):
    """Put a module in place of one, whether that one is there or not."""
    fake = types.ModuleType(module)
    for name, member in members.items():
        setattr(fake, name, member)
    monkeypatch.setitem(sys.modules, module, fake)


@pytest.fixture
def asked(monkeypatch):
    """What explore and powerbi hand on."""
    calls = []
    stand_in(
        monkeypatch,
        "segmentation.explorer_server",
        PORT=8765,
        serve=lambda exports, port: calls.append((str(exports), port)),
    )
    stand_in(monkeypatch, "segmentation.power_bi")
    stand_in(
        monkeypatch,
        "segmentation.power_bi.project",
        write_project_for=lambda *given: calls.append(given) or "Open it.",
    )
    return calls


def test_explore_and_powerbi_work_on_what_is_published(
    demo, asked, own_environment, monkeypatch, capsys
):
    monkeypatch.setenv("SEGMENTATION_EXPORTS", str(demo.exports))
    assert main(["explore", "--input", "demo", "--port", "9000"]) == 0
    assert main(["powerbi", "--input", "demo", "--data-folder", "D:\\x"]) == 0
    assert asked[0] == (str(demo.exports), 9000)
    assert asked[1][:2] == ("demo", demo.exports)
    assert asked[1][3] == "D:\\x"
    assert "Open it." in capsys.readouterr().out


@pytest.mark.parametrize("command", ["explore", "powerbi"])
def test_what_is_not_published_is_said_with_the_cure(
    asked, own_environment, monkeypatch, tmp_path, capsys, command
):
    monkeypatch.setenv("SEGMENTATION_EXPORTS", str(tmp_path))
    assert main([command, "--input", "demo"]) == 1
    assert not asked
    said = capsys.readouterr().err
    assert "segmentation build --input demo" in said


MESSAGES = {
    # as dbt gives them
    "macro": (
        "Compilation Error in operation customer_segmentation-on-run-start-1 "
        "(./dbt_project.yml)\n  configuration: unknown var 'k'. "
        "Known vars: input.\n  \n"
        "  > in macro stop (macros/check_configuration.sql)\n"
        "  > called by operation customer_segmentation-on-run-start-1",
        "Unknown var 'k'. Known vars: input.",
    ),
    "database": (
        "Runtime Error in model stg_x (models/staging/stg_x.sql)\n"
        "  Conversion Error: Could not convert string 'a' to INT32\n"
        "  compiled code at target/run/x.sql",
        "Conversion Error: Could not convert string 'a' to INT32",
    ),
    "plain": ("no such thing", "No such thing"),
    "none": ("", ""),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_an_error_of_dbt_is_reduced_to_the_thing_and_its_cure(name):
    message, reduced_to = MESSAGES[name]
    assert reduced(message) == reduced_to


def test_a_failed_check_is_named_with_its_rows_and_where_more_is():
    node = types.SimpleNamespace(name="shares_sum_to_one")
    broken = types.SimpleNamespace(status="fail", failures=3, node=node, message="x")
    sound = types.SimpleNamespace(status="pass", node=node)
    result = types.SimpleNamespace(
        exception=None, result=types.SimpleNamespace(results=[sound, broken])
    )
    said = explanation(result)
    assert "3 rows that must not be: shares sum to one" in said
    assert "logs/dbt.log" in said


def test_a_wrong_var_is_refused_in_words_and_nothing_is_published(
    own_environment, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("SEGMENTATION_DB", str(tmp_path / "demo.duckdb"))
    monkeypatch.setenv("SEGMENTATION_EXPORTS", str(tmp_path / "exports"))
    monkeypatch.setenv("DBT_TARGET_PATH", str(tmp_path / "target"))
    monkeypatch.setenv("DBT_LOG_PATH", str(tmp_path / "logs"))
    assert main(["build", "--input", "demo", "--vars", "{cluster_cuont: 4}"]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("Unknown var 'cluster_cuont'")
    assert "Nothing was published" in said.err
    assert "macro" not in said.err + said.out
    assert "Traceback" not in said.err + said.out


class Terminal(io.StringIO):
    def isatty(self):
        return True


def finished(name):
    return types.SimpleNamespace(
        info=types.SimpleNamespace(name="NodeFinished"),
        data=types.SimpleNamespace(node_info=types.SimpleNamespace(node_name=name)),
    )


def test_progress_is_one_line_of_a_terminal_and_few_lines_of_a_pipe():
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        progress = Progress(stream, "models and tests")
        for number in range(600):
            progress(finished(f"model_{number}"))
        progress.write("a model speaks\n")
        progress.end()
    assert "\r   600 models and tests, last model_599" in terminal.getvalue()
    assert terminal.getvalue().count("\n") == 2
    lines = pipe.getvalue().splitlines()
    assert lines[:3] == [
        "   250 models and tests", "   500 models and tests", "a model speaks",
    ]  # fmt: skip
    assert lines[3].startswith("  600 models and tests in ")
    assert "\r" not in pipe.getvalue()
