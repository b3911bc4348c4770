"""Published only when green, all at once, and never twice the same."""

import hashlib
import json
import threading
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from builds import build, continued, tree

from segmentation import publishing
from segmentation.publishing import publish

# ---- by whole builds ---------------------------------------------------------------


def test_an_equal_build_publishes_nothing_and_says_so(demo, rebuilt):
    (said,) = rebuilt.lines("Unchanged")
    assert demo.manifest()["folder"] in said
    assert "0 new model versions" in said
    assert tree(rebuilt.exports) == tree(demo.exports)
    assert rebuilt.registry() == demo.registry()
    assert rebuilt.facts() == demo.facts()
    assert rebuilt.rows("select status from dev_marts.publish") == [("unchanged",)]


def test_the_first_build_says_what_it_published(demo):
    (said,) = demo.lines("Published")
    assert str(demo.exports / demo.manifest()["folder"]) in said
    tables = [f for f in demo.manifest()["files"] if f["name"].endswith(".parquet")]
    assert f"{len(tables)} tables" in said
    cut_points, prototypes, *_ = demo.registry()
    assert len(cut_points) == 4
    assert {row[1] for row in prototypes} == {1}


@pytest.mark.parametrize(
    ("command", "args", "reason"),
    [
        pytest.param(
            "run",
            ["--select", "published_marts", "publish"],
            "command was dbt run",
            marks=pytest.mark.slow,
            id="run",
        ),
        pytest.param(
            "build", ["--select", "published_marts+"], "it had --select", id="select"
        ),
        pytest.param(
            "build",
            ["--exclude", "+published_marts"],
            "it had --exclude",
            marks=pytest.mark.slow,
            id="exclude",
        ),
    ],
)
def test_a_partial_build_publishes_nothing_and_says_why_in_one_line(
    demo, tmp_path, command, args, reason
):
    continued(demo, tmp_path, exports=False)
    partial = build(tmp_path, command, args=args)
    (said,) = partial.lines("ublished:")
    assert said.startswith("Not published: only a full dbt build publishes")
    assert reason in said
    assert not partial.exports.exists()
    assert partial.registry() == demo.registry()


def test_a_failing_test_keeps_everything_from_being_published(demo, red):
    assert red.code == 1
    assert red.lines("Failure in test planted")
    assert tree(red.exports) == tree(demo.exports)
    assert red.registry() == demo.registry()
    # the figures were other ones, so that publishing would have shown
    sql = "select customer_id, rfm_segment from dev_marts.dim_customers order by 1"
    assert red.rows(sql) != demo.rows(sql)


def test_what_the_hooks_write_stays_where_dbt_has_not_looked_before(tmp_path):
    """Without its cache, dbt's own look into a schema would undo what they write."""
    seeded = build(
        tmp_path, "seed", args=["--no-populate-cache", "--select", "palette"]
    )
    assert {
        table
        for (table,) in seeded.rows(
            "select table_name from information_schema.tables "
            "where table_schema = 'dev_registry'"
        )
    } == {
        "segment_prototypes", "rfm_cut_points", "training_bins", "segment_candidates",
        "customer_months", "customer_segment_months", "known_candidates", "current_run",
        "increments", "increments_run",
    }  # fmt: skip
    assert "dbt seed" in seeded.one(
        "select partial_because from dev_registry.current_run"
    )


def test_a_warning_does_not_keep_anything_from_being_published(demo, eight_clusters):
    assert eight_clusters.lines("Warning in test planted")
    assert eight_clusters.lines("Published")
    manifest = eight_clusters.manifest()
    assert manifest["folder"] != demo.manifest()["folder"]
    assert manifest["configuration"]["cluster_count"] == 8


# ---- by the function alone ---------------------------------------------------------


