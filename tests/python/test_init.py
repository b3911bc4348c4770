"""`segmentation init`: what it writes, what it asks, and what it says to bad files."""

import os
import shutil
import subprocess

import pytest
import strangers
import yaml
from builds import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.command_line import choice, main, talking
from segmentation.command_line.faults import Fault
from segmentation.command_line.project_file import with_input

PROJECT_TEXT = (REPOSITORY / "dbt_project.yml").read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path, own_environment, monkeypatch):
    """As much of the project as init touches."""
    folder = tmp_path / "project"
    shutil.copytree(REPOSITORY / "models/input", folder / "models/input")
    shutil.copy(REPOSITORY / "dbt_project.yml", folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def german(tmp_path):
    return strangers.german_shop().write(tmp_path)


def declared(project, name):
    return yaml.safe_load((project / "dbt_project.yml").read_text("utf-8"))["vars"][
        "inputs"
    ][name]


def init(*arguments, code=0):
    assert main(["init", *map(str, arguments)]) == code


def test_a_file_becomes_an_input_and_every_other_line_of_the_project_stays(
    project, german
):
    init("my_shop", german, "--yes")
    own = declared(project, "my_shop")
    assert own["currency"] == "EUR"
    assert own["timestamp_formats"] == ["%d.%m.%Y %H:%M"]
    assert {"discount_amount", "delivery_number"} <= set(own["order_lines"])
    before = PROJECT_TEXT.splitlines()
    after = (project / "dbt_project.yml").read_text("utf-8").splitlines()
    (first,) = (place for place, line in enumerate(after) if line == "    my_shop:")
    added = len(after) - len(before)
    assert after[:first] + after[first + added :] == before
    folder = project / "models/input/my_shop"
    assert {path.name for path in folder.iterdir()} == {
        "_my_shop.yml", "my_shop__raw_lines.sql", "my_shop__order_lines.sql",
    }  # fmt: skip
    columns = yaml.safe_load((folder / "_my_shop.yml").read_text("utf-8"))["models"][0][
        "config"
    ]["meta"]["data_file"]["columns"]
    assert columns["customer_id"] == ["Kundennr."]
    lines = (folder / "my_shop__order_lines.sql").read_text()
    assert "plain_number('unit_price', ',')" in lines


def test_the_path_of_the_file_is_kept_apart_from_what_git_tracks(project, german):
    init("my_shop", german, "--yes")
    for path in project.rglob("*"):
        if path.is_file() and path.name != ".segmentation.yml":
            assert str(german.parent).encode() not in path.read_bytes(), path
    assert not list(project.rglob("*.csv")), "the data were copied"
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", ".segmentation.yml"],
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
    )
    if shutil.which("git") and (REPOSITORY / ".git").exists():
        assert ignored.returncode == 0


def test_what_init_chose_is_built_next_and_the_demo_is_what_a_fresh_clone_builds(
    project, german, monkeypatch
):
    assert choice.chosen(None) == ("demo", {}, False)
    init("my_shop", german, "--yes")
    monkeypatch.delenv("SEGMENTATION_DATA", raising=False)
    assert choice.chosen("demo") == ("demo", {}, False)
    assert "SEGMENTATION_DATA" not in os.environ
    own = choice.chosen(None)
    assert own == ("my_shop", {"SEGMENTATION_DATA": str(german)}, True)
    assert os.environ["SEGMENTATION_DATA"] == str(german)
    other = shutil.copy(german, german.with_name("later.csv"))
    assert choice.chosen(None, str(other)).variables == {
        "SEGMENTATION_DATA": str(other)
    }
    monkeypatch.delenv("SEGMENTATION_DATA")
    german.unlink()
    with pytest.raises(Fault, match=r"no file .*german_shop.csv"):
        choice.chosen(None)


def test_init_again_replaces_only_when_asked_to(project, german, capsys):
    init("my_shop", german, "--yes")
    first = (project / "models/input/my_shop/_my_shop.yml").read_text("utf-8")
    init("my_shop", german, "--yes", "--map", "product_id=Zahlungsart", code=1)
    assert "--replace" in capsys.readouterr().err
    path = project / "models/input/my_shop/_my_shop.yml"
    assert path.read_text("utf-8") == first
    init("my_shop", german, "--yes", "--replace", "--map", "product_id=Zahlungsart")
    assert 'product_id: ["Zahlungsart"]' in path.read_text("utf-8")
    init("my_shop", german, "--yes", "--replace")
    assert path.read_text("utf-8") == first
    text = (project / "dbt_project.yml").read_text("utf-8")
    assert text.count("    my_shop:") == 1


