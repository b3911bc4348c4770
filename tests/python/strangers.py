"""Files of shops that never were, in the dialects of real exports.

All is made up, by a generator that gives the same bytes each time. `MADE_UP` is what
the guessing was written with. `HELD_OUT` was written when the guessing was done, and is
what its hit rate is counted on: see test_guessing.
"""

import csv
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

FIRST_DAY = datetime(2023, 1, 2)
DAYS = 700
FIRST_NAMES = (
    "Anna", "Ben", "Chloe", "David", "Eva", "Felix", "Greta", "Hugo", "Ines", "Jonas",
    "Karla", "Luis",
)  # fmt: skip
LAST_NAMES = (
    "Adler", "Baker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Huber", "Ito",
    "Jensen",
)  # fmt: skip
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


def seconds(at: datetime) -> int:
    """Since 1970."""
    return int((at - datetime(1970, 1, 1)).total_seconds())


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
                total, "0.00" if is_first else "", total, line.quantity,
                line.product[1],
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
        table(
            ["Close Date", "Account ID", "Account Name", "Amount", "Territory"], rows
        ),
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
                chance.choice(("basic", "plus")),
                round(way * chance.uniform(0.6, 1.6), 1),
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


# ---- held out: written when the guessing was done -----------------------------------


def of_lines(lines: list[Line], columns: dict[str, Callable], delimiter: str = ","):
    rows = [[value(line) for value in columns.values()] for line in lines]
    return table(list(columns), rows, delimiter)


def marketplace_seller() -> Stranger:
    columns = {
        "amazon-order-id": lambda line: f"304-{line.order:07d}-11",
        "purchase-date": lambda line: line.at.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        "last-updated-date": lambda line: (line.at + timedelta(days=2)).strftime(
            "%Y-%m-%dT%H:%M:%S+00:00"
        ),
        "order-status": lambda line: (
            "Shipped" if line.status == "completed" else "Cancelled"
        ),
        "sales-channel": lambda line: "Amazon.de" if line.order % 3 else "Amazon.fr",
        "sku": lambda line: line.product[0],
        "product-name": lambda line: line.product[1],
        "quantity": lambda line: line.quantity,
        "currency": lambda line: "EUR",
        "item-price": lambda line: f"{line.price:.2f}",
        "item-tax": lambda line: f"{0.19 * line.price:.2f}",
        "buyer-email": lambda line: person(line.customer)["email"],
        "ship-city": lambda line: person(line.customer)["city"],
        "ship-country": lambda line: person(line.customer)["country"],
    }
    return Stranger(
        "marketplace_seller",
        of_lines(shop(21), columns, "\t"),
        {
            "customer_id": "buyer-email", "order_id": "amazon-order-id",
            "ordered_at": "purchase-date", "product_id": "sku", "quantity": "quantity",
            "unit_price": "item-price", "order_status": "order-status",
            "currency": "currency",
        },
        suffix=".txt",
    )  # fmt: skip


def craft_market() -> Stranger:
    columns = {
        "Sale Date": lambda line: line.at.strftime("%m/%d/%y"),
        "Item Name": lambda line: line.product[1],
        "Buyer": lambda line: person(line.customer)["name"] + str(line.customer),
        "Quantity": lambda line: line.quantity,
        "Price": lambda line: f"{line.price:.2f}",
        "Coupon Code": lambda line: "SPRING" if line.discount else "",
        "Discount Amount": lambda line: f"{line.discount:.2f}",
        "Item Total": lambda line: f"{line.amount:.2f}",
        "Currency": lambda line: "USD",
        "Transaction ID": lambda line: 77_000_000 + line.order * 10 + line.quantity,
        "Date Paid": lambda line: line.at.strftime("%m/%d/%Y"),
        "Ship Country": lambda line: person(line.customer)["country"],
        "Order ID": lambda line: 31_000_000 + line.order,
    }
    return Stranger(
        "craft_market",
        of_lines(shop(22), columns),
        {
            "customer_id": "Buyer", "order_id": "Order ID", "ordered_at": "Sale Date",
            "product_id": "Item Name", "quantity": "Quantity", "unit_price": "Price",
            "discount_amount": "Discount Amount", "currency": "Currency",
        },
        is_day_first=False,
    )  # fmt: skip