class Shop:
    """A database with two marts and a registry table, and where they are published."""

    def __init__(self, folder):
        self.exports = folder / "exports"
        self.csv = False
        self.session = duckdb.connect(str(folder / "shop.duckdb"))
        self.session.execute(
            "create schema registry;"
            "create table registry.cut_points (model_version integer, score integer);"
            "create table customers "
            "(customer_id varchar, email varchar, spent decimal(9, 2));"
            "create table orders (order_id integer);"
            "create table registry_cut_points as from registry.cut_points"
        )

    def fill(self, spent, version=1):
        """Make the figures of a build; rows come in no useful order."""
        self.session.execute(
            "delete from customers; delete from orders;"
            "delete from registry_cut_points;"
            "insert into orders select 5000 - range from range(5000);"
            "insert into registry_cut_points "
            "select v, s from range(1, 1 + $version) a(v), range(2, 6) b(s)",
            {"version": version},
        )
        self.session.executemany(
            "insert into customers values (?, ?, ?)",
            [("B", "b@example.org", spent), ("A", "a@example.org", Decimal("1.50"))],
        )
        return self

    def publish(self, because=""):
        tables = pd.DataFrame(
            {
                "table_name": ["orders", "customers", "registry_cut_points"],
                "relation": ["orders", "customers", "registry_cut_points"],
                "column_names": [
                    "order_id", "customer_id, spent", "model_version, score",
                ],
                "key_columns": ["order_id", "customer_id", "model_version, score"],
                "registry_table": ["", "", "cut_points"],
                "registry_columns": ["", "", "model_version, score"],
                "registry_keys": ["", "", "model_version"],
                "promoted_where": ["", "", "true"],
                "is_csv": [False, self.csv, False],
                "input_name": "small",
                "currency": "EUR",
                "exports_folder": str(self.exports),
                "registry_schema": "registry",
                "configuration": '{"k": 3}',
                "as_of_date": pd.Timestamp("2025-01-01"),
                "partial_because": because,
            }
        )  # fmt: skip
        return publish(tables, self.session).iloc[0]

    def manifest(self):
        return json.loads((self.exports / "manifest.json").read_text())

    def sets(self):
        return {path.name for path in self.exports.iterdir() if path.is_dir()}

    def read(self, manifest, name):
        path = self.exports / manifest["folder"] / f"{name}.parquet"
        return duckdb.sql(f"from read_parquet('{path}')").fetchall()

    def registered(self):
        return self.session.execute("from registry.cut_points order by all").fetchall()


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path).fill(Decimal("10.00"))


