"""One server for all tests here, and the demo's shop in it."""

import tempfile
from pathlib import Path

import pytest
from builds import REPOSITORY
from server import READER, Server, programs

DEMO = REPOSITORY / "seeds" / "demo"
# What of the demo has no dirt a type would refuse.
TYPES = {
    "order_lines": {"loaded_at": "timestamp", "discount_amount": "numeric(12, 2)"},
    "customer_events": {"event_type": "kind_of_event"},
    "campaigns": {"contact_cost": "numeric"},
}


@pytest.fixture(scope="session")
def server():
    if programs() is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    # not below pytest's folder, where nobody but its user may look
    with (
        tempfile.TemporaryDirectory(prefix="segmentation-postgres-") as folder,
        Server(Path(folder)) as running,
    ):
        running.execute(f"create role reader login password '{READER['PGPASSWORD']}'")
        yield running


@pytest.fixture(scope="session")
def demo_shop(server):
    """The demo's tables in the schema demo; returns the vars that read them."""
    server.execute("create schema demo")
    server.execute(
        "create type kind_of_event as enum "
        "('visit', 'email_open', 'email_click', 'support')"
    )
    for path in sorted(DEMO.glob("demo_*.csv")):
        table = path.stem.removeprefix("demo_")
        server.load_csv(f"demo.{table}", path, TYPES.get(table, {}))
    return {"input": "postgres_shop", "relations": {"schema": "demo"}}