def german_ledger() -> Stranger:
    columns = {
        "Beleg-Nr": lambda line: f"RE{line.order:05d}",
        "Belegdatum": lambda line: line.at.strftime("%d.%m.%y"),
        "Debitor-Nr.": lambda line: 10_000 + line.customer,
        "Name": lambda line: person(line.customer)["name"],
        "Artikel": lambda line: line.product[0],
        "Bezeichnung": lambda line: line.product[1],
        "Anzahl": lambda line: line.quantity,
        "VK-Preis": lambda line: comma(line.price),
        "Betrag": lambda line: comma(line.quantity * line.price),
        "MwSt": lambda line: "19%",
    }
    return Stranger(
        "german_ledger",
        of_lines(shop(23), columns, ";"),
        {
            "customer_id": "Debitor-Nr.", "order_id": "Beleg-Nr",
            "ordered_at": "Belegdatum", "product_id": "Artikel", "quantity": "Anzahl",
            "unit_price": "VK-Preis", "customer_name": "Name",
        },
        encoding="cp1252",
        is_day_first=True,
    )  # fmt: skip


def dutch_shop() -> Stranger:
    columns = {
        "Ordernummer": lambda line: line.order,
        "Klantnummer": lambda line: line.customer,
        "Besteldatum": lambda line: line.at.strftime("%d-%m-%Y"),
        "Artikel": lambda line: line.product[1],
        "Aantal": lambda line: line.quantity,
        "Prijs": lambda line: comma(line.price),
        "Betaalwijze": lambda line: "iDEAL",
    }
    return Stranger(
        "dutch_shop",
        of_lines(shop(24), columns, ";"),
        {
            "customer_id": "Klantnummer", "order_id": "Ordernummer",
            "ordered_at": "Besteldatum", "product_id": "Artikel", "quantity": "Aantal",
            "unit_price": "Prijs",
        },
        is_day_first=True,
    )  # fmt: skip


def italian_shop() -> Stranger:
    columns = {
        "Numero ordine": lambda line: line.order,
        "Data ordine": lambda line: line.at.strftime("%d/%m/%Y"),
        "Codice cliente": lambda line: f"CL{line.customer:04d}",
        "Codice articolo": lambda line: line.product[0],
        "Descrizione": lambda line: line.product[1],
        "Quantità": lambda line: line.quantity,
        "Prezzo unitario": lambda line: "€ " + comma(line.price),
        "Sconto": lambda line: "€ " + comma(line.discount),
        "Paese": lambda line: person(line.customer)["country"],
    }
    return Stranger(
        "italian_shop",
        of_lines(shop(25), columns, ";"),
        {
            "customer_id": "Codice cliente", "order_id": "Numero ordine",
            "ordered_at": "Data ordine", "product_id": "Codice articolo",
            "quantity": "Quantità", "unit_price": "Prezzo unitario",
            "discount_amount": "Sconto", "country": "Paese",
        },
        is_day_first=True,
    )  # fmt: skip


def loyalty_card() -> Stranger:
    columns = {
        "txn_id": lambda line: 900_000 + line.order,
        "card_no": lambda line: 4_000_000 + line.customer,
        "txn_ts": lambda line: seconds(line.at),
        "branch": lambda line: line.channel,
        "amt": lambda line: f"{line.amount:.2f}",
    }
    return Stranger(
        "loyalty_card",
        of_lines(one_row_an_order(shop(26)), columns),
        {
            "customer_id": "card_no", "order_id": "txn_id", "ordered_at": "txn_ts",
            "amount": "amt", "channel": "branch",
        },
    )  # fmt: skip


def american_salon() -> Stranger:
    columns = {
        "Ticket #": lambda line: line.order,
        "Date/Time": lambda line: line.at.strftime("%m/%d/%Y %I:%M %p"),
        "Client": lambda line: person(line.customer)["name"],
        "Client Email": lambda line: person(line.customer)["email"],
        "Service": lambda line: line.product[1],
        "Staff": lambda line: "Kim" if line.order % 2 else "Lee",
        "Qty": lambda line: line.quantity,
        "Unit Price": lambda line: f"${line.price:.2f}",
        "Total Paid": lambda line: f"${line.quantity * line.price:,.2f}",
    }
    return Stranger(
        "american_salon",
        of_lines(shop(27), columns),
        {
            "customer_id": "Client Email", "order_id": "Ticket #",
            "ordered_at": "Date/Time", "product_id": "Service", "quantity": "Qty",
            "unit_price": "Unit Price", "customer_name": "Client",
        },
        is_day_first=False,
    )  # fmt: skip