def test_a_folder_that_init_did_not_write_is_never_replaced(project, german, capsys):
    init("template", german, "--yes", "--replace", code=1)
    assert "not written by init" in capsys.readouterr().err
    assert (project / "dbt_project.yml").read_text("utf-8") == PROJECT_TEXT


def answered(monkeypatch, *answers):
    waiting = list(answers)
    monkeypatch.setattr(talking, "can_ask", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: waiting.pop(0))
    return waiting


def test_a_wrong_guess_is_put_right_by_an_answer(project, german, monkeypatch, capsys):
    left = answered(
        monkeypatch, "?", "product_id = Nobody", "nonsense", "product_id = Zahlungsart",
        "discount_amount =", "",
    )  # fmt: skip
    init("my_shop", german)
    assert not left
    said = capsys.readouterr().out
    assert "no column Nobody" in said
    assert "It has: Bestellnr." in said
    assert "as you said" in said
    text = (project / "models/input/my_shop/_my_shop.yml").read_text("utf-8")
    assert 'product_id: ["Zahlungsart"]' in text
    assert "discount_amount" not in text


def test_q_leaves_everything_as_it_was(project, german, monkeypatch):
    answered(monkeypatch, "q")
    init("my_shop", german, code=1)
    assert not (project / "models/input/my_shop").exists()
    assert (project / "dbt_project.yml").read_text("utf-8") == PROJECT_TEXT
    assert not (project / ".segmentation.yml").exists()


def test_what_is_ambiguous_is_asked_or_stated(project, tmp_path, monkeypatch, capsys):
    path = tmp_path / "orders.csv"
    rows = [f"{n},K{n % 9},0{1 + n % 9}/0{1 + n * 7 % 9}/2024,9.90" for n in range(90)]
    path.write_text("order,customer,date,total\n" + "\n".join(rows))
    init("one", path, "--yes")
    assert "Assumed: day first" in capsys.readouterr().out
    assert declared(project, "one")["timestamp_formats"] == ["%d/%m/%Y"]
    init("two", path, "--yes", "--dates", "month-first")
    assert declared(project, "two")["timestamp_formats"] == ["%m/%d/%Y"]
    answered(monkeypatch, "dates = month-first", "")
    init("three", path)
    assert declared(project, "three")["timestamp_formats"] == ["%m/%d/%Y"]


def test_customers_without_orders_are_segmented_by_what_is_known_of_them(
    project, tmp_path
):
    path = strangers.gym_members().write(tmp_path)
    init("gym", path, "--yes")
    own = declared(project, "gym")
    assert own["attributes"] == {
        "visits_per_week": "numeric", "monthly_fee": "numeric", "plan": "categorical",
        "distance_km": "numeric",
    }  # fmt: skip
    (segmentation,) = own["segmentations"].values()
    assert set(segmentation["features"]) == {
        "visits_per_week", "monthly_fee", "distance_km",
    }  # fmt: skip
    init("gym", path, "--yes", "--replace", "--features", "Monthly Fee,Plan")
    (segmentation,) = declared(project, "gym")["segmentations"].values()
    assert set(segmentation["features"]) == {"monthly_fee", "plan"}


def test_a_second_file_of_customers_is_joined_by_the_key_that_both_have(
    project, tmp_path, capsys
):
    lines = strangers.shop(3)
    people = strangers.table(
        ["Row", "Kunde", "E-Mail", "Land", "Newsletter"],
        [
            [
                900 + n, f"k{n:05d}", strangers.person(n)["email"],
                strangers.person(n)["country"], "ja" if n % 2 else "nein",
            ]
            for n in sorted({line.customer for line in lines})
        ],
    )  # fmt: skip
    path = tmp_path / "kunden.csv"
    path.write_text(people)
    orders = strangers.german_shop().write(tmp_path)
    init("my_shop", orders, "--customers", path, "--yes")
    assert "100% of the customers who ordered" in capsys.readouterr().out
    text = (project / "models/input/my_shop/_my_shop.yml").read_text("utf-8")
    assert "path_variable: SEGMENTATION_CUSTOMERS" in text
    assert 'customer_id: ["Kunde"]' in text
    sql = (project / "models/input/my_shop/my_shop__customers.sql").read_text()
    assert "plain_boolean('consent_email')" in sql
    path.write_text("id,country\nX1,DE\nX2,FR\n")
    init("other", orders, "--customers", path, "--yes", code=1)
    assert "Hardly a customer" in capsys.readouterr().err