def test_files_hold_the_asked_columns_by_key_and_hashes_name_the_set(shop):
    outcome = shop.publish()
    manifest = shop.manifest()
    assert (outcome["status"], outcome["folder"]) == ("published", manifest["folder"])
    assert manifest["configuration"] == {"k": 3}
    customers = [("A", Decimal("1.50")), ("B", Decimal("10.00"))]
    assert shop.read(manifest, "customers") == customers
    assert shop.read(manifest, "orders") == [(number,) for number in range(1, 5001)]
    for file in manifest["files"]:
        content = (shop.exports / manifest["folder"] / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_table_for_spreadsheets_is_a_csv_too_without_what_stays_inside(shop):
    shop.csv = True
    shop.session.execute("insert into customers values ('=1+1', 'c@example.org', -0.5)")
    shop.publish()
    manifest = shop.manifest()
    path = shop.exports / manifest["folder"] / "customers.csv"
    content = path.read_bytes()
    assert content == (b"customer_id,spent\r\n'=1+1,-0.50\r\nA,1.50\r\nB,10.00\r\n")
    files = {file["name"]: file for file in manifest["files"]}
    assert files["customers.csv"]["rows"] == 3
    assert files["customers.csv"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert set(files) == {
        "customers.csv", "customers.parquet", "orders.parquet",
        "registry_cut_points.parquet",
    }  # fmt: skip
    assert shop.publish()["status"] == "unchanged"
    path.write_bytes(content[:-1])
    assert shop.publish()["status"] == "published"
    assert path.read_bytes() == content


def test_a_reader_finishes_with_the_set_it_began_with(shop):
    shop.publish()
    begun = shop.manifest()
    assert shop.read(begun, "customers")[1] == ("B", Decimal("10.00"))
    assert shop.fill(Decimal("20.00"), version=2).publish()["status"] == "published"
    assert shop.manifest()["folder"] != begun["folder"]
    assert len(shop.read(begun, "registry_cut_points")) == 4
    assert len(shop.read(shop.manifest(), "registry_cut_points")) == 8
    assert shop.read(begun, "customers")[1] == ("B", Decimal("10.00"))


def test_only_the_last_two_sets_are_kept(shop):
    folders = []
    for spent in ("10.00", "20.00", "30.00"):
        shop.fill(Decimal(spent)).publish()
        folders.append(shop.manifest()["folder"])
    assert len(set(folders)) == 3
    assert shop.sets() == set(folders[1:])


def test_equal_content_publishes_nothing(shop):
    shop.publish()
    path = shop.exports / "manifest.json"
    before = tree(shop.exports), path.stat().st_mtime_ns, path.stat().st_ino
    outcome = shop.fill(Decimal("10.00")).publish()
    assert outcome["status"] == "unchanged"
    assert outcome["message"].startswith("Unchanged")
    after = tree(shop.exports), path.stat().st_mtime_ns, path.stat().st_ino
    assert after == before
    assert len(shop.registered()) == 4


def test_going_back_to_the_set_before_publishes_it_again(shop):
    for spent in ("10.00", "20.00", "10.00"):
        assert shop.fill(Decimal(spent)).publish()["status"] == "published"
    assert shop.read(shop.manifest(), "customers")[1] == ("B", Decimal("10.00"))
    assert len(shop.sets()) == 2


@pytest.mark.parametrize("damage", ["cut short", "other bytes", "gone", "folder gone"])
def test_a_damaged_set_is_healed_by_the_next_publish(shop, damage):
    shop.publish()
    whole = tree(shop.exports)
    folder = shop.exports / shop.manifest()["folder"]
    path = folder / "customers.parquet"
    if damage == "cut short":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "other bytes":
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    else:
        for file in [path] if damage == "gone" else list(folder.iterdir()):
            file.unlink()
        if damage == "folder gone":
            folder.rmdir()
    assert tree(shop.exports) != whole
    assert shop.publish()["status"] == "published"
    assert tree(shop.exports) == whole


@pytest.mark.parametrize("content", ["", "{", "{}", '{"folder": 3}'])
def test_a_damaged_manifest_is_replaced(shop, content):
    shop.publish()
    whole = tree(shop.exports)
    (shop.exports / "manifest.json").write_text(content)
    assert shop.publish()["status"] == "published"
    assert tree(shop.exports) == whole


def test_a_crash_before_the_manifest_leaves_the_old_set_in_force(shop, monkeypatch):
    shop.publish()
    before = tree(shop.exports)
    shop.fill(Decimal("20.00"), version=2)
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_replace_manifest", fail)
        with pytest.raises(OSError, match="power cut"):
            shop.publish()
    after = tree(shop.exports)
    assert {name: after[name] for name in before} == before
    assert len(shop.registered()) == 4, "only what is published is promoted"
    assert shop.publish()["status"] == "published"
    assert shop.read(shop.manifest(), "customers")[1] == ("B", Decimal("20.00"))
    assert len(shop.registered()) == 8


def fail(*_):
    raise OSError("power cut")


def test_what_a_crash_left_behind_is_cleared_away(shop, monkeypatch):
    shop.publish()
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_replace_manifest", fail)
        with pytest.raises(OSError, match="power cut"):
            shop.fill(Decimal("20.00")).publish()
    shop.fill(Decimal("30.00")).publish()
    shop.fill(Decimal("40.00")).publish()
    assert len(shop.sets()) == 2
    # two sets of three files, the manifest and the report
    assert len(tree(shop.exports)) == 8


def test_a_killed_publish_leaves_no_folder_for_ever(shop):
    """A process that is killed cannot remove the folder that it was writing to."""
    abandoned = shop.exports / ".writing-abcdefgh"
    abandoned.mkdir(parents=True)
    (abandoned / "customers.parquet").write_bytes(b"half a file")
    shop.publish()
    shop.fill(Decimal("20.00")).publish()
    assert not abandoned.exists()


def test_a_version_that_was_published_but_not_promoted_is_promoted_next(
    shop, monkeypatch
):
    with monkeypatch.context() as patched:
        patched.setattr(publishing, "_promote", fail)
        with pytest.raises(OSError, match="power cut"):
            shop.publish()
    assert shop.registered() == []
    outcome = shop.publish()
    assert outcome["status"] == "unchanged"
    assert "1 new model version" in outcome["message"]
    assert len(shop.registered()) == 4


def test_promotion_appends_new_versions_only(shop):
    shop.publish()
    shop.session.execute("update registry_cut_points set score = score + 90")
    shop.publish()
    assert [row[1] for row in shop.registered()] == [2, 3, 4, 5]
    shop.fill(Decimal("10.00"), version=3).publish()
    assert sorted({row[0] for row in shop.registered()}) == [1, 2, 3]


def test_the_facts_of_a_version_come_before_it_and_are_no_versions():
    """A crash between the two must not leave a version without its facts."""
    statements = []

    class Engine:
        def rows(self, sql):
            return [("value", 1), ("value", 2)]

        def execute(self, sql):
            statements.append(sql)

    names = ["", "rfm_cut_points", "segment_candidates", "segment_prototypes"]
    names += ["training_bins"]
    tables = pd.DataFrame({"registry_table": names, "relation": names})
    tables["registry_columns"] = tables["registry_keys"] = "segmentation, model_version"
    promoted = publishing._promote(
        Engine(), tables.assign(promoted_where="true"), "registry"
    )
    assert promoted == "4 new model versions", "of cut points and prototypes"
    inserted = [sql.split()[2] for sql in statements if sql.startswith("insert")]
    assert inserted == [
        "registry.segment_candidates", "registry.training_bins",
        "registry.rfm_cut_points", "registry.segment_prototypes",
    ]  # fmt: skip


def test_a_partial_build_writes_no_file_and_promotes_nothing(shop):
    outcome = shop.publish(because="it had --select")
    assert outcome["status"] == "not_published"
    assert "it had --select" in outcome["message"]
    assert "\n" not in outcome["message"]
    assert not shop.exports.exists()
    assert shop.registered() == []


def test_the_manifest_is_replaced_whole_and_last(shop, monkeypatch):
    shop.publish()
    before = shop.manifest()
    moves = []
    replace = Path.replace

    def watched(source, target):
        if Path(target).name == "manifest.json":
            new = json.loads(source.read_text())
            folder = shop.exports / new["folder"]
            whole = [(folder / file["name"]).is_file() for file in new["files"]]
            moves.append((shop.manifest() == before, all(whole), source.parent))
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", watched)
    shop.fill(Decimal("20.00")).publish()
    assert moves == [(True, True, shop.exports)]


def test_who_reads_the_manifest_at_any_moment_reads_a_whole_one(shop):
    shop.publish()
    is_over = threading.Event()
    seen, faults = set(), []

    def reader():
        while not is_over.is_set():
            try:
                seen.add(shop.manifest()["folder"])
            except (OSError, ValueError) as error:
                faults.append(error)

    thread = threading.Thread(target=reader)
    thread.start()
    for number in range(30):
        shop.fill(Decimal(number)).publish()
    is_over.set()
    thread.join()
    assert not faults
    assert len(seen) > 5
