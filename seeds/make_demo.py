"""Make the demo data: the invented web shop "Example Garden & Home".

Everything here is made up. There is no such shop and no customer is a real person:
names are combined at random, e-mail addresses end in example.com or example.org and
telephone numbers come from the 555-01xx range which is reserved for fiction.

The data are deterministic: all chance comes from one ``random.Random(seed)`` of the
standard library and money is counted in whole cents, so the same seed gives the same
bytes. Behaviour is planted by personas, and known dirt is added by the ``dirt_*``
functions, so that the project has something to find and something to clean.

    python seeds/make_demo.py               # seeds/demo/ and tests/python/
    python seeds/make_demo.py --out FOLDER  # all six files into FOLDER
"""

import argparse
import csv
from collections import Counter, defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

import pandas as pd

HERE = Path(__file__).resolve().parent
BEGIN, END = date(2023, 1, 2), date(2024, 12, 31)
DAYS = (END - BEGIN).days
CUSTOMERS, PRODUCTS = 3000, 120
GUEST_ORDERS, MALFORMED_ID_ORDERS = 250, 16

CUSTOMER_COLUMNS = [
    "customer_id", "customer_name", "email", "phone", "signed_up_at", "birth_date",
    "age", "gender", "country", "city", "acquisition_channel", "consent_email",
    "consent_sms", "consent_post", "consent_phone",
]  # fmt: skip
LINE_COLUMNS = [
    "line_id", "order_id", "customer_id", "ordered_at", "product_id", "quantity",
    "unit_price", "discount_amount", "line_type", "original_order_id", "currency",
    "channel", "unit_cost", "loaded_at",
]  # fmt: skip
EVENT_COLUMNS = ["customer_id", "event_at", "event_type"]
CAMPAIGN_COLUMNS = [
    "campaign_id", "campaign_name", "action", "channel", "starts_at", "ends_at",
    "contact_cost",
]  # fmt: skip
CONTACT_COLUMNS = ["campaign_id", "customer_id", "contacted_at", "assigned_group"]


class Persona(NamedTuple):
    """How one kind of customer behaves; means, around which each customer varies."""

    share: int  # of all customers, in per cent
    orders: float  # mean number of orders inside the persona's window
    shape: float  # of the gamma distribution of orders; small = very mixed
    lines: tuple  # weights of 1, 2, 3, 4, 5 lines per order
    level: float  # typical rank of the products bought, 0 = cheapest, 1 = dearest
    discounted: float  # share of lines bought with a discount
    discount: tuple  # lowest and highest discount in per cent
    returned: float  # share of lines sent back
    events: float  # mean number of engagement events
    event_weights: tuple  # of visit, email_open, email_click, support
    channel_weights: tuple  # of web, app, store


PERSONAS = {
    "champions": Persona(
        6, 12, 5, (34, 36, 19, 8, 3), 0.66, 0.12, (5, 15), 0.036, 8,
        (50, 25, 20, 5), (35, 50, 15),
    ),
    "loyal": Persona(
        12, 6, 4, (50, 34, 12, 3, 1), 0.52, 0.15, (5, 15), 0.036, 5,
        (45, 32, 18, 5), (55, 30, 15),
    ),
    "discount_seekers": Persona(
        12, 3.9, 3, (48, 32, 13, 5, 2), 0.38, 0.78, (20, 40), 0.036, 4,
        (25, 35, 38, 2), (60, 35, 5),
    ),
    "seasonal_gift_buyers": Persona(
        10, 2.4, 4, (12, 26, 34, 20, 8), 0.58, 0.14, (5, 20), 0.036, 2,
        (60, 28, 8, 4), (60, 15, 25),
    ),
    "one_time_buyers": Persona(
        22, 1, 1, (62, 26, 9, 2, 1), 0.40, 0.20, (5, 20), 0.036, 1,
        (70, 20, 5, 5), (70, 10, 20),
    ),
    "new": Persona(
        8, 1.6, 3, (50, 30, 14, 4, 2), 0.46, 0.30, (5, 15), 0.036, 4,
        (60, 25, 12, 3), (50, 42, 8),
    ),
    "lapsing": Persona(
        10, 4.1, 3, (48, 32, 14, 5, 1), 0.50, 0.16, (5, 15), 0.036, 2.5,
        (40, 42, 8, 10), (60, 25, 15),
    ),
    "lost": Persona(
        12, 2.1, 2, (50, 30, 14, 4, 2), 0.45, 0.18, (5, 20), 0.036, 1,
        (45, 40, 5, 10), (68, 12, 20),
    ),
    "bargain_returners": Persona(
        3, 6.5, 4, (38, 34, 18, 7, 3), 0.50, 0.50, (10, 30), 0.36, 5,
        (45, 15, 15, 25), (50, 45, 5),
    ),
    "prospects": Persona(
        5, 0, 1, (1, 0, 0, 0, 0), 0.40, 0.00, (5, 15), 0.00, 3.5,
        (70, 22, 7, 1), (60, 35, 5),
    ),
}  # fmt: skip


