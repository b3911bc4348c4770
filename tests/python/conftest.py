"""The whole builds that tests share; see builds.py for how they run."""

import csv
import os
import random
from contextlib import suppress

import duckdb
import pytest
from builds import (
    NO_TESTS,
    NO_UNIT_TESTS,
    SHARED,
    SharedBuilds,
    build,
    continued,
    copy_project,
    shared,
    write_lines,
)
from shared_data import shared_file

ONLINE_RETAIL = "online_retail/online_retail.csv.gz"
CDNOW = "cdnow_sample/CDNOW_sample.txt.gz"
VALUE_ALONE = {"segmentations_enabled": ["value"]}
AS_PUBLISHED = {
    "input": "online_retail",
    "duplicate_lines": "keep",
    "fees": "keep",
    "returns": "net",
    "as_of_date": "2011-12-10",
}


@pytest.fixture(scope="session", autouse=True)
def shared_builds(request, tmp_path_factory):
    tmp_path_factory.getbasetemp()  # made here: two threads would make one each
    builds = SharedBuilds(tmp_path_factory.mktemp)
    needed = {name for item in request.session.items for name in item.fixturenames}
    builds.start([name for name in SHARED if name in needed])
    yield builds
    builds.stop()


@pytest.fixture
def own_environment():
    """No SEGMENTATION_ variables, and those that the test sets end with it."""
    outer = dict(os.environ)
    for name in outer:
        if name.startswith("SEGMENTATION_"):
            del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(outer)


def fixture_of(name):
    @pytest.fixture(scope="session", name=name)
    def finished(shared_builds):
        return shared_builds.of(name)

    return finished


# ---- the demo, and what is built on top of it --------------------------------------


@shared
def demo(folder, of):
    return build(folder)


@shared
def online_retail(folder, of):
    """The project's defaults."""
    data = shared_file(ONLINE_RETAIL)
    variables = {"input": "online_retail"}
    return build(folder, args=NO_UNIT_TESTS, variables=variables, data=data)


@shared
def rebuilt(folder, of):
    """Once more, with another thread count and all tables made anew."""
    continued(of("demo"), folder)
    return build(folder, args=["--full-refresh", *NO_UNIT_TESTS], threads=1)


@shared
def shuffled(folder, of):
    """Other row order, more threads; the database is gone, the exports are there."""
    project = copy_project(folder)
    for path in sorted((project / "seeds" / "demo").glob("*.csv")):
        rewrite(path, lambda rows: random.Random(7).sample(rows, len(rows)))
    continued(of("demo"), folder, database=False)
    return build(folder, project=project, args=NO_UNIT_TESTS, threads=4)


def rewrite(path, change):
    """Change the rows of a CSV file, header apart."""
    with path.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([header, *change(rows)])


@shared
def planted_project(folder, of):
    """A project with a test that fails, on a mart that no other mart reads."""
    project = copy_project(folder)
    (project / "tests" / "singular").mkdir(exist_ok=True)
    (project / "tests" / "singular" / "planted.sql").write_text(
        "{{ config(severity=env_var('PLANTED_SEVERITY')) }}\n"
        "select * from {{ ref('rpt_map_loadings') }}\n"
    )
    return project


@shared
def red(folder, of):
    """The planted test fails as an error, and the figures would be other ones."""
    continued(of("demo"), folder)
    return build(
        folder,
        project=of("planted_project"),
        args=NO_UNIT_TESTS,
        variables={"new_customer_days": 30},
        environment={"PLANTED_SEVERITY": "error"},
        green=False,
    )


@shared
def eight_clusters(folder, of):
    """Another k on top of the first build; the planted test only warns."""
    continued(of("demo"), folder)
    return build(
        folder,
        project=of("planted_project"),
        args=NO_UNIT_TESTS,
        variables=VALUE_ALONE | {"cluster_count": 8},
        environment={"PLANTED_SEVERITY": "warn"},
    )


@shared
def past_date(folder, of):
    """An earlier date beside the current one; personal data is asked for."""
    continued(of("demo"), folder)
    variables = {"as_of_date": "2024-10-01", "export_personal_data": True}
    return build(
        folder,
        args=NO_UNIT_TESTS,
        variables=variables | {"rebuild_into": "autumn"},
    )._replace(exports=folder / "exports_autumn", prefix="autumn_")


@shared
def three_again(folder, of):
    continued(of("eight_clusters"), folder)
    variables = VALUE_ALONE | {"cluster_count": 3}
    return build(folder, args=NO_UNIT_TESTS, variables=variables)


@shared
def eight_again(folder, of):
    """Only the model and who is in which segment, not published."""
    continued(of("three_again"), folder)
    return build(
        folder,
        args=[
            "--select",
            "int_registered_prototypes",
            "int_registered_candidates",
            "int_published_models+,+dim_segments",
            *NO_TESTS,
        ],
        variables=VALUE_ALONE | {"cluster_count": 8},
    )


AGED = [
    "int_registered_prototypes",
    "int_registered_candidates",
    "int_published_models+",
]


def _with_orders(folder, of, change):
    """The demo with other orders on top of the first build, not published."""
    project = copy_project(folder)
    rewrite(project / "seeds" / "demo" / "demo_order_lines.csv", change)
    continued(of("demo"), folder, exports=False)
    marts = "+rpt_model_health +rpt_feature_drift +registry_rfm_cut_points"
    return build(folder, project=project, args=["--select", *marts.split(), *NO_TESTS])


