"""Customer tables without orders: two real ones, and one that is made up here."""

import random
import re

import numpy as np
import pandas as pd
import pytest
from builds import NO_UNIT_TESTS, REPOSITORY, build, copy_project, shared
from conftest import fixture_of
from shared_data import shared_file
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from test_build_demo import known_and_run

MALL = "mall_customers/Mall_Customers.csv.gz"
CREDIT_CARD = "cc_general/CC_GENERAL.csv.gz"
INPUTS = [
    "mall_customers",
    pytest.param("credit_card", marks=pytest.mark.slow),
    pytest.param("gym", marks=pytest.mark.slow),
]
# What only orders can say.
OF_ORDERS = {
    "dim_customers": [
        "order_count", "frequency", "first_purchase_date", "last_purchase_date",
        "recency_days", "tenure_days", "gross_amount", "discount_amount",
        "order_net_amount", "money_back_amount", "monetary", "average_order_amount",
        "recency_score", "frequency_score", "monetary_score", "rfm_code",
        "rfm_segment", "lifecycle_state",
    ],
    "rpt_segment_summary": [
        "live_customer_count", "lapsed_customer_count", "order_count", "revenue",
        "revenue_share", "revenue_per_customer", "average_order_amount",
        "mean_frequency", "mean_recency_days",
    ],
    "rpt_recommendations": ["revenue", "revenue_share"],
    "fct_audiences": ["expected_value", "base_rate", "can_be_measured"],
}  # fmt: skip


@shared
def mall_customers(folder, of):
    data = shared_file(MALL)
    variables = {"input": "mall_customers"}
    return build(folder, args=NO_UNIT_TESTS, variables=variables, data=data)


@shared
def credit_card(folder, of):
    data = shared_file(CREDIT_CARD)
    return build(folder, variables={"input": "credit_card"}, data=data)


@shared
def gym(folder, of):
    """The recipe of CONTRIBUTING, followed to the letter in a copy of the project."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    recipe = text.partition("## Add a customer table")[2].partition("\n## ")[0]
    model, properties, declaration = re.findall(r"```\w+\n(.*?)```", recipe, re.DOTALL)
    project = copy_project(folder)
    own = project / "models" / "input" / "gym"
    own.mkdir()
    (own / "gym__customers.sql").write_text(model)
    (own / "_gym.yml").write_text(properties)
    configuration = project / "dbt_project.yml"
    before, inputs, after = configuration.read_text().partition("  inputs:\n")
    configuration.write_text(before + inputs + declaration + after)
    (folder / "members.csv").write_text("\n".join(member_lines()) + "\n")
    return build(
        folder,
        project=project,
        args=NO_UNIT_TESTS,
        variables={"input": "gym"},
        data=folder / "members.csv",
    )


for _job in (mall_customers, credit_card, gym):
    globals()[f"{_job.__name__}_fixture"] = fixture_of(_job.__name__)


# ---- every customer table ----------------------------------------------------------


@pytest.mark.parametrize("name", INPUTS)
def test_every_test_of_a_customer_table_ran(request, name):
    finished = request.getfixturevalue(name)
    known, ran, _ = known_and_run(finished)
    manifest = finished.artifact("manifest.json")
    off = {unique_id.rpartition(".")[2] for unique_id in manifest["disabled"]}
    for test in known - ran:
        read = {reference["name"] for reference in manifest["nodes"][test]["refs"]}
        assert read & off, f"{test} did not run, and no model that it reads is off"
    assert len(ran) >= 155


@pytest.mark.parametrize("name", INPUTS)
def test_what_needs_orders_is_null_or_absent(request, name):
    finished = request.getfixturevalue(name)
    assert finished.lines("Published")
    for mart, columns in OF_ORDERS.items():
        rows = finished.frame(f"select * from dev_marts.{mart}")
        assert len(rows)
        for column in columns:
            assert rows[column].isna().all(), f"{mart}.{column}"
    names = {file["name"] for file in finished.manifest()["files"]}
    assert not names & {
        "fct_orders.parquet", "dim_dates.parquet", "registry_rfm_cut_points.parquet",
        "rpt_campaign_lift.parquet",
    }  # fmt: skip
    assert {"dim_customers.parquet", "registry_segment_prototypes.parquet"} <= names


@pytest.mark.parametrize("name", INPUTS)
def test_all_customers_are_in_a_segment_and_some_of_each_on_the_map(request, name):
    finished = request.getfixturevalue(name)
    assert set(finished.rows("select segment_status from dev_marts.dim_customers")) == {
        ("assigned",)
    }
    sizes = dict(
        finished.rows(
            "select segment_id, customer_count from dev_marts.rpt_segment_summary"
        )
    )
    used = finished.one("select count(*) from dev_staging.stg_customers")
    assert sum(sizes.values()) == used
    on_map = dict(
        finished.rows(
            "select segment_id, count(*) from dev_marts.rpt_customer_map group by all"
        )
    )
    assert on_map.keys() == sizes.keys()
    for segment, count in on_map.items():
        assert min(30, sizes[segment]) <= count <= sizes[segment]


def segments_of(finished):
    """Name of each customer's segment."""
    return pd.Series(
        dict(
            finished.rows(
                "select customer_id, segment_name from dev_marts.dim_customers"
            )
        )
    )