class Campaign(NamedTuple):
    """One campaign: who is drawn for it, and what it is planted to do."""

    name: str
    action: str
    channel: str
    start: date
    cost: str
    orders: int  # that a customer must have before the start
    limit: int  # customers at most
    control: float  # share of the customers in the control group
    effect: float  # planted: share of buyers in the treatment less that in the control


OUTCOME_DAYS = 60  # as the var campaign_outcome_days
CAMPAIGNS = [
    # Of about 1,270 customers a fifth buy anyway: an effect of 10 points is
    # found with a probability (power) of 98 %.
    Campaign(
        "Spring reminder",
        "Remind",
        "email",
        date(2024, 4, 1),
        "0.10",
        1,
        5000,
        0.5,
        0.1,
    ),
    # As large, and without an effect.
    Campaign(
        "Autumn ideas",
        "Find the occasion",
        "email",
        date(2024, 9, 2),
        "0.10",
        1,
        5000,
        0.5,
        0.0,
    ),
    # Too few customers to tell anything.
    Campaign(
        "Calls in May",
        "Save in person",
        "phone",
        date(2024, 5, 13),
        "6.00",
        4,
        40,
        0.2,
        0.0,
    ),
    # Nobody was left out, so that nobody knows what would have happened anyway.
    Campaign(
        "Mail to all in June",
        "Low-cost win-back",
        "email",
        date(2024, 6, 3),
        "",
        1,
        400,
        0.0,
        0.0,
    ),
    # Not over on the as-of date; whoever is contacted is left alone for a while.
    Campaign(
        "Thanks at Christmas",
        "Keep and thank",
        "email",
        date(2024, 12, 23),
        "0.50",
        4,
        150,
        0.2,
        0.0,
    ),
]

FIRST = [
    "Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas",
    "Klara", "Lukas", "Mia", "Noah", "Olga", "Paul", "Rosa", "Simon", "Tilda", "Viktor",
    "José", "Zoë", "Łukasz", "Sofía", "Çelik", "Jürgen", "Aino", "Björn",
]  # fmt: skip
LAST = [
    "Amsel", "Birke", "Cedar", "Dahlia", "Erle", "Farn", "Ginster", "Holm", "Iris",
    "Jasmin", "Klee", "Linde", "Myrte", "Nelke", "Olive", "Primel", "Quitte",
    "Rosmarin", "Salbei", "Tanne", "Ulme", "Veilchen", "Weide", "Zypresse",
]  # fmt: skip
ODD_NAMES = [
    "José", "Żółć", "李小龙", "Ğ", 'Dwayne "Rake" Fern', "O'Hara, Lily", "<b>Bob</b>",
    "<script>alert(1)</script>", "=1+1", '=HYPERLINK("http://example.com","x")',
    "+cmd", "@SUM(A1)", "Line\nBreak", "Two\nLines", "-2+3", "",
]  # fmt: skip
CITIES = {
    "Germany": ["Berlin", "Hamburg", "Köln", "Leipzig"],
    "Austria": ["Wien", "Graz", "Linz"],
    "Netherlands": ["Utrecht", "Delft"],
    "Spain": ["Madrid", "Málaga"],
    "Poland": ["Łódź", "Gdynia"],
}
FEES = [("SHIPPING", 490, 410)] * 3 + [("GIFT-WRAP", 350, 100)]
YES, NO = ["yes", "true", "1"], ["no", "false", "0"]


