"""Netting in SQL against loops and stacks, on random worlds and by day."""

from decimal import Decimal

import pandas as pd
import pytest
from builds import NO_TESTS, build, continued, shared
from conftest import fixture_of
from independent import net_returns, random_world

WORLDS = 300
DATES = ["2024-02-01", "2024-02-03", "2024-02-12"]


def worlds():
    """Lines of all worlds; ids tell them apart and sort as the SQL breaks ties."""
    found = []
    for number in range(WORLDS):
        world = random_world(number)
        world["is_return"] = world["quantity"] < 0
        world["dearest_first"] = -world["unit_price"].astype(float)
        world = world.sort_values(
            ["ordered_at", "is_return", "order_id", "dearest_first", "line_id"],
            ignore_index=True,
        ).drop(columns=["is_return", "dearest_first"])
        world["line_id"] = [f"L{position:03d}" for position in world.index]
        for column in ("line_id", "order_id", "customer_id"):
            world[column] = f"W{number:03d}" + world[column]
        found.append(world)
    return found


VARIABLES = {"input": "template", "duplicate_lines": "keep", "max_silent_days": 400}


@shared
def netted_worlds(folder, of):
    path = folder / "lines.csv"
    pd.concat(worlds()).sample(frac=1, random_state=1).to_csv(path, index=False)
    return build(
        folder,
        args=["--select", "+int_orders", "+int_money_back", *NO_TESTS],
        variables=VARIABLES | {"as_of_date": DATES[0]},
        data=path,
    )


netted_worlds_fixture = fixture_of("netted_worlds")


# a later date is another build
LATER = [pytest.param(date, marks=pytest.mark.slow) for date in DATES[1:]]


@pytest.fixture(scope="module", params=[DATES[0], *LATER])
def by_date(request, netted_worlds, tmp_path_factory):
    if request.param == DATES[0]:
        return request.param, netted_worlds
    folder = continued(netted_worlds, tmp_path_factory.mktemp("worlds"), exports=False)
    return request.param, build(
        folder,
        args=["--select", "int_as_of_date", "int_orders", "int_money_back", *NO_TESTS],
        variables=VARIABLES | {"as_of_date": request.param},
        data=netted_worlds.folder / "lines.csv",
    )


def test_orders_and_money_back_of_random_worlds_are_the_oracles(by_date):
    as_of, finished = by_date
    orders = {
        key: (gross, net)
        for *key_parts, gross, net in finished.rows(
            "select customer_id, order_id, gross_amount, net_amount "
            "from dev_intermediate.int_orders"
        )
        for key in [tuple(key_parts)]
    }
    back = dict(
        finished.rows(
            "select customer_id, sum(money_back_amount) "
            "from dev_intermediate.int_money_back group by customer_id"
        )
    )
    compared = 0
    for number, world in enumerate(worlds()):
        expected = net_returns(world, as_of)
        for order in expected.orders.itertuples():
            key = (order.customer_id, order.order_id)
            assert orders.pop(key) == (order.gross, order.net), (number, key)
            compared += 1
        for customer, amount in expected.money_back.itertuples(index=False):
            assert back.pop(customer, Decimal(0)) == amount, (number, customer)
    assert not orders
    assert not back
    assert compared > WORLDS


def test_the_worlds_have_the_hard_cases():
    """Same-instant sales and returns, returns before sales, prices never paid."""
    every = pd.concat(worlds())
    instants = every.groupby(["customer_id", "product_id", "ordered_at"])["quantity"]
    assert (instants.max().gt(0) & instants.min().lt(0)).sum() > 50
    moves = every.groupby(["customer_id", "product_id"])
    assert moves["quantity"].first().lt(0).sum() > 50
    assert moves["unit_price"].nunique().gt(1).sum() > 50