def charity_gifts() -> Stranger:
    columns = {
        "Constituent ID": lambda line: 70_000 + line.customer,
        "Gift ID": lambda line: line.order,
        "Gift Date": lambda line: line.at.strftime("%d/%m/%Y"),
        "Gift Amount": lambda line: f"£{line.amount:,.2f}",
        "Fund": lambda line: "General" if line.order % 4 else "Water",
        "Appeal": lambda line: "Winter" if line.at.month > 9 else "Spring",
    }
    return Stranger(
        "charity_gifts",
        of_lines(one_row_an_order(shop(28)), columns),
        {
            "customer_id": "Constituent ID", "order_id": "Gift ID",
            "ordered_at": "Gift Date", "amount": "Gift Amount",
        },
        is_day_first=True,
    )  # fmt: skip


def french_crm() -> Stranger:
    columns = {
        "Réf. commande": lambda line: f"CMD-{line.order}",
        "Passée le": lambda line: line.at.strftime("%d/%m/%Y %H:%M"),
        "Client": lambda line: person(line.customer)["name"],
        "Courriel": lambda line: person(line.customer)["email"],
        "Ville": lambda line: person(line.customer)["city"],
        "Total TTC": lambda line: comma(line.amount, "\u202f") + " €",
        "Statut": lambda line: "Annulée" if line.status == "cancelled" else "Livrée",
    }
    return Stranger(
        "french_crm",
        of_lines(one_row_an_order(shop(29)), columns, ";"),
        {
            "customer_id": "Courriel", "order_id": "Réf. commande",
            "ordered_at": "Passée le", "amount": "Total TTC", "order_status": "Statut",
            "city": "Ville",
        },
        is_day_first=True,
    )  # fmt: skip


def spanish_tickets() -> Stranger:
    columns = {
        "id_ticket": lambda line: line.order,
        "fecha_hora": lambda line: line.at.strftime("%Y/%m/%d %H:%M"),
        "num_socio": lambda line: line.customer if line.customer % 5 else "",
        "cod_producto": lambda line: line.product[0],
        "unidades": lambda line: line.quantity,
        "pvp": lambda line: comma(line.price),
        "tienda": lambda line: "Madrid" if line.order % 2 else "Vigo",
    }
    return Stranger(
        "spanish_tickets",
        of_lines(shop(30), columns, "|"),
        {
            "customer_id": "num_socio", "order_id": "id_ticket",
            "ordered_at": "fecha_hora", "product_id": "cod_producto",
            "quantity": "unidades", "unit_price": "pvp", "channel": "tienda",
        },
    )  # fmt: skip


def hotel_guests() -> Stranger:
    chance = random.Random(31)
    rows = []
    for number in range(1, 501):
        is_business = chance.random() < 0.4
        nights = chance.gauss(22, 5) if is_business else chance.gauss(5, 2)
        rows.append(
            [
                f"G{number:05d}", person(number)["country"], chance.randint(20, 80),
                max(1, round(nights)),
                round(chance.gauss(180, 30) - 60 * is_business, 2),
                chance.choice(("phone", "portal", "own site")), chance.randint(0, 120),
                chance.choice(("silver", "gold", "none")), person(number)["name"],
            ]
        )  # fmt: skip
    headers = [
        "Guest Number", "Nationality", "Age", "Nights per Year", "Average Spend",
        "Booked Through", "Lead Time", "Tier", "Full Name",
    ]  # fmt: skip
    return Stranger(
        "hotel_guests",
        table(headers, rows),
        {"customer_id": "Guest Number", "country": "Nationality", "age": "Age",
         "customer_name": "Full Name"},
        kind="customers",
        features={"Nights per Year", "Average Spend", "Lead Time"},
    )  # fmt: skip


def mobile_contracts() -> Stranger:
    chance = random.Random(32)
    rows = []
    for number in range(1, 601):
        heavy = chance.random() < 0.3
        rows.append(
            [
                chance.choice(("OH", "NJ", "KS")), chance.randint(1, 200),
                f"555-{number:04d}", chance.choice(("yes", "no")),
                round(chance.gauss(260 if heavy else 150, 30), 1),
                round(chance.gauss(200, 40), 1), chance.randint(0, 9),
                round(chance.gauss(44 if heavy else 25, 5), 2),
                chance.choice(("True.", "False.")),
            ]
        )  # fmt: skip
    headers = [
        "state", "account_length", "phone_number", "intl_plan", "day_mins",
        "night_mins",
        "service_calls", "day_charge", "churned",
    ]  # fmt: skip
    return Stranger(
        "mobile_contracts",
        table(headers, rows),
        {"customer_id": "phone_number"},
        kind="customers",
        features={"account_length", "day_mins", "night_mins", "day_charge"},
    )  # fmt: skip


