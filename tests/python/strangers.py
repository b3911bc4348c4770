"""Files of shops that never were, in the dialects of real exports.

All is made up, by a generator that gives the same bytes each time. `MADE_UP` is what
the guessing was written with. `HELD_OUT` was written when the guessing was done, and is
what its hit rate is counted on: see test_guessing.
"""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

FIRST_DAY = datetime(2023, 1, 2)
DAYS = 700
FIRST_NAMES = "Anna Ben Chloe David Eva Felix Greta Hugo Ines Jonas Karla Luis".split()
LAST_NAMES = "Adler Baker Costa Dubois Evans Fischer Garcia Huber Ito Jensen".split()
CITIES = [
    ("Berlin", "Germany"), ("Lyon", "France"), ("Sevilla", "Spain"), ("Leeds", "UK"),
    ("Austin", "USA"), ("Wien", "Austria"),
]  # fmt: skip
PRODUCTS = [
    (f"SKU-{number:03d}", name, price)
    for number, (name, price) in enumerate(
        [
            ("Mug", 8.9), ("Tea pot", 24.5), ("Lamp", 59.0), ("Rug", 129.0),
            ("Candle", 6.5), ("Vase", 18.0), ("Chair", 210.0), ("Spoon", 2.75),
        ],
        start=1,
    )
]  # fmt: skip


@dataclass
class Line:
    """A line of an order of the shop that never was."""

    order: int
    customer: int
    at: datetime
    product: tuple[str, str, float]
    quantity: int
    price: float
    discount: float
    channel: str
    status: str = "completed"

    @property
    def amount(self) -> float:
        return round(self.quantity * self.price - self.discount, 2)


@dataclass
class Stranger:
    """A made-up file, with what its columns are."""

    name: str
    text: str
    roles: dict[str, str]  # role -> header
    kind: str = "orders"
    suffix: str = ".csv"
    encoding: str = "utf-8"
    features: set[str] = field(default_factory=set)
    is_day_first: bool | None = None

    def write(self, folder: Path) -> Path:
        path = folder / f"{self.name}{self.suffix}"
        path.write_bytes(self.text.encode(self.encoding))
        return path


def shop(seed: int, customers: int = 260) -> list[Line]:
    """Order lines of loyal, occasional and one-time buyers, by time."""
    chance = random.Random(seed)
    orders = []
    for customer in range(1, customers + 1):
        kind = chance.choices(("loyal", "occasional", "once"), (25, 45, 30))[0]
        count = {"loyal": 9, "occasional": 3, "once": 1}[kind]
        count = max(1, round(chance.gauss(count, count / 4)))
        for _ in range(count):
            day = chance.randrange(DAYS) if kind != "once" else chance.randrange(500)
            minute = chance.randrange(8 * 60, 21 * 60)
            orders.append((FIRST_DAY + timedelta(days=day, minutes=minute), customer))
    lines = []
    for number, (at, customer) in enumerate(sorted(orders), start=1):
        status = chance.choices(("completed", "cancelled"), (96, 4))[0]
        channel = chance.choice(("web", "app", "store"))
        for product in chance.sample(PRODUCTS, chance.choice((1, 1, 2, 3))):
            price = round(product[2] * chance.choice((1, 1, 1, 0.9)), 2)
            quantity = chance.choice((1, 1, 1, 2, 3))
            discount = chance.choice((0, 0, 0, round(0.1 * price, 2)))
            lines.append(
                Line(
                    number,
                    customer,
                    at,
                    product,
                    quantity,
                    price,
                    discount,
                    channel,
                    status,
                )
            )
    return lines


def one_row_an_order(lines: list[Line]) -> list[Line]:
    """The orders' totals, each as one piece."""
    totals: dict[int, Line] = {}
    for line in lines:
        whole = totals.setdefault(
            line.order,
            Line(
                line.order, line.customer, line.at, line.product, 1, 0.0, 0.0,
                line.channel, line.status,
            ),
        )  # fmt: skip
        whole.price = round(whole.price + line.amount, 2)
    return list(totals.values())


