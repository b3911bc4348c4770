"""A second, deliberately plain computation of what the SQL project computes.

Loops, stacks and exact decimals instead of windows and joins, so that a fault of the
SQL is unlikely to stand here too. Nothing is shared with the project's own code.

Lines are a frame with one row per order line: line_id (unique, sorts as text),
order_id, customer_id (None for a guest), product_id, ordered_at, quantity (negative
for a return) and unit_price (Decimal). Other columns are allowed.
"""

import random
from bisect import bisect_left
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

import pandas as pd

ZERO = Decimal(0)
CENT = Decimal("0.01")

# M, D and PADS are not fees: corrections and discounts change what goods cost.
FEE_PRODUCTS = {
    "POST",
    "DOT",
    "C2",
    "BANK CHARGES",
    "AMAZONFEE",
    "CRUK",
    "S",
    "B",
}
FEE_PREFIX = "GIFT_"
ADJUSTMENT_PREFIX = "A"

LINE_COLUMNS = [
    "line_id",
    "order_id",
    "customer_id",
    "product_id",
    "ordered_at",
    "quantity",
    "unit_price",
]


class Netting(NamedTuple):
    """What net_returns gives back.

    orders: customer_id, order_id, ordered_at (first sale line), gross, net.
    money_back: customer_id, money_back; every customer with a line, 0 included.
    """

    orders: pd.DataFrame
    money_back: pd.DataFrame


def read_online_retail(path) -> pd.DataFrame:
    """Online Retail as lines; every field is read as text, money stays exact.

    line_id is the row's number in the file. stock_code and description stay as they
    are in the file, so that exact duplicate rows can be told from near ones.
    """
    raw = pd.read_csv(path, dtype=str, keep_default_na=False)
    return pd.DataFrame(
        {
            "line_id": [f"{number:07d}" for number in range(1, len(raw) + 1)],
            "order_id": raw["InvoiceNo"],
            "customer_id": pd.Series(
                [text.removesuffix(".0") or None for text in raw["CustomerID"]],
                dtype=object,
            ),
            "product_id": [_product(code) for code in raw["StockCode"]],
            "stock_code": raw["StockCode"],
            "description": raw["Description"],
            "ordered_at": pd.to_datetime(
                raw["InvoiceDate"], format="%Y-%m-%d %H:%M:%S"
            ),
            "quantity": [int(text) for text in raw["Quantity"]],
            "unit_price": [Decimal(text) for text in raw["UnitPrice"]],
            "country": raw["Country"],
            "is_cancellation": [text.startswith("C") for text in raw["InvoiceNo"]],
        }
    )


def apply_policies(
    lines: pd.DataFrame,
    *,
    duplicate_lines: str = "drop",
    returns: str = "net",
    fees: str = "exclude",
) -> pd.DataFrame:
    """The lines that count under the chosen policies.

    duplicate_lines: 'keep', or 'drop' to keep the first of the lines that are equal
    in every column but line_id. returns: 'net' keeps return lines, 'ignore' leaves
    them out. fees: 'keep', or 'exclude' to leave out fee products and adjustments.
    """
    _one_of("duplicate_lines", duplicate_lines, ("keep", "drop"))
    _one_of("returns", returns, ("net", "ignore"))
    _one_of("fees", fees, ("keep", "exclude"))

    compared = [column for column in lines.columns if column != "line_id"]
    seen = set()
    kept = []
    for position, line in enumerate(_rows(lines, compared)):
        if duplicate_lines == "drop":
            if line in seen:
                continue
            seen.add(line)
        if line.unit_price <= 0 or line.quantity == 0:
            continue
        if returns == "ignore" and line.quantity < 0:
            continue
        if fees == "exclude" and _is_fee(line):
            continue
        kept.append(position)
    return lines.iloc[kept].reset_index(drop=True)


def match_returns(lines: pd.DataFrame) -> pd.DataFrame:
    """Which units of which sale each return undoes.

    One row per matched piece: return_line_id, sale_line_id, units. Each price of a
    customer's product has its own stack of open sales; a return takes from the top of
    its price's stack, or, at a price never paid before, from the stack of the price
    of the latest earlier sale. What a stack cannot give stays unmatched.
    """
    return pd.DataFrame(
        _matched_pieces(_counted(lines)),
        columns=["return_line_id", "sale_line_id", "units"],
    )