# ---- what is said to bad files ------------------------------------------------------

BAD = {
    "no file": (None, ["no file", "bad.csv", "looked for in"]),
    "empty": (b"", ["is empty"]),
    "blank": (b"\n\n  \n", ["is empty"]),
    "header alone": (b"order,customer,date,total\n", ["no row"]),
    "no header": (b"1,2,3\n4,5,6\n", ["looks like data", "names of the columns"]),
    "no customer": (
        b"order,total,when\nA1,5.50,2024-01-05\nA2,6.50,2024-01-06\n",
        ["customer_id", "order, total, when", "--map customer_id="],
    ),
    "utf-16": ("order;customer".encode("utf-16"), ["UTF-16", "UTF-8"]),
    "no text": (b"PK\x03\x04\x00\x00\x00", ["is no text"]),
    "same headers": (
        b"order,customer,date,total,TOTAL \n"
        + b"".join(b"A%d,K%d,2024-01-05,5.%d,7\n" % (n, n % 3, n) for n in range(30)),
        ["'total'", "'TOTAL'", "Rename"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_named_with_the_cure(project, tmp_path, capsys, name):
    content, named = BAD[name]
    path = tmp_path / "bad.csv"
    if content is not None:
        path.write_bytes(content)
    given = ["--map", "amount=TOTAL"] if name == "same headers" else []
    init("my_shop", path, "--yes", *given, code=1)
    said = capsys.readouterr().err
    for part in named:
        assert part in said
    assert "Traceback" not in said
    assert (project / "dbt_project.yml").read_text("utf-8") == PROJECT_TEXT
    assert not (project / "models/input/my_shop").exists()


WRONG_ARGUMENTS = {
    "name": (["My Shop", "{file}"], ["'My Shop'", "like my_shop"]),
    "column": (["a", "{file}", "--map", "kunde=Kundennr."], ["customer_id, "]),
    "header": (["a", "{file}", "--map", "customer_id=Kunde"], ["Kunde", "Kundennr."]),
    "features": (["a", "{file}", "--features", "x"], ["without orders"]),
}


@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_a_wrong_argument_is_named_with_what_is_known(project, german, capsys, name):
    arguments, named = WRONG_ARGUMENTS[name]
    init(*(each.format(file=german) for each in arguments), "--yes", code=1)
    said = capsys.readouterr().err
    for part in named:
        assert part in said


def test_outside_of_the_project_it_is_said_where_to_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["build"]) == 1
    assert "folder of the project" in capsys.readouterr().err


# ---- the edit of dbt_project.yml ----------------------------------------------------

SMALL = """\
# the name
name: x
vars:
  # of inputs
  inputs:
    demo:
      columns: [
        a, b,
      ]
    shop: {currency: GBP}
      # at the end
  other: null  # kept

# of models
models: {}
"""
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
VALUES = st.one_of(
    st.text(st.characters(exclude_categories=["C", "Z"]), max_size=20),
    st.lists(st.sampled_from(["order_id", "null", "no", "1"])),
)


@given(NAMES, st.dictionaries(NAMES, st.one_of(VALUES, st.dictionaries(NAMES, VALUES))))
@settings(max_examples=60, deadline=None)
def test_the_project_file_means_what_it_meant_but_for_the_entry(name, declaration):
    changed = with_input(SMALL, name, declaration)
    before, after = yaml.safe_load(SMALL), yaml.safe_load(changed)
    assert after["vars"]["inputs"].pop(name) == declaration
    before["vars"]["inputs"].pop(name, None)
    assert before == after
    again = with_input(changed, name, {"currency": "EUR"})
    assert yaml.safe_load(again)["vars"]["inputs"][name] == {"currency": "EUR"}
    for comment in ("# the name", "  # of inputs", "      # at the end", "# of models"):
        assert comment in again.splitlines()


@pytest.mark.parametrize(
    "text",
    ["name: x\n", "vars: {inputs: {demo: {currency: EUR}}}\n", "vars:\n  inputs: {}\n"],
)
def test_a_file_that_is_written_another_way_is_left_to_its_owner(text):
    with pytest.raises(Fault, match="yourself") as caught:
        with_input(text, "shop", {"currency": "EUR"})
    assert "    shop:\n      currency: EUR" in str(caught.value)