def german_mall() -> Stranger:
    chance = random.Random(33)
    rows = []
    for number in range(1, 301):
        income, score = chance.choice(
            ((20, 80), (25, 20), (55, 50), (90, 85), (95, 15))
        )
        rows.append(
            [
                number, chance.choice("mw"), chance.randint(18, 70),
                comma(chance.gauss(income, 6)), round(chance.gauss(score, 7)),
            ]
        )  # fmt: skip
    headers = ["KdNr", "Geschlecht", "Alter", "Jahreseinkommen (T€)", "Ausgabenwert"]
    return Stranger(
        "german_mall",
        table(headers, rows, ";"),
        {"customer_id": "KdNr", "gender": "Geschlecht", "age": "Alter"},
        kind="customers",
        encoding="cp1252",
        features={"Jahreseinkommen (T€)", "Ausgabenwert"},
    )


def subscription_box() -> Stranger:
    columns = {
        "Charge ID": lambda line: f"ch_{line.order:06d}",
        "Subscriber": lambda line: f"sub_{line.customer:05d}",
        "Charged On": lambda line: line.at.strftime("%d %b %Y"),
        "Plan": lambda line: line.product[1],
        "Gross": lambda line: f"{line.amount:.2f}",
        "Fee": lambda line: f"{0.03 * line.amount:.2f}",
        "State": lambda line: "failed" if line.status == "cancelled" else "succeeded",
    }
    return Stranger(
        "subscription_box",
        of_lines(one_row_an_order(shop(34)), columns),
        {
            "customer_id": "Subscriber", "order_id": "Charge ID",
            "ordered_at": "Charged On", "amount": "Gross", "order_status": "State",
        },
    )  # fmt: skip


HELD_OUT: list[Callable[[], Stranger]] = [
    marketplace_seller, craft_market, german_ledger, dutch_shop, italian_shop,
    loyalty_card, american_salon, charity_gifts, french_crm, spanish_tickets,
    hotel_guests, mobile_contracts, german_mall, subscription_box,
]  # fmt: skip


# ---- held out once more, after what the files above had taught ----------------------


def auction_house() -> Stranger:
    columns = {
        "Sales Record Number": lambda line: line.order * 10 + line.quantity,
        "Order Number": lambda line: f"12-{line.order:05d}-77",
        "Buyer Username": lambda line: f"bidder{line.customer}",
        "Buyer Name": lambda line: person(line.customer)["name"],
        "Buyer Country": lambda line: person(line.customer)["country"],
        "Item Title": lambda line: line.product[1],
        "Quantity": lambda line: line.quantity,
        "Sold For": lambda line: f"${line.price:.2f}",
        "Shipping And Handling": lambda line: "$4.00",
        "Total Price": lambda line: f"${line.quantity * line.price + 4:.2f}",
        "Sale Date": lambda line: line.at.strftime("%b-%d-%y"),
        "Paid On Date": lambda line: line.at.strftime("%b-%d-%y"),
    }
    return Stranger(
        "auction_house",
        of_lines(shop(41), columns),
        {
            "customer_id": "Buyer Username", "order_id": "Order Number",
            "ordered_at": "Sale Date", "product_id": "Item Title",
            "quantity": "Quantity", "unit_price": "Sold For",
            "customer_name": "Buyer Name", "country": "Buyer Country",
        },
    )  # fmt: skip


def swiss_shop() -> Stranger:
    columns = {
        "Auftrag": lambda line: f"A-{line.order}",
        "Kunden-ID": lambda line: line.customer,
        "Datum": lambda line: line.at.strftime("%d.%m.%Y"),
        "Produkt": lambda line: line.product[1],
        "Stk": lambda line: line.quantity,
        "Preis CHF": lambda line: f"{line.price * 10:,.2f}".replace(",", "'"),
        "Kanal": lambda line: line.channel,
    }
    return Stranger(
        "swiss_shop",
        of_lines(shop(42), columns, ";"),
        {
            "customer_id": "Kunden-ID", "order_id": "Auftrag", "ordered_at": "Datum",
            "product_id": "Produkt", "quantity": "Stk", "unit_price": "Preis CHF",
            "channel": "Kanal",
        },
        is_day_first=True,
    )  # fmt: skip