def _matched_pieces(counted):
    events_by_product = {}
    for line in counted:
        key = (line.customer_id, _product(line.product_id))
        events_by_product.setdefault(key, []).append(line)

    pieces = []
    for events in events_by_product.values():
        open_sales = {}  # price -> stack of [sale line, units still open]
        latest_price = None
        for line in sorted(events, key=_event_order):
            price = line.unit_price.quantize(CENT, ROUND_HALF_UP)
            if line.quantity > 0:
                stack = open_sales.setdefault(price, [])
                stack.append([line.line_id, line.quantity])
                latest_price = price
                continue

            if price not in open_sales:
                price = latest_price
            stack = open_sales.get(price, [])
            wanted = -line.quantity
            while wanted > 0 and stack:
                sale = stack[-1]
                units = min(wanted, sale[1])
                pieces.append((line.line_id, sale[0], units))
                wanted -= units
                sale[1] -= units
                if sale[1] == 0:
                    stack.pop()
    return pieces


def net_returns(lines: pd.DataFrame, as_of, matched: bool = True) -> Netting:
    """Orders net of their returns, and the money back that belongs to no order.

    Only lines before the midnight that begins as_of count. A matched unit takes back
    the smaller of its sale price and its return price from the sale's order; the
    rest of a dearer return, and all of an unmatched one, is money back. With
    matched=False no return is matched, and so all of them are money back.
    """
    midnight = pd.Timestamp(as_of).normalize()
    counted = {}
    for line in _counted(lines):
        if line.ordered_at >= midnight:
            continue
        if line.line_id in counted:
            raise ValueError(f"line_id {line.line_id!r} stands on two lines")
        counted[line.line_id] = line

    orders = {}  # (customer, order) -> [first instant, gross, net]
    money_back = {}  # customer -> amount
    for line in counted.values():
        money_back.setdefault(line.customer_id, ZERO)
        amount = line.quantity * line.unit_price
        if line.quantity < 0:
            money_back[line.customer_id] -= amount
            continue
        key = (line.customer_id, line.order_id)
        order = orders.setdefault(key, [line.ordered_at, ZERO, ZERO])
        order[0] = min(order[0], line.ordered_at)
        order[1] += amount
        order[2] += amount

    # So far all returns are money back; a matched piece moves to the sale's order.
    if matched:
        for return_line_id, sale_line_id, units in _matched_pieces(counted.values()):
            sale = counted[sale_line_id]
            return_price = counted[return_line_id].unit_price
            undone = units * min(sale.unit_price, return_price)
            orders[sale.customer_id, sale.order_id][2] -= undone
            money_back[sale.customer_id] -= undone

    return Netting(
        pd.DataFrame(
            [(*key, *order) for key, order in sorted(orders.items())],
            columns=["customer_id", "order_id", "ordered_at", "gross", "net"],
        ),
        pd.DataFrame(sorted(money_back.items()), columns=["customer_id", "money_back"]),
    )


def customer_rfm(
    lines: pd.DataFrame,
    as_of,
    *,
    duplicate_lines: str = "drop",
    returns: str = "net",
    fees: str = "exclude",
) -> pd.DataFrame:
    """Recency, frequency and monetary value as of a date.

    One row per customer with at least one purchase, an order whose net is positive:
    customer_id, recency_days (from the last purchase's date), frequency (purchases),
    monetary (net of all the customer's orders less money back).
    """
    used = apply_policies(
        lines, duplicate_lines=duplicate_lines, returns=returns, fees=fees
    )
    orders, money_back = net_returns(used, as_of)
    last_date = {}
    frequency = {}
    order_net = {}
    for order in orders.itertuples(index=False):
        customer = order.customer_id
        order_net[customer] = order_net.get(customer, ZERO) + order.net
        if order.net > 0:
            date = order.ordered_at.date()
            last_date[customer] = max(last_date.get(customer, date), date)
            frequency[customer] = frequency.get(customer, 0) + 1

    back = dict(money_back.itertuples(index=False, name=None))
    as_of_date = pd.Timestamp(as_of).date()
    rows = []
    for customer in sorted(frequency):
        recency_days = (as_of_date - last_date[customer]).days
        monetary = order_net[customer] - back[customer]
        rows.append((customer, recency_days, frequency[customer], monetary))
    return pd.DataFrame(
        rows, columns=["customer_id", "recency_days", "frequency", "monetary"]
    )


