"""Every family of tags against the planted truth of a simulated shop, dirt and all.

The tags are found from what customers do; what drives them is known from the simulator alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from chain import SMALL, run_chain, sample
from sklearn.metrics import roc_auc_score

from mkt_models.engine import connect

CUSTOMERS = 1500
TOPICS = ("anime", "beauty", "digital", "gourmet", "home", "outdoors", "sports")


@dataclass(frozen=True)
class Shop:
    """What was found (one row per customer with the truth beside it), and the tags."""

    people: pd.DataFrame
    tags: pd.DataFrame

    def has(self, tag: str) -> pd.Series:
        """Whether each customer has a tag."""
        return self.people["customer_id"].isin(
            self.tags.loc[self.tags["tag"] == tag, "customer_id"]
        )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shop")
    params = sample(folder, ("demo.yaml", {"source.customers": CUSTOMERS}))
    with connect(SMALL.model_copy(update={"threads": 2}), folder / "spill") as con:
        made = run_chain(con, params, folder / "raw", folder)
    truth = pd.read_parquet(folder / "truth" / "customers.parquet")
    people = made.profiles.merge(truth, on="customer_id", suffixes=("", "_true"))
    assert len(people) > 0.8 * CUSTOMERS
    return Shop(people, made.tags)


def test_spending_habits_are_those_of_the_style(shop: Shop):
    buys = shop.people[shop.people["orders_90d"] >= 2]
    shares = pd.crosstab(buys["style"], buys["spending_habit"], normalize="index")
    for style in ("impulse_buyer", "careful_spender", "rational_consumer"):
        assert shares.loc[style, style] > 0.4  # of three labels
        others = shares.loc[shares.index != style, style]
        assert shares.loc[style, style] > 2 * others.mean()


def test_purchasing_power_is_told_by_what_is_paid(shop: Shop):
    known = shop.people[shop.people["price_index"].notna() & (shop.people["orders_365d"] >= 3)]
    middle = known.groupby("power")["price_index"].median()
    assert middle["affluent"] > 1.15 * middle["middle_class"] > 1.15 * middle["ordinary"]
    ends = known[known["power"] != "middle_class"]
    assert roc_auc_score(ends["power"] == "affluent", ends["price_index"]) > 0.95
    labels = pd.crosstab(known["power"], known["purchasing_power"], normalize="index")
    assert labels.loc["affluent", "affluent"] > 0.8
    assert labels.loc["ordinary", "ordinary"] > 0.6


@pytest.mark.parametrize("topic", TOPICS)
def test_interests_are_those_that_drive_the_customer(shop: Shop, topic: str):
    tagged, drive = shop.has(topic), shop.people[f"interest_{topic}"]
    assert tagged.sum() >= 20
    assert roc_auc_score(tagged, drive) > 0.85
    top = shop.people["top_interest"] == topic
    assert top[tagged].mean() > 2 * top.mean()


def test_a_private_interest_is_right_and_is_shown_nowhere(shop: Shop):
    tagged = shop.has("parenting_topics")
    assert roc_auc_score(tagged, shop.people["interest_parenting"]) > 0.7
    rows = shop.tags[shop.tags["tag"] == "parenting_topics"]
    assert rows["private"].all()
    assert "parenting_topics" not in set(shop.people["interest_tags"].explode())


def test_stages_tell_who_has_left(shop: Shop):
    alive = shop.people.groupby("lifecycle_stage")["alive"].mean()
    assert alive["active"] > 0.9
    assert alive["new"] > 0.8
    assert 0.3 < alive["dormant"] < 0.9
    assert alive["lost"] < 0.15


def test_tiers_of_value_are_those_of_the_money_to_come(shop: Shop):
    to_come = shop.people.groupby("value_tier")["expected_cents_90d"].mean()
    assert to_come["high"] > 2 * to_come["middle"] > 4 * to_come["low"]


def test_cheats_are_found_among_the_risks(shop: Shop):
    cheats = shop.people["fraud"] != "none"
    share = cheats.groupby(shop.people["risk_tier"]).mean()
    assert share["high"] > 0.25
    assert share["high"] > share["middle"] > 2 * share["low"]
    assert roc_auc_score(cheats, shop.people["risk_points"]) > 0.65


def test_influencers_reach_many(shop: Shop):
    reach = shop.people["followers_true"]
    tagged = shop.has("influencer")
    assert tagged.sum() >= 10
    assert np.median(reach[tagged]) > 3 * np.median(reach[~tagged & (reach > 0)])


def test_promotion_hunters_mind_the_price(shop: Shop):
    tagged, minds = shop.has("promotion_hunter"), shop.people["price_sensitivity"]
    assert minds[tagged].mean() > minds[~tagged].mean() + 0.03


def test_mobile_customers_buy_in_the_app(shop: Shop):
    tagged, app = shop.has("mobile_first"), shop.people["channel_app"]
    assert app[tagged].mean() > app[~tagged].mean()
