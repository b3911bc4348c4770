"""Audiences and campaign lift of the demo, against plain arithmetic on its files."""

import csv
import hashlib
from datetime import date, timedelta
from decimal import Decimal
from math import exp, lgamma, pi, sqrt
from statistics import NormalDist, mean, variance

import pandas as pd
import pytest
from builds import NO_TESTS, build, write_lines
from test_demo_data import read

AS_OF = date(2025, 1, 1)
DAYS = 60
Z = NormalDist().inv_cdf(0.975)
LADDER = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]


def wilson(successes, trials):
    """Return the shares p for which (successes/trials - p)^2 is z^2 p (1 - p) / n."""
    share = successes / trials
    a, b, c = 1 + Z**2 / trials, -(2 * share + Z**2 / trials), share**2
    root = sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def newcombe(one, ones, other, others):
    """Return the difference of two shares and its hybrid score interval."""
    p, q = one / ones, other / others
    (low, high), (least, most) = wilson(one, ones), wilson(other, others)
    return (
        p - q,
        p - q - sqrt((p - low) ** 2 + (most - q) ** 2),
        p - q + sqrt((high - p) ** 2 + (q - least) ** 2),
    )


def t_quantile(degrees, share=0.975):
    """Bisect Student's distribution, integrated by Simpson's rule from 0."""
    scale = exp(lgamma((degrees + 1) / 2) - lgamma(degrees / 2)) / sqrt(degrees * pi)

    def below(t, steps=2000):
        values = [
            (1 + (t * i / steps) ** 2 / degrees) ** (-(degrees + 1) / 2)
            for i in range(steps + 1)
        ]
        inner = 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2])
        return 0.5 + scale * t / steps / 3 * (values[0] + inner + values[-1])

    low, high = 0.0, 20.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) < share else (low, middle)
    return low


def test_the_helpers_know_published_figures():
    """Newcombe (1998), method 10, his first example; a table of Student's t."""
    found = newcombe(56, 70, 48, 80)
    assert [round(value, 4) for value in found] == [0.2, 0.0524, 0.3339]
    assert [round(t_quantile(n), 3) for n in (10, 30, 120)] == [2.228, 2.042, 1.98]


@pytest.fixture(scope="module")
def members():
    """Who is in which group of each campaign, by the rules in words."""
    contacts = read("demo_campaign_contacts")
    contacts["group"] = contacts["assigned_group"].replace("", "treatment")
    is_sound = (
        contacts["campaign_id"].isin([f"K00{n}" for n in range(1, 6)])
        & contacts["customer_id"].str.fullmatch(r"C\d{5}")
        & contacts["group"].isin(["treatment", "control"])
        & contacts["contacted_at"].ne("yesterday")
    )
    sound = contacts[is_sound].drop_duplicates()
    keys = ["campaign_id", "customer_id"]
    groups = sound.groupby(keys)["group"].transform("nunique")
    return sound[groups.eq(1)].drop_duplicates(keys)


@pytest.fixture(scope="module")
def purchases(demo):
    return demo.frame(
        "select customer_id, order_date, net_amount from dev_marts.fct_orders "
        "where is_purchase and not is_guest"
    )


@pytest.fixture(scope="module")
def lifts(demo):
    return demo.frame("select * from dev_marts.rpt_campaign_lift").set_index(
        "campaign_id"
    )


def arms_of(campaign, members, purchases):
    """Return the amounts that the customers of both groups spent in the window."""
    starts = read("demo_campaigns").drop_duplicates("campaign_id")
    text = starts.set_index("campaign_id").loc[campaign, "starts_at"]
    start = date.fromisoformat(text)
    days = purchases["order_date"]
    window = purchases[(days >= start) & (days < start + timedelta(DAYS))]
    spent = window.groupby("customer_id")["net_amount"].sum()
    own = members[members["campaign_id"].eq(campaign)]
    return [
        [spent.get(customer) for customer in own.loc[own["group"].eq(g), "customer_id"]]
        for g in ("treatment", "control")
    ]


@pytest.mark.parametrize("campaign", ["K001", "K002"])
def test_lift_and_intervals_are_those_of_plain_arithmetic(
    campaign, members, purchases, lifts
):
    found = lifts.loc[campaign]
    treatment, control = arms_of(campaign, members, purchases)
    sizes = len(treatment), len(control)
    buyers = [sum(amount is not None for amount in arm) for arm in (treatment, control)]
    assert (found["treatment_count"], found["control_count"]) == sizes
    assert [found["treatment_buyer_count"], found["control_buyer_count"]] == buyers
    expected = newcombe(buyers[0], sizes[0], buyers[1], sizes[1])
    for column, value in zip(
        ("lift", "lift_lower", "lift_upper"), expected, strict=True
    ):
        assert abs(found[column] - value) < 2e-6, column
    amounts = [[float(a or 0) for a in arm] for arm in (treatment, control)]
    parts = [variance(arm) / len(arm) for arm in amounts]
    degrees = sum(parts) ** 2 / sum(
        part**2 / (len(arm) - 1) for part, arm in zip(parts, amounts, strict=True)
    )
    difference = mean(amounts[0]) - mean(amounts[1])
    margin = t_quantile(degrees) * sqrt(sum(parts))
    for column, value in {
        "revenue_difference": difference,
        "revenue_difference_lower": difference - margin,
        "revenue_difference_upper": difference + margin,
        "treatment_revenue_per_customer": mean(amounts[0]),
        "control_revenue_per_customer": mean(amounts[1]),
    }.items():
        assert abs(float(found[column]) - value) < 2e-4, column