def portuguese_shop() -> Stranger:
    columns = {
        "Nº encomenda": lambda line: line.order,
        "Data": lambda line: line.at.strftime("%d/%m/%Y"),
        "Contribuinte": lambda line: 200_000_000 + line.customer,
        "Produto": lambda line: line.product[1],
        "Quantidade": lambda line: line.quantity,
        "Preço unitário": lambda line: comma(line.price),
        "Localidade": lambda line: person(line.customer)["city"],
    }
    return Stranger(
        "portuguese_shop",
        of_lines(shop(43), columns, ";"),
        {
            "customer_id": "Contribuinte", "order_id": "Nº encomenda",
            "ordered_at": "Data", "product_id": "Produto", "quantity": "Quantidade",
            "unit_price": "Preço unitário",
        },
        is_day_first=True,
    )  # fmt: skip


def wine_club() -> Stranger:
    columns = {
        "member_ref": lambda line: f"W{line.customer:04d}",
        "purchase_dt": lambda line: line.at.strftime("%Y-%m-%d"),
        "bottles": lambda line: 1 + line.order % 12,
        "spend": lambda line: f"{line.amount:.2f}",
    }
    return Stranger(
        "wine_club",
        of_lines(one_row_an_order(shop(44)), columns),
        {"customer_id": "member_ref", "ordered_at": "purchase_dt", "amount": "spend"},
    )


def restaurant_bills() -> Stranger:
    columns = {
        "Rechnung Nr.": lambda line: line.order,
        "Datum": lambda line: line.at.strftime("%d.%m.%Y"),
        "Uhrzeit": lambda line: line.at.strftime("%H:%M"),
        "Gastnummer": lambda line: line.customer,
        "Personen": lambda line: 1 + line.order % 5,
        "Umsatz brutto": lambda line: comma(line.amount),
        "Trinkgeld": lambda line: comma(line.amount / 10),
    }
    return Stranger(
        "restaurant_bills",
        of_lines(one_row_an_order(shop(45)), columns, ";"),
        {
            "customer_id": "Gastnummer", "order_id": "Rechnung Nr.",
            "ordered_at": "Datum", "amount": "Umsatz brutto",
        },
        is_day_first=True,
    )  # fmt: skip


def app_purchases() -> Stranger:
    lines = [
        json.dumps(
            {
                "id": f"p{line.order}",
                "user": f"u{line.customer}",
                "created_at": 1000 * seconds(line.at),
                "grand_total": line.amount,
                "store": "ios" if line.order % 2 else "android",
            }
        )
        for line in one_row_an_order(shop(46))
    ]
    return Stranger(
        "app_purchases",
        "\n".join(lines) + "\n",
        {
            "customer_id": "user", "order_id": "id", "ordered_at": "created_at",
            "amount": "grand_total", "channel": "store",
        },
        suffix=".jsonl",
    )  # fmt: skip


def motor_policies() -> Stranger:
    chance = random.Random(47)
    rows = [
        [
            f"PH{number:05d}", f"LS{number % 29} {number % 9}AB", chance.randint(0, 15),
            chance.randint(20, 200) * 100, round(chance.lognormvariate(6, 0.5), 2),
            chance.choice((0, 0, 0, 1, 2)), chance.choice(("monthly", "yearly")),
            f"note {number}",
        ]
        for number in range(1, 501)
    ]  # fmt: skip
    headers = [
        "PolicyHolderRef", "Postcode", "Vehicle Years", "Annual Mileage", "Premium",
        "Claims", "Payment Frequency", "Notes",
    ]  # fmt: skip
    return Stranger(
        "motor_policies",
        table(headers, rows),
        {"customer_id": "PolicyHolderRef"},
        kind="customers",
        features={"Vehicle Years", "Annual Mileage", "Premium"},
    )


