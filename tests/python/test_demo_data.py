"""The committed demo data are what seeds/make_demo.py makes, dirt included."""

import importlib.util
from pathlib import Path
from statistics import NormalDist

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
HOME = {
    "demo_customers": ROOT / "seeds" / "demo",
    "demo_order_lines": ROOT / "seeds" / "demo",
    "demo_customer_events": ROOT / "seeds" / "demo",
    "demo_campaigns": ROOT / "seeds" / "demo",
    "demo_campaign_contacts": ROOT / "seeds" / "demo",
    "demo_personas": ROOT / "tests" / "python",
}
END = pd.Timestamp("2024-12-31")


def read(name):
    path = HOME[name] / f"{name}.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def parse(texts):
    """Parse the shop's three date styles; anything else becomes NaT."""
    texts = texts.str.removesuffix("+00:00").str.replace("T", " ")
    plain = pd.to_datetime(texts, format="%Y-%m-%d %H:%M:%S", errors="coerce")
    german = pd.to_datetime(texts, format="%d.%m.%Y %H:%M", errors="coerce")
    return plain.fillna(german)


@pytest.fixture(scope="module")
def script():
    place = ROOT / "seeds" / "make_demo.py"
    spec = importlib.util.spec_from_file_location("make_demo", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def customers():
    return read("demo_customers")


@pytest.fixture(scope="module")
def lines():
    table = read("demo_order_lines")
    table["known_id"] = table["customer_id"].str.strip().str.upper()
    table["at"] = parse(table["ordered_at"])
    table["pieces"] = pd.to_numeric(table["quantity"], errors="coerce")
    table["price"] = pd.to_numeric(table["unit_price"], errors="coerce")
    return table


@pytest.fixture(scope="module")
def events():
    return read("demo_customer_events")


@pytest.fixture(scope="module")
def personas():
    return read("demo_personas").set_index("customer_id")["persona"]


@pytest.fixture(scope="module")
def real_sales(lines, personas):
    """Sale lines of clean customers with a date inside the two years."""
    rows = lines[lines["line_type"].eq("sale") & lines["at"].lt("2025-01-01")]
    rows = rows.drop_duplicates("line_id")
    return rows.join(personas, on="known_id", how="inner")


def test_committed_files_are_the_generated_bytes(script, tmp_path):
    script.main(tmp_path)
    assert sorted(p.stem for p in tmp_path.iterdir()) == sorted(HOME)
    for name, folder in HOME.items():
        made = (tmp_path / f"{name}.csv").read_bytes()
        assert made == (folder / f"{name}.csv").read_bytes(), name
        assert b"\r" not in made


def test_another_seed_gives_other_data(script):
    tables = script.make_demo(seed=1)
    assert not tables["demo_order_lines"].equals(read("demo_order_lines"))


def test_sizes(customers, lines, events):
    assert 3000 <= len(customers) <= 3100
    assert 22_000 <= len(lines) <= 25_500
    assert 7_500 <= len(events) <= 8_500
    for name, folder in HOME.items():
        assert (folder / f"{name}.csv").stat().st_size < 2_400_000, name


def test_last_real_order_day(lines):
    sales = lines[lines["line_type"].eq("sale")]
    real = sales.loc[sales["at"].lt("2025-01-01"), "at"]
    assert real.max().normalize() == END
    assert real.min() >= pd.Timestamp("2023-01-02")


def test_future_dates_lie_apart(lines):
    future = lines.loc[lines["at"].gt("2025-01-01"), "at"].drop_duplicates()
    future = future.sort_values()
    assert future.dt.year.tolist() == [2027, 2030, 2034, 2091]
    assert future.diff().min() > pd.Timedelta(days=60)


def test_personas_cover_exactly_the_clean_customers(customers, personas):
    table = customers.drop_duplicates()
    table = table.assign(known_id=table["customer_id"].str.strip().str.upper())
    table = table[table["known_id"].ne("")]
    repeated = table["known_id"].duplicated(keep=False)
    owners = table.groupby(table["email"].str.lower())["known_id"].transform("nunique")
    clean = table.loc[~repeated & owners.eq(1), "customer_id"]
    assert sorted(clean) == personas.index.tolist()
    assert personas.nunique() == 10


def test_clean_customers_sign_up_before_they_order(customers, real_sales):
    signed_up = customers.drop_duplicates("customer_id").set_index("customer_id")
    signed_up = parse(signed_up["signed_up_at"])
    first = real_sales.groupby("known_id")["at"].min()
    assert signed_up.notna().all()
    assert (signed_up.reindex(first.index) < first).all()


def test_personas_behave_as_planted(real_sales, personas):
    buyers = real_sales.groupby(["persona", "known_id"]).agg(
        first=("at", "min"), last=("at", "max"), orders=("order_id", "nunique")
    )
    expected = personas[personas.ne("prospects")]
    assert sorted(buyers.index.get_level_values("known_id")) == sorted(expected.index)
    assert buyers.loc["one_time_buyers", "orders"].eq(1).all()
    assert buyers.loc["new", "first"].gt(END - pd.Timedelta(days=60)).all()
    assert buyers.loc["lost", "last"].lt(END - pd.Timedelta(days=365)).all()
    quiet = (END - buyers.loc["lapsing", "last"]).dt.days
    assert quiet.between(110, 265).all()
    mean = buyers.groupby("persona")["orders"].mean()
    assert mean["champions"] > 1.5 * mean["loyal"] > 2 * mean["lost"]
    months = real_sales.loc[real_sales["persona"].eq("seasonal_gift_buyers"), "at"]
    assert months.dt.month.isin([11, 12]).all()


def count_order_dirt(lines):
    """Count each kind of dirt in the order lines."""
    sale = lines["line_type"].eq("sale")
    text = lines["customer_id"]
    well_formed = lines["known_id"].str.fullmatch(r"C\d{5}")
    columns = [c for c in lines.columns if c not in {"at", "pieces", "price"}]
    distinct = lines.drop_duplicates(columns)
    kinds = lines.groupby("order_id")["line_type"].agg(set)
    returns = lines[lines["line_type"].eq("return")].drop_duplicates("line_id")
    keys = ["known_id", "product_id"]
    sold = lines[sale].drop_duplicates("line_id").groupby(keys)["price"]
    sold = sold.max().rename("dearest_sale").reset_index()
    known = returns[returns["known_id"].str.fullmatch(r"C\d{5}")]
    known = known.merge(sold, on=keys, how="left")
    return {
        "exact duplicate rows": lines.duplicated(columns).sum(),
        "line delivered again": distinct["line_id"].duplicated().sum(),
        "guest lines": text.eq("").sum(),
        "guest orders": lines.loc[text.eq("") & sale, "order_id"].nunique(),
        "malformed customer id": (~well_formed & text.ne("")).sum(),
        "blanks or case in customer id": (well_formed & text.ne(lines.known_id)).sum(),
        "missing order id": lines["order_id"].eq("").sum(),
        "German date": lines["ordered_at"].str.contains(r"^\d\d\.").sum(),
        "ISO date with offset": lines["ordered_at"].str.contains(r"\+00").sum(),
        "unparseable date": lines["at"].isna().sum(),
        "future date": lines["at"].gt("2025-01-01").sum(),
        "zero price": lines["price"].eq(0).sum(),
        "negative price": lines["price"].lt(0).sum(),
        "zero quantity": lines["pieces"].eq(0).sum(),
        "negative quantity on a sale": (sale & lines["pieces"].lt(0)).sum(),
        "unparseable quantity": lines["pieces"].isna().sum(),
        "unparseable price": lines["price"].isna().sum(),
        "fee lines": lines["line_type"].eq("fee").sum(),
        "orders of fees only": kinds.eq({"fee"}).sum(),
        "return lines": len(returns),
        "returns with original order": returns["original_order_id"].ne("").sum(),
        "cancelled orders": kinds.eq({"cancellation"}).sum(),
        "returns dearer than the sale": known["price"].gt(known["dearest_sale"]).sum(),
        "returns without a sale": known["dearest_sale"].isna().sum(),
        "eur": lines["currency"].eq("eur").sum(),
        "€": lines["currency"].eq("€").sum(),
        "USD": lines["currency"].eq("USD").sum(),
        "GBP": lines["currency"].eq("GBP").sum(),
        "unknown line type": lines["line_type"].eq("swap").sum(),
    }


def count_other_dirt(customers, events):
    """Count each kind of dirt in the customers and the events."""
    name, age, born = customers.customer_name, customers.age, customers.birth_date
    named = customers[customers["customer_id"].ne("")].drop_duplicates()
    ids = named["customer_id"].str.upper()
    owners = ids.groupby(named["email"].str.lower()).nunique()
    consent = customers.filter(like="consent_").melt()["value"]
    return {
        "exact duplicate customers": customers.duplicated().sum(),
        "same customer with other text": ids.duplicated().sum(),
        "shared e-mail": owners.gt(1).sum(),
        "missing customer id": customers["customer_id"].eq("").sum(),
        "messy country": (~customers["country"].str.fullmatch(r"[A-Z][a-z]+")).sum(),
        "blank age": age.eq("").sum(),
        "absurd age": age.isin(["0", "7", "140", "-3", "forty"]).sum(),
        "blank birth date": born.eq("").sum(),
        "future birth date": born.gt("2025").sum(),
        "German sign-up date": customers["signed_up_at"].str.match(r"\d\d\.").sum(),
        "name not in ASCII": (~name.map(str.isascii)).sum(),
        "quote or comma in name": name.str.contains('[",]').sum(),
        "HTML in name": name.str.contains("<").sum(),
        "formula in name": name.str.contains(r"^[=+@-]").sum(),
        "line break in name": name.str.contains("\n").sum(),
        "blank consent": consent.eq("").sum(),
        "consent spellings": consent[consent.ne("")].nunique(),
        "event without known customer": (
            ~events["customer_id"].isin(customers["customer_id"])
            | events["customer_id"].eq("")
        ).sum(),
        "unparseable event date": parse(events["event_at"]).isna().sum(),
        "blank event type": events["event_type"].eq("").sum(),
    }


def count_campaign_dirt(campaigns, contacts):
    """Count by reason what is wrong with campaigns and contacts, one fault a row."""
    again = campaigns["campaign_id"].duplicated()
    campaign = pd.Series("", campaigns.index)
    campaign = campaign.mask(again, "duplicate_campaign")
    campaign = campaign.mask(
        parse(campaigns["starts_at"] + " 00:00:00").isna(), "invalid_date"
    )
    campaign = campaign.mask(campaigns["action"].eq(""), "missing_action")
    known = set(campaigns.loc[campaign.eq(""), "campaign_id"])
    fault = pd.Series("", contacts.index)
    at = contacts["contacted_at"]
    fault = fault.mask(parse(at).isna() & at.ne(""), "invalid_date")
    fault = fault.mask(contacts["assigned_group"].eq("maybe"), "unknown_group")
    fault = fault.mask(contacts["customer_id"].eq("visitor"), "malformed_customer_id")
    fault = fault.mask(contacts["customer_id"].eq(""), "missing_customer_id")
    fault = fault.mask(~contacts["campaign_id"].isin(known), "unknown_campaign")
    fault = fault.mask(contacts["campaign_id"].eq(""), "missing_campaign_id")
    sound = contacts[fault.eq("")]
    groups = sound["assigned_group"].replace("", "treatment")
    keys = [sound["campaign_id"], sound["customer_id"]]
    both = groups.groupby(keys).transform("nunique").gt(1)
    copies = sound.duplicated(["campaign_id", "customer_id", "contacted_at"]) & ~both
    fault = fault.mask(
        copies.reindex(fault.index, fill_value=False), "duplicate_contact"
    )
    fault = fault.mask(both.reindex(fault.index, fill_value=False), "in_both_groups")
    return {
        "campaigns": dict(campaign[campaign.ne("")].value_counts()),
        "contacts": dict(fault[fault.ne("")].value_counts()),
    }


def test_every_kind_of_dirt_of_campaigns_occurs():
    found = count_campaign_dirt(read("demo_campaigns"), read("demo_campaign_contacts"))
    assert set(found["campaigns"].values()) == {1}
    assert len(found["contacts"]) == 8
    assert min(found["contacts"].values()) >= 3


def test_a_planted_effect_has_the_stated_power_and_no_order_knows_of_it(script):
    """Bayes' rule backwards: drawn so, the groups buy as planned, chance apart."""
    reminder, ideas = script.CAMPAIGNS[:2]
    assert (reminder.effect, ideas.effect) == (0.1, 0.0)
    bought = [number % 5 == 0 for number in range(200_000)]
    for campaign, shares in ((reminder, (0.25, 0.15)), (ideas, (0.2, 0.2))):
        treated = script.draw_treatment(script.Random(1), campaign, bought)
        pairs = pd.DataFrame({"treated": treated, "bought": bought})
        rates = pairs.groupby("treated")["bought"].mean()
        assert abs(pairs["treated"].mean() - 0.5) < 0.005
        assert abs(rates[True] - shares[0]) < 0.005
        assert abs(rates[False] - shares[1]) < 0.005
    contacts = read("demo_campaign_contacts")
    own = contacts[contacts["campaign_id"].eq("K001")]["customer_id"].nunique()
    overall = 0.247  # of them buy within 60 days
    error = 2 * (overall * (1 - overall) / own) ** 0.5
    assert NormalDist().cdf(0.1 / error - 1.96) > 0.97


def test_every_kind_of_dirt_occurs(customers, lines, events):
    found = count_order_dirt(lines) | count_other_dirt(customers, events)
    rare = {"line break in name", "HTML in name", "quote or comma in name"}
    for kind, count in found.items():
        assert count >= (2 if kind in rare else 3), kind
    assert 100 <= found["exact duplicate rows"] <= 140
    assert 230 <= found["guest orders"] <= 270
    assert 10 <= found["orders of fees only"] <= 12
    assert 50 <= found["cancelled orders"] <= 70
    assert 6 <= found["returns dearer than the sale"] <= 12
    assert 6 <= found["returns without a sale"] <= 12


def test_lines_of_an_order_share_one_date_text(lines):
    whole = lines[lines["order_id"].ne("") & lines["at"].lt("2025-01-01")]
    assert whole.groupby("order_id")["ordered_at"].nunique().eq(1).all()


def test_no_real_contact_details(customers):
    assert customers["email"].str.lower().str.contains(r"@example\.(?:com|org)$").all()
    assert customers["phone"].str.fullmatch(r"\+1-\d{3}-555-01\d\d").all()
