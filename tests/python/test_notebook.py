"""The notebook: it runs on any input, and what it concludes is in the marts."""

import importlib.util
import re
import shutil
from pathlib import Path

import duckdb
import jupytext
import nbformat
import pytest
from builds import REPOSITORY

NOTEBOOKS = REPOSITORY / "notebooks"
COMMITTED = NOTEBOOKS / "eda.ipynb"
LARGEST = 1_500_000  # bytes of the committed notebook


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


execute = load(NOTEBOOKS / "execute.py")


def texts(notebook, kind="text/markdown"):
    return [
        output["data"][kind]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if kind in output.get("data", {})
    ]


def conclusions(notebook):
    """The sentences of the last cell, without their numbers."""
    return [
        line.partition(". ")[2]
        for line in notebook.cells[-1].outputs[0]["data"]["text/markdown"].splitlines()
    ]


def loud(notebook):
    """What cells print or warn of: a notebook speaks in sentences and pictures."""
    return [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output["output_type"] in ("stream", "error")
    ]


@pytest.fixture(scope="module")
def executed(demo):
    return execute.execute(demo.exports)


def test_it_speaks_without_noise_and_draws_what_the_demo_has(executed):
    assert loud(executed) == []
    assert len(texts(executed, "image/png")) >= 20
    assert not any("has no orders" in text for text in texts(executed))


def test_the_share_of_the_best_fifth_is_that_of_the_marts(executed, demo):
    spend = demo.rows(
        "select monetary from dev_marts.dim_customers where frequency > 0 "
        "order by monetary desc"
    )
    amounts = [float(amount) for (amount,) in spend]
    fifth = sum(amounts[: -(-len(amounts) // 5)]) / sum(amounts)
    assert (
        f"The fifth of the customers who spent most brings {100 * fifth:.1f} % of "
        f"{sum(amounts):,.0f} EUR spent by {len(amounts):,} customers with a purchase."
    ) in conclusions(executed)


def test_the_rows_in_quarantine_are_those_of_the_marts(executed, demo):
    used = demo.one(
        "select sum(row_count) from dev_marts.rpt_data_quality where measure = 'used'"
    )
    ((reason, _),) = demo.rows(
        "select reason, count(*) from dev_staging.stg_quarantined_rows "
        "group by reason order by 2 desc limit 1"
    )
    aside = demo.one("select count(*) from dev_staging.stg_quarantined_rows")
    assert (
        f"Of {used + aside:,} raw rows {aside:,} "
        f"({100 * aside / (used + aside):.1f} %) are in quarantine, most often as "
        f"{reason.replace('_', ' ')}."
    ) in conclusions(executed)


def test_the_best_month_is_that_of_the_orders(executed, demo):
    monthly = demo.rows(
        "select date_trunc('month', order_date) as month, sum(net_amount) as revenue "
        "from dev_marts.fct_orders where is_purchase group by month "
        "order by revenue desc"
    )
    (month, revenue), count = monthly[0], len(monthly)
    said = (
        f"The best of {count} whole months was {month:%B %Y} with {revenue:,.0f} EUR; "
    )
    assert any(sentence.startswith(said) for sentence in conclusions(executed)), said


def test_the_largest_segment_is_that_of_the_marts(executed, demo):
    name, customers = demo.rows(
        "select segment_name, count(*) from dev_marts.dim_customers "
        "group by segment_name order by 2 desc limit 1"
    )[0]
    share = 100 * customers / demo.one("select count(*) from dev_marts.dim_customers")
    assert any(
        f"The largest is {name}: {customers:,} customers, {share:.1f} %." in sentence
        for sentence in conclusions(executed)
    )


def test_who_moved_is_that_of_the_history(executed, demo):
    moved, all_of_them = demo.rows(
        "select count(*) filter (movement <> 'stayed'), count(*) "
        "from dev_marts.fct_customer_segment_months where segmentation = 'value' "
        "and movement <> 'entered' and month_end_date = (select max(month_end_date) "
        "from dev_marts.fct_customer_segment_months)"
    )[0]
    assert any(
        f"{moved:,} of {all_of_them:,} customers changed segment" in sentence
        for sentence in conclusions(executed)
    )


def test_another_figure_in_a_mart_is_another_conclusion(demo, tmp_path, executed):
    """A conclusion that is written and not computed would not notice."""
    exports = copy_with(
        demo.exports, tmp_path, "dim_customers", "monetary = monetary * frequency"
    )
    changed = conclusions(execute.execute(exports))
    brings = [s for s in changed if s.startswith("The fifth of the customers")]
    assert brings
    assert brings[0] not in conclusions(executed)


def copy_with(exports, folder, mart, change):
    """A copy of an export set in which a column of a mart is another one."""
    copied = Path(shutil.copytree(exports, folder / "exports"))
    (path,) = copied.glob(f"*/{mart}.parquet")
    column, value = change.split(" = ")
    duckdb.sql(
        f"copy (select * replace (({value})::decimal(18, 4) as {column}) "
        f"from read_parquet('{path}')) to '{path}.new' (format parquet)"
    )
    Path(f"{path}.new").replace(path)
    return copied


@pytest.mark.slow
def test_equal_marts_give_an_equal_notebook(executed, demo):
    again = execute.execute(demo.exports)
    assert nbformat.writes(again) == nbformat.writes(executed)


def test_the_committed_notebook_is_of_todays_source_and_says_what_the_demo_says(
    executed,
):
    committed = nbformat.read(COMMITTED, as_version=4)
    source = jupytext.read(NOTEBOOKS / "eda.py")
    cure = "run make build, then make notebook"
    assert [cell.source for cell in committed.cells] == [
        cell.source for cell in source.cells
    ], cure
    assert conclusions(committed) == conclusions(executed), cure
    assert loud(committed) == []
    assert COMMITTED.stat().st_size < LARGEST
    text = COMMITTED.read_text(encoding="utf-8")
    assert not re.search(r"/(home|tmp|Users|root)/", text)


def test_too_few_customers_are_said_and_not_drawn(few_customers):
    notebook = execute.execute(few_customers.exports)
    assert loud(notebook) == []
    assert any("insufficient data" in text for text in texts(notebook))
    assert conclusions(notebook)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mall_customers", "credit_card"])
def test_without_orders_the_rest_is_left_out_with_a_sentence(shared_builds, name):
    import test_attribute_inputs  # noqa: F401  registers the builds

    notebook = execute.execute(shared_builds.of(name).exports)
    assert loud(notebook) == []
    assert sum("has no orders" in text for text in texts(notebook)) >= 3
    assert len(texts(notebook, "image/png")) >= 7
    assert not any("revenue" in sentence for sentence in conclusions(notebook))


@pytest.mark.slow
def test_a_year_without_a_season_is_said(online_retail):
    notebook = execute.execute(online_retail.exports)
    assert loud(notebook) == []
    assert any("less than 24 whole months" in text for text in texts(notebook))


def test_nothing_published_yet_says_what_to_run(tmp_path, capsys):
    assert execute.main(str(tmp_path / "shop"), str(tmp_path / "shop.ipynb")) == 1
    assert "make build INPUT=shop" in capsys.readouterr().err