@shared
def a_few_orders_less(folder, of):
    """One customer in fifty has not been there: new data without drift."""
    return _with_orders(
        folder, of, lambda rows: [row for row in rows if not row[2].endswith("50")]
    )


@shared
def dearer(folder, of):
    """All prices are three times what they were when the models were fitted."""

    def tripled(rows):
        for row in rows:
            with suppress(ValueError):  # planted dirt
                row[6] = f"{3 * float(row[6]):.2f}"
            yield row

    return _with_orders(folder, of, tripled)


@shared
def upgraded(folder, of):
    """A registry of before there were facts, with its columns as they were then."""
    continued(of("demo"), folder, exports=False)
    with duckdb.connect(str(folder / "shop.duckdb")) as connection:
        connection.execute(
            "drop table dev_registry.training_bins;"
            "drop table dev_registry.segment_candidates;"
            "alter table dev_registry.segment_prototypes "
            "drop column changed_by_model_share;"
            "alter table dev_registry.rfm_cut_points "
            "drop column changed_by_model_share;"
            "alter table dev_registry.rfm_cut_points drop column configuration_hash;"
            "alter table dev_registry.rfm_cut_points drop column reason"
        )
    return build(folder, args=["--select", *AGED, *NO_TESTS])


@shared
def cut_off(folder, of):
    """The demo as it was on 2024-10-01: later order lines have not arrived."""
    project = copy_project(folder)
    path = project / "seeds" / "demo" / "demo_order_lines.csv"

    def before(rows):
        for row in rows:
            day = row[3][:10]
            if day[2:3] == ".":
                day = f"{day[6:10]}-{day[3:5]}-{day[:2]}"
            if day < "2024-10-01":
                yield row

    rewrite(path, before)
    return build(
        folder,
        project=project,
        args=["--select", "+int_customer_rfm", "+int_churn_horizon", *NO_TESTS],
        variables={"as_of_date": "2024-10-01"},
    )


# ---- Online Retail -----------------------------------------------------------------


@shared
def returns_ignored(folder, of):
    """What the literature has: positive quantities, nothing netted."""
    return _without_netting(folder, "+int_customer_rfm")


@shared
def clustered_as_published(folder, of):
    return _without_netting(folder, "+ml_segmentation_candidates")


def _without_netting(folder, selected):
    return build(
        folder,
        args=["--select", selected, *NO_TESTS],
        variables=AS_PUBLISHED | {"returns": "ignore"},
        data=shared_file(ONLINE_RETAIL),
    )


def _from_counted_lines(folder, source, **changes):
    continued(source, folder, exports=False)
    return build(
        folder,
        args=[
            "--select",
            "int_as_of_date",
            "int_counted_lines+,+int_customer_rfm",
            *NO_TESTS,
        ],
        variables=AS_PUBLISHED | changes,
        data=shared_file(ONLINE_RETAIL),
    )


@shared
def returns_netted(folder, of):
    return _from_counted_lines(folder, of("returns_ignored"))


@shared
def returns_netted_in_july(folder, of):
    return _from_counted_lines(folder, of("returns_ignored"), as_of_date="2011-07-01")


@shared
def from_parquet(folder, of):
    """The defaults from a typed copy of the file."""
    source = shared_file(ONLINE_RETAIL)
    path = folder / "online_retail.parquet"
    with duckdb.connect() as connection:
        connection.sql(
            "select * replace (cast(InvoiceDate as timestamp) as InvoiceDate, "
            "cast(Quantity as integer) as Quantity, "
            "cast(UnitPrice as double) as UnitPrice, "
            "cast(CustomerID as double) as CustomerID) "
            f"from read_csv('{source}', all_varchar = true)"
        ).write_parquet(str(path))
    return build(
        folder,
        args=["--select", "+int_customer_rfm", *NO_TESTS],
        variables={"input": "online_retail"},
        data=path,
    )


@shared
def from_shuffled_rows(folder, of):
    """The defaults from the file's rows in another order."""
    source = shared_file(ONLINE_RETAIL)
    path = folder / "online_retail.csv"
    with duckdb.connect() as connection:
        connection.sql(
            f"select * from read_csv('{source}', all_varchar = true) "
            "order by md5(concat(InvoiceNo, StockCode, Quantity, InvoiceDate))"
        ).write_csv(str(path))
    return build(
        folder,
        args=["--select", "+int_customer_rfm", *NO_TESTS],
        variables={"input": "online_retail"},
        data=path,
    )


@shared
def cdnow(folder, of):
    """What needs no segments; a purchase that is there twice was made twice."""
    marts = ["+int_customer_outlook", "+rpt_cohort_retention", "+rpt_second_purchase"]
    return build(
        folder,
        args=["--select", *marts, *NO_TESTS],
        variables={"input": "cdnow", "duplicate_lines": "keep"},
        data=shared_file(CDNOW),
    )


# ---- own files, by the template input ----------------------------------------------


@shared
def few_customers(folder, of):
    """49 customers, one below the minimum; a production target."""
    rows = [
        f"O{number},K{number % 49:02d},2024-{1 + number % 12:02d}-{1 + number % 28:02d}"
        f" 10:00:00,P{number % 7},{1 + number % 3},{number % 90 + 1}.50"
        for number in range(300)
    ]
    return build(
        folder,
        args=["--target", "prod", *NO_UNIT_TESTS],
        variables={"input": "template"},
        data=write_lines(folder / "lines.csv", rows),
    )


for _name in SHARED:
    globals()[_name] = fixture_of(_name)