def rfm_scores(frame: pd.DataFrame, *, minimum_customers: int = 50) -> pd.DataFrame:
    """Scores 1..5 by rank, 5 the best; equal values always get equal scores.

    Adds recency_score, frequency_score and monetary_score to a frame of one as-of
    date; they are all None where it has fewer than minimum_customers rows. The churn
    horizon's cap on recency is not applied.
    """
    scored = frame.copy()
    for value, score, few_is_best in (
        ("recency_days", "recency_score", True),
        ("frequency", "frequency_score", False),
        ("monetary", "monetary_score", False),
    ):
        values = list(frame[value])
        if len(values) < minimum_customers:
            scored[score] = pd.Series([None] * len(values), frame.index, dtype=object)
            continue
        ordered = sorted(values)
        span = max(len(values) - 1, 1)
        scores = []
        for one in values:
            smaller = bisect_left(ordered, one)  # rows below it: its rank less one
            fifth = min(4, 5 * smaller // span)
            scores.append(5 - fifth if few_is_best else 1 + fifth)
        scored[score] = scores
    return scored


def random_world(seed: int) -> pd.DataFrame:
    """A small random set of lines in which the hard cases of matching are common.

    Few customers, products, prices and instants, so that same-instant sales and
    returns, returns before their sale, too many units returned and prices never paid
    all occur. Sale orders, return orders and mixed ones; rows in random order.
    """
    generator = random.Random(seed)
    customers = [f"C{number}" for number in range(1, generator.randint(1, 3) + 1)]
    products = [f"P{number}" for number in range(1, generator.randint(1, 3) + 1)]
    prices = [Decimal(text) for text in ("0.10", "2.50", "3.99", "4.00")]
    prices = prices[: generator.randint(1, 4)]
    first_day = pd.Timestamp("2024-01-30")
    days = generator.randint(2, 9)

    lines = []
    for number in range(1, generator.randint(4, 20) + 1):
        customer = generator.choice(customers)
        instant = first_day + pd.Timedelta(
            days=generator.randrange(days), hours=generator.choice([0, 9, 9, 23])
        )
        signs = generator.choice([[1], [1], [-1], [-1, 1]])
        for _ in range(generator.randint(1, 3)):
            lines.append(
                {
                    "order_id": f"O{number:02d}",
                    "customer_id": customer,
                    "product_id": generator.choice(products),
                    "ordered_at": instant,
                    "quantity": generator.choice(signs) * generator.randint(1, 6),
                    "unit_price": generator.choice(prices),
                }
            )
    generator.shuffle(lines)
    for number, line in enumerate(lines, start=1):
        line["line_id"] = f"L{number:03d}"
    generator.shuffle(lines)
    return pd.DataFrame(lines, columns=LINE_COLUMNS)


def _product(code):
    return code.strip().upper()


def _is_fee(line):
    product = _product(line.product_id)
    return (
        product in FEE_PRODUCTS
        or product.startswith(FEE_PREFIX)
        or line.order_id.startswith(ADJUSTMENT_PREFIX)
    )


def _rows(lines, columns):
    # Plain Python objects: pandas' own text arrays are slow to loop over.
    return lines[columns].astype(object).itertuples(index=False, name="Line")


def _counted(lines):
    for line in _rows(lines, LINE_COLUMNS):
        is_guest = pd.isna(line.customer_id)
        if not is_guest and line.unit_price > 0 and line.quantity != 0:
            yield line


def _event_order(line):
    is_return = line.quantity < 0
    return line.ordered_at, is_return, line.line_id


def _one_of(name, value, allowed):
    if value not in allowed:
        raise ValueError(f"{name} must be one of {allowed}, not {value!r}")