def actions_of(finished):
    return dict(
        finished.rows("select segment_name, action from dev_marts.rpt_recommendations")
    )


def candidate(finished):
    """The one that was chosen."""
    return finished.frame(
        "select * from dev_marts.rpt_segment_candidates where is_chosen"
    ).iloc[0]


# ---- Mall Customers ----------------------------------------------------------------


@pytest.fixture(scope="module")
def mall():
    frame = pd.read_csv(shared_file(MALL), dtype={"CustomerID": str})
    frame.columns = ["customer_id", "gender", "age", "income", "score"]
    frame["customer_id"] = frame["customer_id"].str.lstrip("0")
    return frame.set_index("customer_id")


def test_the_mall_has_its_five_groups_with_what_to_do(mall_customers):
    assert actions_of(mall_customers) == {
        "Average income and spending": "Grow the basket",
        "High income and high spending": "Keep and pamper",
        "High income and low spending": "Win their trust",
        "Low income and high spending": "Reward with care",
        "Low income and low spending": "Serve at low cost",
    }
    sizes = segments_of(mall_customers).value_counts()
    assert sizes.tolist() == [81, 39, 35, 23, 22]
    assert sizes.index[0] == "Average income and spending"


def test_the_mall_is_clustered_as_scikit_learn_does_it(mall_customers, mall):
    points = mall[["income", "score"]].to_numpy(dtype=float)
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    labels = KMeans(5, n_init=50, random_state=0).fit_predict(points)
    found = segments_of(mall_customers).reindex(mall.index)
    assert adjusted_rand_score(labels, found) == 1
    row = candidate(mall_customers)
    assert (row["algorithm"], row["cluster_count"]) == ("kmeans", 5)
    assert row["is_elbow"]
    assert row["silhouette"] == pytest.approx(
        silhouette_score(points, labels), abs=1e-6
    )


def test_the_names_of_the_mall_say_what_its_customers_are(mall_customers, mall):
    means = mall[["income", "score"]].groupby(segments_of(mall_customers)).mean()
    relative = means / mall[["income", "score"]].mean()
    for name, row in relative.iterrows():
        for word, value in (("income", row["income"]), ("spending", row["score"])):
            if f"high {word}" in name.lower():
                assert value > 1.2
            elif f"low {word}" in name.lower():
                assert value < 0.8
            else:
                assert 0.8 < value < 1.2


def test_nothing_of_the_mall_is_in_quarantine_and_its_ids_have_no_zeros(
    mall_customers, mall
):
    assert not mall_customers.rows("select * from dev_staging.stg_quarantined_rows")
    found = mall_customers.frame(
        "select customer_id, gender, age from dev_marts.dim_customers"
    ).set_index("customer_id")
    assert found["age"].astype(int).to_dict() == mall["age"].to_dict()
    assert found["gender"].to_dict() == mall["gender"].str.lower().to_dict()


# ---- the credit card ---------------------------------------------------------------


@pytest.fixture(scope="module")
def card():
    frame = pd.read_csv(shared_file(CREDIT_CARD), index_col="CUST_ID")
    return frame.rename(columns=str.lower)


@pytest.mark.slow
def test_the_credit_card_has_the_four_published_groups_and_who_draws_cash(credit_card):
    assert actions_of(credit_card) == {
        "Cash-advance users": "Advise",
        "High spenders": "Reward",
        "Installment users": "Offer plans",
        "Low activity": "Activate",
        "Moderate spenders": "Grow use",
    }
    shares = segments_of(credit_card).value_counts(normalize=True)
    assert shares.min() > 0.08