def test_the_planted_effect_is_found_and_the_other_is_not(lifts):
    """Ten points were planted in the first; the power to find them is 98 %."""
    planted, none = lifts.loc["K001"], lifts.loc["K002"]
    assert planted["is_found"]
    assert 0 < planted["lift_lower"] < 0.1 < planted["lift_upper"]
    assert not none["is_found"]
    assert none["lift_lower"] < 0 < none["lift_upper"]
    assert dict(lifts["status"]) == {
        "K001": "ok", "K002": "ok", "K003": "too_few", "K004": "no_control",
        "K005": "running",
    }  # fmt: skip
    unknown = lifts.loc[["K003", "K004", "K005"]]
    for column in ("lift", "lift_lower", "is_found", "revenue_difference"):
        assert unknown[column].isna().all(), column


def test_measured_lifts_stand_in_the_recommendations(demo, lifts):
    rows = demo.frame(
        "select action, channel, uplift, uplift_lower, uplift_upper, uplift_status "
        "from dev_marts.rpt_recommendations where uplift_status is not null"
    )
    measured = {("Remind", "email"): "K001", ("Find the occasion", "email"): "K002"}
    seen = set()
    for row in rows.itertuples():
        campaign = measured.get((row.action, row.channel))
        assert row.uplift_status == ("measured" if campaign else "assumed")
        if campaign:
            own = lifts.loc[campaign]
            assert (row.uplift, row.uplift_lower) == (own["lift"], own["lift_lower"])
            seen.add(campaign)
        else:
            assert pd.isna(row.uplift_lower)
    assert seen == set(measured.values())


# ---- audiences ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def audiences(demo):
    return demo.frame("select * from dev_marts.fct_audiences")


def fraction(text):
    return int(hashlib.md5(text.encode()).hexdigest()[:8], 16) / 2**32


@pytest.fixture(scope="module")
def paused():
    """Who was contacted within 14 days before the date; only one campaign was."""
    contacts = read("demo_campaign_contacts")
    at = contacts["contacted_at"]
    recent = contacts[at.str[:10].between("2024-12-18", "2024-12-31")]
    return set(recent["customer_id"])


def test_who_is_contacted_follows_from_consent_pause_and_hashes_alone(
    demo, audiences, members, paused
):
    consents = demo.frame(
        "select customer_id, has_consent_email as email, has_consent_sms as sms, "
        "has_consent_post as post, has_consent_phone as phone "
        "from dev_marts.dim_customers"
    ).set_index("customer_id")
    assert len(audiences) == len(consents)
    for row in audiences.itertuples():
        allowed = row.channel and consents.loc[row.customer_id, row.channel]
        if not allowed or row.is_paused:
            expected = "not_contactable"
        elif fraction(f"universal control {row.customer_id}") < 0.02:
            expected = "universal_control"
        elif fraction(f"{row.audience_id} {row.customer_id}") < row.control_share:
            expected = "control"
        else:
            expected = "treatment"
        assert row.assignment == expected, row
    sound = set(members["customer_id"])
    found = set(audiences.loc[audiences["is_paused"].astype(bool), "customer_id"])
    assert found == paused & sound
    assert len(found) > 50


def test_the_control_share_is_the_smallest_that_is_enough(demo, audiences):
    horizon = demo.one(
        "select max(churn_horizon_days) from dev_intermediate.int_churn_horizon"
    )
    chances = {
        customer: 1 - churn ** (DAYS / horizon)
        for customer, churn in demo.rows(
            "select customer_id, churn_probability from dev_marts.dim_customers "
            "where churn_probability is not null"
        )
    }
    checked = 0
    for _, own in audiences.groupby("audience_id"):
        first = own.iloc[0]
        asked = own[own["assignment"].isin(["treatment", "control"])]
        known = [chances[c] for c in asked["customer_id"] if c in chances]
        if not known:
            assert pd.isna(first["base_rate"])
            assert first["measurement_status"] == "no_base_rate"
            continue
        rate, size = mean(known), len(asked)
        assert abs(first["base_rate"] - rate) < 2e-6
        enough = [
            share
            for share in LADDER
            if detectable(rate, size * share, size * (1 - share)) <= 0.05
            and size * share >= 30
            and size * share * min(rate, 1 - rate) >= 5
        ]
        assert first["can_be_measured"] == bool(enough)
        assert first["control_share"] == (enough[0] if enough else 0.1)
        share = first["control_share"]
        lift = detectable(rate, size * share, size * (1 - share))
        if lift > 1 - rate:
            assert pd.isna(first["detectable_lift"])
        else:
            assert abs(first["detectable_lift"] - lift) < 2e-5
        checked += 1
    assert checked > 5
    assert audiences["can_be_measured"].eq(True).any()