def learning_app() -> Stranger:
    chance = random.Random(48)
    rows = [
        [
            f"{chance.getrandbits(64):016x}",
            (FIRST_DAY + timedelta(days=chance.randrange(600))).strftime("%Y-%m-%d"),
            chance.randint(0, 60), round(chance.uniform(2, 45), 1),
            chance.randint(0, 12), chance.choice(("free", "pro")),
            person(number)["country"], chance.choice(("true", "false")),
        ]
        for number in range(1, 501)
    ]  # fmt: skip
    headers = [
        "user_id", "signup_date", "sessions_30d", "minutes_per_session",
        "courses_started", "plan", "country", "newsletter_opt_in",
    ]  # fmt: skip
    return Stranger(
        "learning_app",
        table(headers, rows),
        {
            "customer_id": "user_id", "signed_up_at": "signup_date",
            "country": "country", "consent_email": "newsletter_opt_in",
        },
        kind="customers",
        features={"sessions_30d", "minutes_per_session", "courses_started"},
    )  # fmt: skip


HELD_OUT_AGAIN: list[Callable[[], Stranger]] = [
    auction_house, swiss_shop, portuguese_shop, wine_club, restaurant_bills,
    app_purchases, motor_policies, learning_app,
]  # fmt: skip


# ---- held out for the last time: what ships is counted on these ---------------------


def book_shop() -> Stranger:
    columns = {
        "Vorgang": lambda line: 5000 + line.order,
        "Kd.-Nr.": lambda line: line.customer,
        "Verkauft am": lambda line: line.at.strftime("%d.%m.%Y"),
        "ISBN": lambda line: line.product[0].replace("SKU", "978-3"),
        "Titel": lambda line: line.product[1],
        "Expl.": lambda line: line.quantity,
        "VK": lambda line: comma(line.price),
        "Filiale": lambda line: line.channel,
    }
    return Stranger(
        "book_shop",
        of_lines(shop(51), columns, ";"),
        {
            "customer_id": "Kd.-Nr.", "order_id": "Vorgang",
            "ordered_at": "Verkauft am", "product_id": "ISBN", "quantity": "Expl.",
            "unit_price": "VK", "channel": "Filiale",
        },
        encoding="cp1252",
        is_day_first=True,
    )  # fmt: skip


def parts_wholesale() -> Stranger:
    columns = {
        "SalesOrderNumber": lambda line: f"SO{43659 + line.order}",
        "OrderDate": lambda line: line.at.strftime("%Y-%m-%d 00:00:00.000"),
        "DueDate": lambda line: (line.at + timedelta(days=12)).strftime("%Y-%m-%d"),
        "CustomerKey": lambda line: 11000 + line.customer,
        "ProductKey": lambda line: line.product[0][-3:],
        "OrderQuantity": lambda line: line.quantity,
        "UnitPrice": lambda line: line.price,
        "UnitPriceDiscountPct": lambda line: 0.02 if line.order % 5 == 0 else 0,
        "ProductStandardCost": lambda line: round(0.6 * line.price, 2),
        "TaxAmt": lambda line: round(0.08 * line.price, 2),
    }
    return Stranger(
        "parts_wholesale",
        of_lines(shop(52), columns),
        {
            "customer_id": "CustomerKey", "order_id": "SalesOrderNumber",
            "ordered_at": "OrderDate", "product_id": "ProductKey",
            "quantity": "OrderQuantity", "unit_price": "UnitPrice",
            "unit_cost": "ProductStandardCost",
        },
    )  # fmt: skip


def payment_provider() -> Stranger:
    columns = {
        "id": lambda line: f"ch_{line.order:08x}",
        "Created (UTC)": lambda line: line.at.strftime("%Y-%m-%d %H:%M"),
        "Amount": lambda line: f"{line.amount:.2f}",
        "Currency": lambda line: "eur",
        "Status": lambda line: "Paid" if line.status == "completed" else "Failed",
        "Card Last4": lambda line: 1000 + line.customer * 7 % 9000,
        "Customer ID": lambda line: f"cus_{line.customer:06x}",
        "Customer Email": lambda line: person(line.customer)["email"],
    }
    return Stranger(
        "payment_provider",
        of_lines(one_row_an_order(shop(53)), columns),
        {
            "customer_id": "Customer ID", "order_id": "id",
            "ordered_at": "Created (UTC)", "amount": "Amount", "currency": "Currency",
            "order_status": "Status", "email": "Customer Email",
        },
    )  # fmt: skip