def person(customer: int) -> dict[str, str]:
    first = FIRST_NAMES[customer % len(FIRST_NAMES)]
    last = LAST_NAMES[customer // 3 % len(LAST_NAMES)]
    city, country = CITIES[customer % len(CITIES)]
    return {
        "first": first,
        "last": last,
        "name": f"{first} {last}",
        "email": f"{first}.{last}.{customer}@example.com".lower(),
        "phone": f"+49 30 {5550000 + customer}",
        "city": city,
        "country": country,
    }


def table(headers: list[str], rows, delimiter: str = ",") -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows(rows)
    return stream.getvalue()


def comma(number: float, grouping: str = ".") -> str:
    """1.234,50"""
    text = f"{number:,.2f}"
    return text.replace(",", "_").replace(".", ",").replace("_", grouping)


# ---- what the guessing was written with ---------------------------------------------


def shopify_like() -> Stranger:
    """An order's own columns stand on its first line only; no number of customers."""
    rows, seen = [], set()
    for line in shop(1):
        who, is_first = person(line.customer), line.order not in seen
        seen.add(line.order)
        total = f"{line.amount:.2f}" if is_first else ""
        rows.append(
            [
                f"#{1000 + line.order}", who["email"], "paid" if is_first else "",
                line.at.strftime("%Y-%m-%d %H:%M:%S +0100"), "EUR" if is_first else "",
                total, "0.00" if is_first else "", total, line.quantity, line.product[1],
                f"{line.price:.2f}", line.product[0], who["name"] if is_first else "",
                who["city"] if is_first else "", who["country"] if is_first else "",
                "yes" if line.customer % 3 else "no",
            ]
        )  # fmt: skip
    headers = [
        "Name", "Email", "Financial Status", "Created at", "Currency", "Subtotal",
        "Shipping", "Total", "Lineitem quantity", "Lineitem name", "Lineitem price",
        "Lineitem sku", "Billing Name", "Billing City", "Billing Country",
        "Accepts Marketing",
    ]  # fmt: skip
    return Stranger(
        "shopify_like",
        table(headers, rows),
        {
            "customer_id": "Email", "order_id": "Name", "ordered_at": "Created at",
            "product_id": "Lineitem sku", "quantity": "Lineitem quantity",
            "unit_price": "Lineitem price", "currency": "Currency",
        },
    )  # fmt: skip


def woocommerce_like() -> Stranger:
    """One row for each order, with its status."""
    rows = [
        [
            line.order, line.at.strftime("%Y-%m-%d %H:%M:%S"), line.status,
            500 + line.customer, person(line.customer)["email"],
            person(line.customer)["country"], "Credit card", f"{line.amount:.2f}",
        ]
        for line in one_row_an_order(shop(2))
    ]  # fmt: skip
    headers = [
        "order_id", "order_date", "status", "customer_user", "billing_email",
        "billing_country", "payment_method_title", "order_total",
    ]  # fmt: skip
    return Stranger(
        "woocommerce_like",
        table(headers, rows),
        {
            "customer_id": "customer_user", "order_id": "order_id",
            "ordered_at": "order_date", "amount": "order_total",
            "order_status": "status",
        },
    )  # fmt: skip


def german_shop() -> Stranger:
    """Semicolons, decimal commas, days first, Windows-1252."""
    rows = [
        [
            f"B{line.order:06d}", f"K{line.customer:05d}",
            line.at.strftime("%d.%m.%Y %H:%M"), line.product[0], line.quantity,
            f"{comma(line.price)} €", f"{comma(line.discount)} €", "Überweisung",
        ]
        for line in shop(3)
    ]  # fmt: skip
    headers = [
        "Bestellnr.", "Kundennr.", "Bestelldatum", "Artikelnr.", "Menge", "Einzelpreis",
        "Rabatt", "Zahlungsart",
    ]  # fmt: skip
    return Stranger(
        "german_shop",
        table(headers, rows, ";"),
        {
            "customer_id": "Kundennr.", "order_id": "Bestellnr.",
            "ordered_at": "Bestelldatum", "product_id": "Artikelnr.",
            "quantity": "Menge", "unit_price": "Einzelpreis",
            "discount_amount": "Rabatt",
        },
        encoding="cp1252",
        is_day_first=True,
    )  # fmt: skip


def american_crm() -> Stranger:
    """One row for each sale, month first, two digits of the year, no order number."""
    rows = [
        [
            line.at.strftime("%m/%d/%y"), f"ACC-{line.customer:04d}",
            person(line.customer)["name"], f"${line.amount:,.2f}", "North",
        ]
        for line in one_row_an_order(shop(4))
    ]  # fmt: skip
    return Stranger(
        "american_crm",
        table(["Close Date", "Account ID", "Account Name", "Amount", "Territory"], rows),
        {
            "customer_id": "Account ID", "ordered_at": "Close Date", "amount": "Amount",
            "customer_name": "Account Name",
        },
        is_day_first=False,
    )  # fmt: skip


def gym_members() -> Stranger:
    """Customers without orders."""
    chance = random.Random(5)
    rows = []
    for number in range(1, 401):
        kind = chance.choice(("regular", "bargain", "far"))
        visits, fee, way = {
            "regular": (4.0, 60, 2), "bargain": (1.0, 20, 5), "far": (2.0, 95, 18),
        }[kind]  # fmt: skip
        rows.append(
            [
                f"M{number:04d}", chance.randint(18, 75), chance.choice("mf"),
                round(visits * chance.uniform(0.8, 1.2), 2),
                round(fee * chance.uniform(0.9, 1.1)),
                chance.choice(("basic", "plus")), round(way * chance.uniform(0.6, 1.6), 1),
                "gym", person(number)["email"],
            ]
        )  # fmt: skip
    headers = [
        "Member No", "Age", "Sex", "Visits per Week", "Monthly Fee", "Plan",
        "Distance (km)", "Site", "Contact e-mail",
    ]  # fmt: skip
    return Stranger(
        "gym_members",
        table(headers, rows),
        {"customer_id": "Member No", "age": "Age", "gender": "Sex",
         "email": "Contact e-mail"},
        kind="customers",
        features={"Visits per Week", "Monthly Fee", "Distance (km)"},
    )  # fmt: skip


MADE_UP: list[Callable[[], Stranger]] = [
    shopify_like, woocommerce_like, german_shop, american_crm, gym_members,
]  # fmt: skip