@pytest.mark.slow
def test_the_credit_card_is_clustered_as_scikit_learn_does_it(credit_card, card):
    points = np.column_stack(
        [
            np.log1p(card["oneoff_purchases"] / card["tenure"]),
            np.log1p(card["installments_purchases"] / card["tenure"]),
            card["cash_advance_frequency"].clip(
                upper=card["cash_advance_frequency"].quantile(0.99)
            ),
        ]
    )
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    labels = KMeans(5, n_init=20, random_state=0).fit_predict(points)
    found = segments_of(credit_card).reindex(card.index)
    assert adjusted_rand_score(labels, found) > 0.99
    row = candidate(credit_card)
    assert (row["algorithm"], row["cluster_count"]) == ("kmeans", 5)
    assert row["is_elbow"]
    # On the first 5,000 of the 8,950 by hash.
    expected = silhouette_score(points, labels)
    assert row["silhouette"] == pytest.approx(expected, abs=0.01)


@pytest.mark.slow
def test_the_names_of_the_credit_card_say_what_its_holders_do(credit_card, card):
    segments = segments_of(credit_card)
    means = card.groupby(segments).mean()
    assert means["purchases"].idxmax() == "High spenders"
    assert means["purchases"].idxmin() == "Low activity"
    assert means["cash_advance"].idxmax() == "Cash-advance users"
    assert means.loc["High spenders", "purchases"] > 2 * card["purchases"].mean()
    assert means.loc["Low activity", "purchases"] < 0.05 * card["purchases"].mean()
    moderate = means.loc["Moderate spenders", "purchases"] / card["purchases"].mean()
    assert 0.5 < moderate < 1.5
    # Of all that a group buys, what part is by installments?
    sums = card.groupby(segments)[["installments_purchases", "purchases"]].sum()
    parts = sums["installments_purchases"] / sums["purchases"]
    assert parts["Installment users"] > 0.9
    assert parts["Moderate spenders"] < 0.1


@pytest.mark.slow
def test_missing_values_of_the_credit_card_stay_missing_in_what_is_published(
    credit_card,
):
    found = dict(
        credit_card.rows(
            "select attribute, count(*) filter (number_value is null) "
            "from dev_marts.fct_customer_attributes "
            "where attribute in ('credit_limit', 'minimum_payments', 'balance') "
            "group by attribute"
        )
    )
    assert found == {"credit_limit": 1, "minimum_payments": 313, "balance": 0}


# ---- a further table, by the recipe ------------------------------------------------


GROUPS = {  # members, visits a week, fee, kilometres, plan
    "regulars": (150, 4.0, 60, 2, "plus"),
    "bargain": (140, 1.0, 20, 5, "basic"),
    "far": (110, 2.0, 95, 18, "premium"),
}
BROKEN = {
    "wrong_number_of_columns": "M9001;30;2.0;50",
    "malformed_customer_id": "guest;30;2.0;50;plus;3.0",
    "missing_customer_id": ";30;2.0;50;plus;3.0",
    "unclosed_quote": 'M9002;30;2.0;50;"plus;3.0',
}


def members():
    """400 made-up members of three kinds, with gaps and a rare plan."""
    chance = random.Random(7)
    rows = []
    for group, (count, visits, fee, distance, plan) in GROUPS.items():
        for _ in range(count):
            rows.append(
                {
                    "customer_id": f"M{len(rows) + 1:04d}",
                    "age": chance.randint(18, 75),
                    "visits_per_week": round(visits * chance.uniform(0.8, 1.2), 2),
                    "monthly_fee": round(fee * chance.uniform(0.9, 1.1)),
                    "plan": plan,
                    "distance": round(distance * chance.uniform(0.6, 1.6), 1),
                    "group": group,
                }
            )
    frame = pd.DataFrame(rows)
    frame["monthly_fee"] = frame["monthly_fee"].astype("Int64")
    frame.loc[frame.index % 17 == 3, "monthly_fee"] = pd.NA
    frame.loc[frame.index % 23 == 5, "plan"] = None
    frame.loc[frame.index % 19 == 7, "distance"] = np.nan
    frame.loc[[10, 160, 300, 301], "plan"] = "corporate"
    return frame