def cents(amount: int) -> str:
    """Write an amount of cents as text with two decimals."""
    return f"{amount / 100:.2f}"


def stamp(at: datetime, style: str = "plain") -> str:
    """Write a moment in one of the styles which the shop's systems use."""
    pattern = {"plain": "%Y-%m-%d %H:%M:%S", "german": "%d.%m.%Y %H:%M"}
    return at.isoformat() + "+00:00" if style == "iso" else at.strftime(pattern[style])


def moment(rng: Random, day: int, first_hour: int = 8, last_hour: int = 21) -> datetime:
    """Return a random time of the day which is ``day`` days after BEGIN."""
    seconds = rng.randrange(first_hour * 3600, (last_hour + 1) * 3600)
    return datetime(BEGIN.year, BEGIN.month, BEGIN.day) + timedelta(day, seconds)


def mixed_count(rng: Random, mean: float, shape: float, least: int = 0) -> int:
    """Draw a count which differs between customers (a rounded gamma)."""
    return max(least, round(rng.gammavariate(shape, mean / shape))) if mean else 0


def make_products(rng: Random) -> list[tuple[str, int, int]]:
    """Return (product_id, price, cost) in cents, the cheapest product first."""
    ids = rng.sample(range(1, 1000), PRODUCTS)
    whole = [round(199 * ((i + 1) / PRODUCTS) ** 2) for i in range(PRODUCTS)]
    prices = [max(euros, 1) * 100 - rng.choice((1, 1, 1, 5, 51)) for euros in whole]
    prices = [max(price, 99) for price in prices]
    return [
        (f"GD-{number:04d}", price, price * rng.randint(40, 60) // 100)
        for number, price in zip(ids, sorted(prices), strict=True)
    ]


def order_days(rng: Random, name: str) -> list[int]:
    """Return the days (after BEGIN) on which a customer of this persona orders."""
    persona = PERSONAS[name]
    count = mixed_count(rng, persona.orders, persona.shape, least=1)
    if name == "one_time_buyers":
        return [rng.randint(0, DAYS - 61)]
    if name == "seasonal_gift_buyers":
        seasons = rng.choice(([0], [366], [0, 366], [0, 366]))
        november = (date(2023, 11, 4) - BEGIN).days
        days = [s + november for s in seasons]
        return sorted(rng.choice(days) + rng.randint(0, 50) for _ in range(count))
    first, last = rng.randint(0, 240), DAYS
    if name == "new":
        first = DAYS - rng.randint(0, 58)
    elif name == "lapsing":
        last = DAYS - rng.randint(120, 240)
    elif name == "lost":
        last = DAYS - rng.randint(370, 640)
        first = rng.randint(0, min(240, last))
    days = [rng.randint(first, last) for _ in range(count)]
    if name == "new":
        days[0] = first
    elif name == "lapsing":
        days[0] = last - rng.randint(0, 20)
    return sorted(days)


def make_taste(rng: Random, name: str) -> tuple[float, float]:
    """Return one customer's own price level and share of discounted lines."""
    persona = PERSONAS[name]
    level = persona.level + rng.triangular(-0.25, 0.25, 0)
    return level, persona.discounted * rng.triangular(0.4, 1.6, 1)


def make_order(
    rng: Random, products: list, name: str, buyer: str, day: int, taste: tuple
) -> dict:
    """Return one order with its sale lines; amounts in cents."""
    level, discounted = taste
    persona = PERSONAS[name]
    lines = []
    for _ in range(rng.choices((1, 2, 3, 4, 5), persona.lines)[0]):
        rank = rng.triangular(max(level - 0.5, 0), min(level + 0.5, 1), level)
        product, price, cost = products[min(int(rank * PRODUCTS), PRODUCTS - 1)]
        quantity = rng.choices((1, 2, 3, 4, 6), (60, 24, 9, 5, 2))[0]
        discount = 0
        if rng.random() < discounted:
            discount = quantity * price * rng.randint(*persona.discount) // 100
        line = {"product_id": product, "quantity": quantity, "price": price}
        lines.append(line | {"discount": discount, "cost": cost, "line_type": "sale"})
    channel = rng.choices(("web", "app", "store"), persona.channel_weights)[0]
    order = {"customer_id": buyer, "persona": name, "at": moment(rng, day)}
    return order | {"channel": channel, "original": "", "lines": lines}


def make_orders(rng: Random, products: list, personas: dict) -> list[dict]:
    """Return all orders of known customers and guests, numbered by time."""
    plan = []
    for buyer, name in personas.items():
        taste = make_taste(rng, name)
        if name != "prospects":
            plan += [(name, buyer, day, taste) for day in order_days(rng, name)]
    champion = next(buyer for buyer, name in personas.items() if name == "champions")
    plan.append(("champions", champion, DAYS, taste))  # the last real day has an order
    # Dirt: guest orders have no customer id, and some ids are malformed.
    guests = [""] * GUEST_ORDERS
    guests += [
        ("C12", "??", "customer 7", "N/A")[i % 4] for i in range(MALFORMED_ID_ORDERS)
    ]
    for guest in guests:
        name, day = "one_time_buyers", rng.randint(0, DAYS)
        plan.append((name, guest, day, make_taste(rng, name)))
    orders = [make_order(rng, products, *entry) for entry in plan]
    orders.sort(key=lambda order: order["at"])
    for number, order in enumerate(orders, start=1):
        order["order_id"] = f"O{number:06d}"
    return orders


def steady_customers(orders: list[dict]) -> dict[str, list[dict]]:
    """Return the orders of the customers who have at least four of them."""
    by_customer = defaultdict(list)
    for order in orders:
        if len(order["customer_id"]) == 6 and order["customer_id"][0] == "C":
            by_customer[order["customer_id"]].append(order)
    return {buyer: own for buyer, own in by_customer.items() if len(own) >= 4}


def give_back(rng: Random, line: dict, quantity: int, kind: str) -> dict:
    """Return the line which takes back ``quantity`` pieces of a sale line."""
    share = line["discount"] * quantity // line["quantity"]
    line = line | {"quantity": -quantity, "discount": share, "line_type": kind}
    if kind == "return" and rng.random() < 0.03:  # now and then another price
        line["price"] = max(line["price"] * rng.choice((80, 90, 95)) // 100, 50)
        line["discount"] = 0
    return line


def make_documents(rng: Random, orders: list[dict], products: list) -> list[dict]:
    """Return returns, cancellations and orders of fees only; add fees to orders."""
    extra = []
    steady = steady_customers(orders)
    middle = [order for own in steady.values() for order in own[1:-1]]
    cancelled = {order["order_id"] for order in rng.sample(middle, 60)}
    for order in orders:
        if order["order_id"] in cancelled:
            at = order["at"] + timedelta(seconds=rng.randint(120, 1800))
            back = [
                give_back(rng, line, line["quantity"], "cancellation")
                for line in order["lines"]
            ]
            for line in order["lines"]:
                line["undone"] = True
            original = order["order_id"] if rng.random() < 0.8 else ""
            changes = {"at": at, "lines": back, "original": original, "kind": "X"}
            extra.append(order | changes)
            continue
        for line in order["lines"]:
            day = (order["at"].date() - BEGIN).days + rng.randint(3, 40)
            if rng.random() >= PERSONAS[order["persona"]].returned or day > DAYS:
                continue
            quantity = rng.choice((line["quantity"], rng.randint(1, line["quantity"])))
            back = [give_back(rng, line, quantity, "return")]
            original = order["order_id"] if rng.random() < 0.5 else ""
            line["undone"] = True
            changes = {"at": moment(rng, day), "lines": back, "kind": "R"}
            extra.append(order | changes | {"original": original})
        if rng.random() < 0.15:
            order["lines"] = order["lines"] + [fee_line(rng)]
    # Dirt: about eight returns dearer than their sale.
    returns = [o for o in extra if o["kind"] == "R" and o["customer_id"] in steady]
    returns = [o for o in returns if not o["lines"][0]["discount"]]
    for document in rng.sample(returns, 8):
        line = document["lines"][0]
        line["price"] = line["price"] * rng.choice((130, 140, 150)) // 100 + 1
    # Dirt: about eight returns of a product which the customer never bought.
    for number, buyer in enumerate(rng.sample(sorted(steady), 8)):
        bought = {ln["product_id"] for o in steady[buyer] for ln in o["lines"]}
        product, price, cost = rng.choice([p for p in products if p[0] not in bought])
        line = {"product_id": product, "quantity": -1, "price": price, "discount": 0}
        line |= {"cost": cost, "line_type": "return"}
        original = "O999999" if number % 2 else ""
        at = steady[buyer][1]["at"] + timedelta(minutes=rng.randint(1, 50))
        changes = {"at": at, "lines": [line], "original": original, "kind": "R"}
        extra.append(steady[buyer][1] | changes)
    # Dirt: about ten orders of fees only, between a customer's first and last order.
    for buyer in rng.sample(sorted(steady), 10):
        at = steady[buyer][-2]["at"] + timedelta(minutes=rng.randint(1, 50))
        changes = {"at": at, "lines": [fee_line(rng)], "kind": "O"}
        extra.append(steady[buyer][-2] | changes)
    extra.sort(key=lambda document: document["at"])
    counts = Counter(O=len(orders))
    for document in extra:
        counts[document["kind"]] += 1
        document["order_id"] = f"{document['kind']}{counts[document['kind']]:06d}"
    return extra


def fee_line(rng: Random) -> dict:
    """Return a fee line: shipping or gift wrap."""
    product, price, cost = rng.choice(FEES)
    line = {"product_id": product, "quantity": 1, "price": price, "discount": 0}
    return line | {"cost": cost, "line_type": "fee"}


def write_lines(rng: Random, documents: list[dict]) -> list[dict]:
    """Turn the documents into rows of text, numbered by time."""
    rows = []
    for order in sorted(documents, key=lambda o: (o["at"], o["order_id"])):
        style = rng.choices(("plain", "german", "iso"), (91, 8, 1))[0]
        loaded = order["at"] + timedelta(seconds=rng.randint(3600, 6 * 3600))
        no_discount = rng.choice(("", "", "", "0.00"))
        for line in order["lines"]:
            row = {
                "line_id": f"L{len(rows) + 1:07d}",
                "order_id": order["order_id"],
                "customer_id": order["customer_id"],
                "ordered_at": stamp(order["at"], style),
                "product_id": line["product_id"],
                "quantity": str(line["quantity"]),
                "unit_price": cents(line["price"]),
                "discount_amount": cents(line["discount"])
                if line["discount"]
                else no_discount,
                "line_type": line["line_type"],
                "original_order_id": order["original"],
                "currency": "EUR",
                "channel": order["channel"],
                "unit_cost": cents(line["cost"]),
                "loaded_at": stamp(loaded),
                "_fragile": line.get("undone") or order["at"].date() == END,
            }
            rows.append(row)
    return rows


def dirt_lines(rng: Random, rows: list[dict], documents: list[dict]) -> list[dict]:
    """Spoil single sale lines, at most one for each steady customer."""
    steady = steady_customers([o for o in documents if o["order_id"][0] == "O"])
    taken = {o["original"] for o in documents} | {
        o["order_id"] for own in steady.values() for o in (own[0], own[-1])
    }
    by_buyer = defaultdict(list)
    for row in rows:
        usable = row["line_type"] == "sale" and not row["_fragile"]
        if usable and row["customer_id"] in steady and row["order_id"] not in taken:
            by_buyer[row["customer_id"]].append(row)
    victims = [rng.choice(by_buyer[buyer]) for buyer in sorted(by_buyer)]
    rng.shuffle(victims)

    def spoil(column: str, values: list[str]) -> None:
        for value in values:
            victims.pop()[column] = value

    spoil("order_id", [""] * 15)  # missing order id
    bad_dates = ["yesterday", "", "2024-02-31 10:00:00"]
    spoil("ordered_at", bad_dates * 5)  # unparseable dates
    # Dates in the future, no two of them within 60 days.
    spoil("ordered_at", ["2091-05-04 12:00:00", "2027-06-10 09:15:00"])
    spoil("ordered_at", ["2030-03-15 18:30:00", "2034-09-01 11:45:00"])
    spoil("unit_price", ["0.00"] * 20 + ["-4.99", "-19.99"] * 5)
    spoil("quantity", ["0"] * 20)
    spoil("quantity", ["-1", "-2", "-1"] * 5)  # negative, yet line_type is sale
    spoil("quantity", ["two", "1 pc", "", "1x", "three"])
    spoil("unit_price", ["12,5x", "free", "", "n/a", "19.9.9"])
    spoil("currency", ["USD"] * 15 + ["GBP"] * 10)  # foreign currency
    spoil("line_type", ["swap"] * 5)  # unknown line type
    again = [victims.pop() for _ in range(15)]
    untouched = [r for r in rows if r["currency"] == "EUR" and r["customer_id"]]
    for row in rng.sample(untouched, 400):  # other spellings of EUR
        row["currency"] = rng.choice(("eur", "€"))
    known = [r for r in untouched if len(r["customer_id"]) == 6]
    for row in rng.sample(known, 80):  # ids with blanks around or in lower case
        style = rng.choice((" {} ", "{}", "{} ", " {}"))
        lower = rng.random() < 0.5 or style == "{}"
        text = row["customer_id"].lower() if lower else row["customer_id"]
        row["customer_id"] = style.format(text)
    corrected = []  # the same line delivered again, with another quantity
    for row in again:
        later = datetime.fromisoformat(row["loaded_at"]) + timedelta(rng.randint(1, 3))
        quantity = str(int(row["quantity"]) + 1)
        corrected.append(row | {"quantity": quantity, "loaded_at": stamp(later)})
    copies = rng.sample([row for row in rows if row not in again], 120)
    return rows + corrected + [dict(row) for row in copies]  # exact duplicates


def make_customers(rng: Random, personas: dict, first_order: dict) -> list[dict]:
    """Return one row of text for each customer, with dirty attributes."""
    rows = []
    for number, (customer, name) in enumerate(personas.items(), start=1):
        first, last = rng.choice(FIRST), rng.choice(LAST)
        address = f"{last}{number}@example.{rng.choice(('com', 'com', 'org'))}".lower()
        start = first_order.get(customer) or moment(rng, rng.randint(200, DAYS))
        ahead = rng.randint(0, 20 if name == "new" else 700)
        signed_up = start - timedelta(
            ahead if rng.random() < 0.7 else 0, rng.randint(600, 3600)
        )
        style = "german" if rng.random() < 0.15 else "plain"
        born = date(1945, 1, 1) + timedelta(rng.randint(0, 22000))
        age = END.year - born.year - ((END.month, END.day) < (born.month, born.day))
        country = rng.choices(list(CITIES), (55, 18, 12, 8, 7))[0]
        # Dirt: countries in mixed case and with blanks.
        messy = (country.upper(), country.lower(), f" {country.lower()}", f"{country} ")
        row = {
            "customer_id": customer,
            "customer_name": f"{first} {last}",
            "email": address if rng.random() < 0.97 else address.upper(),
            "phone": f"+1-{rng.randint(201, 989)}-555-01{rng.randint(0, 99):02d}",
            "signed_up_at": stamp(signed_up, style),
            "birth_date": born.isoformat() if rng.random() < 0.8 else "",
            "age": str(age) if rng.random() < 0.9 else "",
            "gender": rng.choice(("female", "female", "male", "male", "f", "M", "")),
            "country": country if rng.random() < 0.88 else rng.choice(messy),
            "city": rng.choice(CITIES[country]),
            "acquisition_channel": rng.choice(
                ("search", "search", "social", "referral", "email", "store", "")
            ),
        }
        # Dirt: consent in several spellings, or blank.
        for channel, agrees in zip(
            CUSTOMER_COLUMNS[-4:], (65, 30, 45, 15), strict=True
        ):
            answer = rng.choice(YES if rng.random() * 100 < agrees else NO)
            row[channel] = answer if rng.random() < 0.93 else ""
        rows.append(row)
    # Dirt: odd names, absurd ages, birth dates in the future.
    odd = [("customer_name", name) for name in ODD_NAMES]
    odd += [("age", age) for age in ("0", "7", "140", "-3", "forty") for _ in range(5)]
    odd += [("birth_date", d) for d in ("2031-01-01", "2091-05-04") for _ in range(3)]
    for row, (column, value) in zip(rng.sample(rows, len(odd)), odd, strict=True):
        row[column] = value
    return rows


def dirt_customers(rng: Random, rows: list[dict]) -> tuple[list[dict], set[str]]:
    """Add doubtful customer rows; return the rows and the ids which stay clean."""
    chosen = rng.sample(rows, 25 + 15 + 40 + 5)
    copies, twins, pairs = chosen[:25], chosen[25:40], chosen[40:80]
    extra = [dict(row) for row in copies]  # exact duplicates do no harm
    for number, row in enumerate(twins):  # the same id with another city or case
        changes = (
            {"city": "Atlantis"},
            {"customer_name": row["customer_name"].upper(), "city": "Atlantis"},
            {"customer_id": row["customer_id"].lower(), "city": row["city"].upper()},
        )
        extra.append(row | changes[number % 3])
    for left, right in zip(pairs[::2], pairs[1::2], strict=True):
        right["email"] = left["email"]  # two customers share one e-mail address
    for number, row in enumerate(chosen[80:]):  # customer rows without an id
        extra.append(row | {"customer_id": "", "email": f"nobody{number}@example.org"})
    doubtful = {row["customer_id"] for row in twins + pairs}
    return rows + extra, {row["customer_id"] for row in rows} - doubtful


def make_events(rng: Random, personas: dict, orders: list[dict]) -> list[dict]:
    """Return the engagement events, mostly around a customer's active time."""
    active = defaultdict(list)
    for order in orders:
        active[order["customer_id"]].append((order["at"].date() - BEGIN).days)
    types = ("visit", "email_open", "email_click", "support")
    rows = []
    for customer, name in personas.items():
        days = active.get(customer) or [rng.randint(200, DAYS)]
        first, last = max(min(days) - 20, 0), min(max(days) + 45, DAYS)
        for _ in range(mixed_count(rng, 0.9 * PERSONAS[name].events, 2)):
            at = stamp(moment(rng, rng.randint(first, last), 6, 22))
            kind = rng.choices(types, PERSONAS[name].event_weights)[0]
            rows.append({"customer_id": customer, "event_at": at, "event_type": kind})
    # Dirt: unknown customers, unparseable dates, blank types.
    spoiled = ("customer_id", "C99999"), ("customer_id", ""), ("customer_id", "visitor")
    spoiled += ("event_at", "yesterday"), ("event_at", "2024-02-31 10:00:00")
    spoiled += ("event_at", ""), ("event_type", "")
    for number, row in enumerate(rng.sample(rows, 3 * len(spoiled))):
        column, value = spoiled[number % len(spoiled)]
        row[column] = value
    return rows


def draw_treatment(rng: Random, campaign: Campaign, bought: list[bool]) -> list[bool]:
    """Draw who is in the treatment group, given who bought in the outcome window.

    The purchases are there already, and the campaign must not change them. So the
    effect is planted by Bayes' rule: where the groups are of shares s and 1 - s, of
    whom p + effect and p buy, a buyer was treated with the probability
    s (p + effect) / r and another customer with s (1 - p - effect) / (1 - r); r, the
    share of all who buy, is p + s * effect. Groups that are drawn so and groups that
    behave so have one and the same distribution.
    """
    share = 1 - campaign.control
    overall = sum(bought) / len(bought)
    treated = overall + (1 - share) * campaign.effect
    of_buyers = share * treated / overall
    of_others = share * (1 - treated) / (1 - overall)
    return [
        rng.random() < (of_buyers if bought_it else of_others) for bought_it in bought
    ]


def make_campaigns(
    rng: Random, customers: list[dict], orders: list[dict]
) -> tuple[list[dict], list[dict]]:
    """Return the campaigns, and who was assigned to them and contacted when."""
    days = defaultdict(list)
    for order in orders:
        if not all(line.get("undone") for line in order["lines"]):
            days[order["customer_id"]].append(order["at"].date())
    campaigns, contacts = [], []
    for number, campaign in enumerate(CAMPAIGNS, start=1):
        start, end = campaign.start, campaign.start + timedelta(OUTCOME_DAYS)
        consent = f"consent_{campaign.channel}"
        asked = sorted(
            row["customer_id"]
            for row in {row["customer_id"]: row for row in customers}.values()
            if row["customer_id"]
            and row[consent] in YES
            and sum(d < start for d in days[row["customer_id"]]) >= campaign.orders
        )
        asked = rng.sample(asked, min(len(asked), campaign.limit))
        bought = [any(start <= d < end for d in days[buyer]) for buyer in asked]
        treated = draw_treatment(rng, campaign, bought)
        key = f"K{number:03d}"
        for buyer, is_treated in zip(asked, treated, strict=True):
            at = moment(rng, (start - BEGIN).days, 9, 11)
            reached = is_treated and rng.random() < 0.95  # some mails come back
            group = "treatment" if is_treated else "control"
            row = {"campaign_id": key, "customer_id": buyer}
            row["contacted_at"] = stamp(at) if reached else ""
            contacts.append(row | {"assigned_group": group if campaign.control else ""})
        row = {"campaign_id": key, "campaign_name": campaign.name}
        row |= {"action": campaign.action, "channel": campaign.channel}
        row |= {"starts_at": start.isoformat(), "contact_cost": campaign.cost}
        campaigns.append(row | {"ends_at": (start + timedelta(13)).isoformat()})
    # Dirt: a campaign twice, one without an action, one without a readable date.
    campaigns.append(campaigns[0] | {"campaign_name": "Spring reminder (copy)"})
    campaigns.append(campaigns[1] | {"campaign_id": "K006", "action": ""})
    campaigns.append(campaigns[1] | {"campaign_id": "K007", "starts_at": "autumn"})
    # Dirt: unknown campaigns, malformed and missing ids, unknown groups, dates that are
    # none, all of rows that are added; customers in both groups; exact duplicates.
    spoiled = ("campaign_id", "K099"), ("campaign_id", "K007"), ("campaign_id", "")
    spoiled += ("customer_id", "visitor"), ("customer_id", "")
    spoiled += ("assigned_group", "maybe"), ("contacted_at", "yesterday")
    extra = []
    for number, row in enumerate(rng.sample(contacts, 3 * len(spoiled))):
        column, value = spoiled[number % len(spoiled)]
        extra.append(row | {column: value})
    treated = [row for row in contacts if row["assigned_group"] == "treatment"]
    picked = rng.sample([row for row in treated if row["contacted_at"]], 14)
    extra += [
        row | {"assigned_group": "control", "contacted_at": ""} for row in picked[:4]
    ]
    extra += picked[4:]
    contacts += [dict(row) for row in extra]
    rng.shuffle(contacts)
    return campaigns, contacts


def make_demo(seed: int = 20240101) -> dict[str, pd.DataFrame]:
    """Return the six tables of the demo, all values as text."""
    rng = Random(seed)
    names = [
        name for name, p in PERSONAS.items() for _ in range(p.share * CUSTOMERS // 100)
    ]
    rng.shuffle(names)
    personas = {f"C{i:05d}": name for i, name in enumerate(names, start=1)}
    products = make_products(rng)
    orders = make_orders(rng, products, personas)
    first_order = {order["customer_id"]: order["at"] for order in reversed(orders)}
    documents = orders + make_documents(rng, orders, products)
    lines = dirt_lines(rng, write_lines(rng, documents), documents)
    customers, clean = dirt_customers(rng, make_customers(rng, personas, first_order))
    events = make_events(rng, personas, orders)
    for rows in (lines, customers, events):
        rng.shuffle(rows)
    # Chance of their own: what was made before them does not depend on campaigns.
    campaigns, contacts = make_campaigns(Random(seed + 1), customers, orders)
    known = [(customer, personas[customer]) for customer in sorted(clean)]
    return {
        "demo_customers": pd.DataFrame(customers, columns=CUSTOMER_COLUMNS),
        "demo_order_lines": pd.DataFrame(lines, columns=LINE_COLUMNS),
        "demo_customer_events": pd.DataFrame(events, columns=EVENT_COLUMNS),
        "demo_campaigns": pd.DataFrame(campaigns, columns=CAMPAIGN_COLUMNS),
        "demo_campaign_contacts": pd.DataFrame(contacts, columns=CONTACT_COLUMNS),
        "demo_personas": pd.DataFrame(known, columns=["customer_id", "persona"]),
    }


def main(folder: Path | None = None) -> None:
    """Write the CSV files: all into ``folder``, or to their places in the project."""
    for name, table in make_demo().items():
        home = HERE / "demo"
        if name == "demo_personas":
            home = HERE.parent / "tests" / "python"
        path = (folder or home) / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(table.columns)
            writer.writerows(table.itertuples(index=False, name=None))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="folder for all six files")
    main(parser.parse_args().out)