def museum_tickets() -> Stranger:
    columns = {
        "Booking reference": lambda line: f"MT{line.order:05d}",
        "Visitor email": lambda line: person(line.customer)["email"],
        "Booked on": lambda line: line.at.strftime("%d %B %Y"),
        "Visit date": lambda line: (line.at + timedelta(days=9)).strftime("%d %B %Y"),
        "Ticket type": lambda line: line.product[1],
        "Number of tickets": lambda line: line.quantity,
        "Price per ticket": lambda line: f"£{line.price:.2f}",
        "Postcode": lambda line: f"LS{line.customer % 29}",
    }
    return Stranger(
        "museum_tickets",
        of_lines(shop(54), columns),
        {
            "customer_id": "Visitor email", "order_id": "Booking reference",
            "ordered_at": "Booked on", "product_id": "Ticket type",
            "quantity": "Number of tickets", "unit_price": "Price per ticket",
        },
    )  # fmt: skip


def french_pharmacy() -> Stranger:
    columns = {
        "ticket": lambda line: line.order,
        "carte_fidelite": lambda line: 8_800_000 + line.customer,
        "date_achat": lambda line: line.at.strftime("%d/%m/%y"),
        "libelle": lambda line: line.product[1],
        "qte": lambda line: line.quantity,
        "prix_ttc": lambda line: comma(line.price),
        "remise": lambda line: comma(line.discount),
    }
    return Stranger(
        "french_pharmacy",
        of_lines(shop(55), columns, ";"),
        {
            "customer_id": "carte_fidelite", "order_id": "ticket",
            "ordered_at": "date_achat", "product_id": "libelle", "quantity": "qte",
            "unit_price": "prix_ttc", "discount_amount": "remise",
        },
        is_day_first=True,
    )  # fmt: skip


def scandinavian_shop() -> Stranger:
    columns = {
        "Ordrenr": lambda line: line.order,
        "Kundenr": lambda line: line.customer,
        "Ordredato": lambda line: line.at.strftime("%d.%m.%Y"),
        "Vare": lambda line: line.product[1],
        "Antal": lambda line: line.quantity,
        "Pris": lambda line: comma(line.price * 8) + " kr.",
    }
    return Stranger(
        "scandinavian_shop",
        of_lines(shop(56), columns, ";"),
        {
            "customer_id": "Kundenr", "order_id": "Ordrenr", "ordered_at": "Ordredato",
            "product_id": "Vare", "quantity": "Antal", "unit_price": "Pris",
        },
        is_day_first=True,
    )  # fmt: skip


def donor_summary() -> Stranger:
    chance = random.Random(57)
    rows = [
        [
            f"D-{number:04d}", person(number)["name"], person(number)["city"],
            chance.randint(1, 30), round(chance.lognormvariate(5, 1), 2),
            (FIRST_DAY + timedelta(days=chance.randrange(700))).strftime("%d/%m/%Y"),
            chance.choice(("Y", "N")), chance.randint(22, 90),
        ]
        for number in range(1, 401)
    ]  # fmt: skip
    headers = [
        "Donor Ref", "Donor", "Town", "Gifts", "Lifetime Giving", "Last Gift",
        "Gift Aid", "Age",
    ]  # fmt: skip
    return Stranger(
        "donor_summary",
        table(headers, rows),
        {"customer_id": "Donor Ref", "city": "Town", "age": "Age"},
        kind="customers",
        features={"Gifts", "Lifetime Giving"},
    )


def saas_accounts() -> Stranger:
    chance = random.Random(58)
    rows = [
        [
            number, f"Company {number}", chance.choice(("DE", "FR", "US")),
            chance.randint(1, 250), round(chance.lognormvariate(6, 1), 2),
            chance.randint(0, 40), round(chance.random(), 3),
            chance.choice(("monthly", "annual")), chance.choice(("true", "false")),
        ]
        for number in range(1, 401)
    ]  # fmt: skip
    headers = [
        "account_id", "company_name", "country_code", "seats", "mrr", "support_tickets",
        "feature_adoption", "billing_period", "churned",
    ]  # fmt: skip
    return Stranger(
        "saas_accounts",
        table(headers, rows),
        {"customer_id": "account_id", "country": "country_code"},
        kind="customers",
        features={"seats", "mrr", "support_tickets", "feature_adoption"},
    )


HELD_OUT_LAST: list[Callable[[], Stranger]] = [
    book_shop, parts_wholesale, payment_provider, museum_tickets, french_pharmacy,
    scandinavian_shop, donor_summary, saas_accounts,
]  # fmt: skip