def member_lines():
    frame = members()
    text = frame.drop(columns="group").to_csv(index=False, header=False, sep=";")
    lines = text.splitlines()
    lines[40:40] = BROKEN.values()
    lines.append(lines[0])
    return ["Member No;Age;Visits per Week;Monthly Fee;Plan;Distance (km)", *lines]


@pytest.mark.slow
def test_the_recipe_finds_the_made_up_groups(gym):
    table = members().set_index("customer_id")
    found = segments_of(gym)
    assert found.index.sort_values().tolist() == table.index.tolist()
    agreement = adjusted_rand_score(table["group"], found.reindex(table.index))
    assert agreement > 0.95
    row = candidate(gym)
    assert (row["algorithm"], row["cluster_count"]) == ("kmeans", 3)
    assert row["silhouette"] > 0.5
    assert "separated clusters" in row["reason"]


@pytest.mark.slow
def test_the_broken_rows_of_the_recipe_are_in_quarantine(gym):
    found = gym.rows(
        "select reason, source_line, source_row from dev_staging.stg_quarantined_rows "
        "order by source_line"
    )
    assert [row[:2] for row in found] == [
        *((reason, 42 + place) for place, reason in enumerate(BROKEN)),
        ("duplicate_customer", 406),
    ]
    rows = {reason: row for reason, _, row in found}
    for reason in ("wrong_number_of_columns", "unclosed_quote"):
        assert rows[reason] == BROKEN[reason]
    measures = dict(
        gym.rows(
            "select measure, sum(row_count)::int from dev_marts.rpt_data_quality "
            "where source_table = 'customers' and measure <> 'note' group by measure"
        )
    )
    assert measures == {"physical": 405, "used": 400, "quarantined": 5}


@pytest.mark.slow
def test_the_profiles_of_the_recipe_are_the_means_and_shares_of_the_table(gym):
    table = members().set_index("customer_id")
    segments = segments_of(gym)
    profiles = gym.frame(
        "select profiles.*, segments.segment_name "
        "from dev_marts.rpt_segment_profiles as profiles "
        "join dev_marts.dim_segments as segments using (segment_id)"
    )
    for feature in ("visits_per_week", "monthly_fee", "distance"):
        numbers = table[feature].astype(float)
        own = profiles[profiles["feature"] == feature].set_index("segment_name")
        expected = numbers.groupby(segments).mean()
        assert own["mean_value"].astype(float).to_dict() == pytest.approx(
            expected.to_dict(), abs=1e-5
        )
        assert own["mean_of_all"].astype(float).tolist() == pytest.approx(
            [numbers.mean()] * 3, abs=1e-5
        )
    plans = profiles[profiles["feature"] == "plan"]
    assert set(plans["level"]) == {"basic", "plus", "premium", "corporate"}
    row = plans[plans["level"] == "premium"].sort_values("mean_value").iloc[-1]
    known = table["plan"][segments.reindex(table.index) == row["segment_name"]].dropna()
    assert row["mean_value"] == pytest.approx((known == "premium").mean(), abs=1e-5)


@pytest.mark.slow
def test_the_recipe_says_what_became_of_each_feature(gym):
    table = members()
    features = gym.frame("select * from dev_marts.rpt_segmentation_features")
    features = features.set_index("feature")
    used = ["visits_per_week", "monthly_fee", "plan", "distance"]
    assert (features.loc[used, "status"] == "used").all()
    for feature in used:
        missing = table[feature].isna().sum()
        assert features.loc[feature, "missing_count"] == missing
        note = features.loc[feature, "note"]
        assert (f"{missing} missing values filled with" in note) == (missing > 0)
    assert "1 rare level pooled" in features.loc["plan", "note"]


@pytest.mark.slow
def test_each_segment_of_the_recipe_has_a_name_of_its_own_and_an_action(gym):
    actions = actions_of(gym)
    assert len(actions) == 3
    assert set(actions.values()) == {"Look closer"}
    by_group = members().set_index("customer_id")["group"].groupby(segments_of(gym))
    names = {group.mode().item(): name for name, group in by_group}
    assert names == {
        "regulars": "Low distance, high share of plan plus",
        "bargain": "High share of plan basic, low monthly fee",
        "far": "High share of plan premium, high distance",
    }