def detectable(rate, ones, others):
    """Return the difference that a two-sided test at 5 % finds four times of five."""
    sum_of = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    return sum_of * sqrt(rate * (1 - rate) * (1 / ones + 1 / others))


def test_a_tenth_of_300_shows_21_6_points_and_of_3000_6_8():
    assert round(100 * detectable(0.2, 30, 270), 1) == 21.6
    assert round(100 * detectable(0.2, 300, 2700), 1) == 6.8


def test_audiences_add_up_to_what_is_recommended(demo, audiences):
    counts = demo.frame(
        "select audiences.*, actions.customer_count as all_of_them, "
        "actions.reachable_customer_count as reachable "
        "from dev_marts.rpt_audiences as audiences "
        "left join dev_marts.rpt_recommendations as actions "
        "on actions.segmentation = 'next_action' "
        "and actions.segment_id = audiences.group_id "
        "and actions.action = audiences.action"
    )
    assert counts["customer_count"].sum() == len(audiences)
    for row in counts.itertuples():
        own = audiences[audiences["audience_id"].eq(row.audience_id)]
        groups = own["assignment"].value_counts()
        assert row.customer_count == row.all_of_them == len(own)
        assert row.contactable_customer_count == row.reachable
        assert row.treatment_count == groups.get("treatment", 0)
        assert row.control_count == groups.get("control", 0)
        values = own.loc[own["assignment"].eq("treatment"), "expected_value"]
        if values.notna().any():
            assert row.expected_worth == sum(values.dropna(), Decimal(0))


def test_the_list_for_other_tools_has_the_rows_of_the_mart(demo, audiences):
    path = demo.exports / demo.manifest()["folder"] / "fct_audiences.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert not {"customer_name", "email", "phone"} & set(rows[0])
    ordered = audiences.sort_values(["audience_id", "customer_id"])
    assert [row["customer_id"] for row in rows] == ordered["customer_id"].tolist()
    assert [row["reason"] or None for row in rows] == ordered["reason"].tolist()
    amounts = [f"{a:f}" if a is not None else "" for a in ordered["expected_value"]]
    assert [row["expected_value"] for row in rows] == amounts


# ---- own files ---------------------------------------------------------------------


@pytest.mark.slow
def test_campaigns_of_own_files_are_measured(tmp_path):
    """Newcombe's first example as a shop: 56 of 70 buy, of the control 48 of 80."""
    people = [(f"A{n}", "treatment", n < 56) for n in range(70)]
    people += [(f"B{n}", "control", n < 48) for n in range(80)]
    days = ["2024-02-01", "2024-03-20", "2024-05-05", "2024-06-01"]
    lines = [f"G{day},,{day} 10:00:00,P1,1,5" for day in days]
    lines += [
        f"O{who},{who},2024-03-10 10:00:00,P1,1,9" for who, _, buys in people if buys
    ]
    contacts = [f"k1,{who},,{group}" for who, group, _ in people]
    contacts += ["K2,A1,2024-03-01,", "K1,A2,,control", "K1,A3,,treatment"]
    (tmp_path / "campaigns.csv").write_text(
        "campaign_id,action,starts_at\nK1,Remind,2024-03-01\n,Remind,2024-03-01\n"
    )
    (tmp_path / "contacts.csv").write_text(
        "campaign_id,customer_id,contacted_at,assigned_group\n" + "\n".join(contacts)
    )
    done = build(
        tmp_path,
        args=["--select", "+rpt_campaign_lift", "+rpt_data_quality", *NO_TESTS],
        variables={"input": "template"},
        data=write_lines(tmp_path / "orders.csv", lines),
        environment={
            "SEGMENTATION_CAMPAIGNS": str(tmp_path / "campaigns.csv"),
            "SEGMENTATION_CAMPAIGN_CONTACTS": str(tmp_path / "contacts.csv"),
        },
    )  # fmt: skip
    ((treated, control, *limits),) = done.rows(
        "select treatment_count, control_count, lift, lift_lower, lift_upper "
        "from dev_marts.rpt_campaign_lift"
    )
    # A2 is in both groups and so in none: one buyer of 70 less
    assert (treated, control) == (69, 80)
    expected = newcombe(55, 69, 48, 80)
    assert limits == pytest.approx(expected, abs=2e-6)
    assert done.rows(
        "select source_table, reason, count(*) from dev_staging.stg_quarantined_rows "
        "group by all order by all"
    ) == [
        ("campaign_contacts", "duplicate_contact", 1),
        ("campaign_contacts", "in_both_groups", 2),
        ("campaign_contacts", "unknown_campaign", 1),
        ("campaigns", "missing_campaign_id", 1),
    ]
    assert dict(
        done.rows(
            "select source_table, row_count from dev_marts.rpt_data_quality "
            "where measure = 'physical'"
        )
    ) == {"order_lines": 108, "customers": 0, "campaigns": 2, "campaign_contacts": 153}
