from collections.abc import Sequence
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from models.tables import shop

from mkt_models.models.campaign_features import CAMPAIGN_FEATURES, with_campaign_features

D = date(2020, 9, 1)


def at(days: int) -> date:
    return D + timedelta(days=days)


# id, type, first day, last day, begun before the data, ends after it
CAMPAIGNS = [
    ("early", "Type A", at(-300), at(-200), True, False),
    ("past", "Type B", at(-60), at(-30), False, False),
    ("open", "Type C", at(-10), at(5), False, False),
    ("now", "Type A", at(0), at(29), False, False),
]
OFFERS = [
    ("soup_coupon", "now", "soup"),
    ("bread_coupon", "now", "bread"),
    ("pantry_coupon", "now", "soup"),  # one product under two coupons
    ("old_coupon", "past", "milk"),
]
PRODUCTS = [("soup", "CANS", False), ("broth", "CANS", False), ("bread", "BAKERY", False)]
PRODUCTS += [("milk", "DAIRY", False)]


def mailed(customer: str, campaign: str, day: int, channel: str = "mail") -> tuple[object, ...]:
    return (customer, campaign, channel, at(day))


def redeemed(customer: str, campaign: str, day: int) -> tuple[object, ...]:
    return (customer, campaign, "soup_coupon", "redemption", at(day))


def market(
    purchases: list[tuple[str, date, int, str]] | None = None,
    exposures: list[tuple[object, ...]] | None = None,
    outcomes: list[tuple[object, ...]] | None = None,
    campaigns: Sequence[tuple[object, ...]] = CAMPAIGNS,
) -> duckdb.DuckDBPyConnection:
    return shop(
        purchases or [("c", at(-100), 100, "milk")],
        products=PRODUCTS,
        campaigns=campaigns,
        offers=OFFERS,
        exposures=exposures or [],
        outcomes=outcomes or [],
    )


def pairs(*rows: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "campaign_id"])
    return frame.assign(as_of=pd.Timestamp(D).as_unit("us"))


def of(con: duckdb.DuckDBPyConnection, customer: str, campaign: str = "now") -> pd.Series:
    return with_campaign_features(con, pairs((customer, campaign))).iloc[0]


# --- the campaign ------------------------------------------------------------------------------


def test_a_campaign_is_described_by_its_days_coupons_products_and_categories() -> None:
    rows = with_campaign_features(market(), pairs(("c", "now"), ("c", "past"), ("c", "open")))
    names = ["days", "offers", "products", "categories"]
    assert rows[[f"campaign_{name}" for name in names]].values.tolist() == [
        [30, 3, 2, 2],
        [31, 1, 1, 1],
        [16, 0, 0, 0],
    ]
    assert rows["campaign_discount"].isna().all()


def test_a_discount_counts_once_per_coupon_however_many_products_it_has() -> None:
    con = market()
    con.execute("INSERT INTO offers VALUES ('soup_coupon', 'now', 'broth', 0.1)")
    con.execute("UPDATE offers SET discount_share = 0.1 WHERE offer_id = 'soup_coupon'")
    con.execute("UPDATE offers SET discount_share = 0.3 WHERE offer_id = 'bread_coupon'")
    assert of(con, "c")["campaign_discount"] == pytest.approx(0.2)


def test_the_price_is_what_a_line_of_the_products_came_to_in_180_days() -> None:
    con = market(
        [
            ("c", at(-181), 9900, "soup"),
            ("c", at(-180), 300, "soup"),
            ("d", at(-1), 500, "bread"),
            ("d", at(-1), 9900, "milk"),  # not in the campaign
            ("d", at(0), 9900, "bread"),  # not before it
        ]
    )
    assert of(con, "c")["campaign_price"] == pytest.approx(4.0)
    assert np.isnan(of(con, "c", "open")["campaign_price"])


SENT = [mailed(f"{i}", "past", -60) for i in range(40)]
SENT += [mailed(f"{i}", "other", -60, "sms") for i in range(10)]
ANSWERED = [redeemed(f"{i}", "past", -40) for i in range(8)]
ANSWERED += [redeemed("0", "other", -40), redeemed("1", "other", -40)]
OTHER = ("other", "Type A", at(-60), at(-20), False, False)


def test_the_response_of_a_type_and_a_channel_is_drawn_towards_that_to_all() -> None:
    # 40 of type B by mail with 8 responses, 10 of type A by sms with 2: of all 50, 20%.
    late = [redeemed("9", "past", -29), redeemed("8", "other", -61)]  # not in the campaign's days
    con = market(None, SENT, [*ANSWERED, *late], [*CAMPAIGNS, OTHER])
    con.execute("UPDATE campaigns SET channel = 'sms' WHERE campaign_id = 'open'")
    asked = pairs(("c", "past"), ("c", "now"), ("c", "open"))
    rows = with_campaign_features(con, asked)
    every = [0.2] * 3
    assert rows["type_rate"].tolist() == pytest.approx(every)
    assert rows["channel_rate"].tolist() == pytest.approx(every)
    more = [redeemed("2", "other", -30), redeemed("3", "other", -30)]
    con = market(None, SENT, [*ANSWERED, *more], [*CAMPAIGNS, OTHER])
    told = with_campaign_features(con, asked.assign(channel=["mail", "sms", "app"]))
    # Now 12 of 50: type A has 4 of 10, type B 8 of 40; type C, and the app, are new.
    a, b, new = (4 + 50 * 0.24) / 60, (8 + 50 * 0.24) / 90, 0.24
    assert told["type_rate"].tolist() == pytest.approx([b, a, new])
    assert told["channel_rate"].tolist() == pytest.approx([b, a, new])


@pytest.mark.parametrize(("day", "known"), [(-20, False), (-19, True)])
def test_only_campaigns_that_are_over_tell_of_responses(day: int, known: bool) -> None:
    con = market(None, SENT[40:], ANSWERED[8:], [*CAMPAIGNS, OTHER])
    asked = pairs(("c", "now")).assign(as_of=pd.Timestamp(at(day)).as_unit("us"))
    row = with_campaign_features(con, asked).iloc[0]
    assert row["type_rate"] == pytest.approx(0.2) if known else np.isnan(row["type_rate"])


def test_a_campaign_that_began_before_the_data_tells_nothing() -> None:
    con = market(None, [mailed("c", "early", -300)], [redeemed("c", "early", -250)])
    assert np.isnan(of(con, "c")["type_rate"])


def test_a_new_offer_of_a_new_type_over_a_new_channel_has_every_feature_that_can_be_known() -> None:
    con = market([("c", at(-5), 300, "soup")], SENT, ANSWERED, [*CAMPAIGNS, OTHER])
    con.execute(
        f"INSERT INTO campaigns VALUES ('new', 'Type Z', DATE '{at(1)}', DATE '{at(9)}', false,"
        " false, 'beacon')"
    )
    con.execute("INSERT INTO offers VALUES ('never seen', 'new', 'soup', 0.5)")
    row = of(con, "c", "new")
    assert row["affinity_offers"] == 1
    unknown = {"days_since_campaign", "redeemed_rate"}  # c was never sent anything
    assert set(row[list(CAMPAIGN_FEATURES)].index[row[list(CAMPAIGN_FEATURES)].isna()]) == unknown


# --- its fit to the customer -------------------------------------------------------------------


def test_affinity_is_what_was_bought_of_the_campaigns_products_in_180_days() -> None:
    con = market(
        [
            ("c", at(-181), 7700, "soup"),  # a day too old
            ("c", at(-180), 300, "soup"),
            ("c", at(-1), 200, "bread"),
            ("c", at(-1), 500, "milk"),  # not in the campaign
            ("c", at(0), 9900, "soup"),  # the first day is the future
            ("d", at(-5), 4400, "soup"),  # somebody else
        ]
    )
    row = of(con, "c")
    assert row["affinity_lines"] == 2
    assert row["affinity_amount"] == pytest.approx(5.0)
    assert row["affinity_share"] == pytest.approx(0.5)


def test_affinity_is_nought_without_purchases_and_its_share_unknown_without_spend() -> None:
    con = market([("other_things", at(-9), 500, "milk"), ("long_ago", at(-200), 500, "soup")])
    rows = with_campaign_features(
        con, pairs(("other_things", "now"), ("long_ago", "now"), ("nobody", "now"))
    )
    assert rows["affinity_lines"].tolist() == [0.0, 0.0, 0.0]
    assert rows["affinity_amount"].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_array_equal(rows["affinity_share"], [0.0, np.nan, np.nan])


def test_coupons_and_categories_that_fit() -> None:
    con = market(
        [
            ("c", at(-9), 300, "soup"),  # under two coupons
            ("c", at(-8), 200, "soup"),
            ("c", at(-7), 100, "broth"),  # no product of the campaign, but of its categories
            ("c", at(-6), 400, "milk"),
            ("c", at(-5), 1000, "bread"),
            ("c", at(0), 9900, "bread"),
        ]
    )
    row = of(con, "c")
    assert (row["affinity_offers"], row["affinity_best_offer"]) == (3, 2)
    assert row["affinity_share"] == pytest.approx(15 / 20)
    assert row["affinity_category_share"] == pytest.approx(16 / 20)
    other = of(con, "d")
    assert (other["affinity_offers"], other["affinity_best_offer"]) == (0, 0)
    assert np.isnan(other["affinity_category_share"])


@pytest.mark.parametrize(
    ("days", "since"), [((-28,), 28), ((-40, -2, 0), 2), ((-40, -2, -1), 2), ((-40, 0), 40)]
)
def test_days_since_another_campaign(days: tuple[int, ...], since: int) -> None:
    names = ["past", "open", "now"]  # the last is the campaign itself
    exposures = [mailed("c", name, day) for name, day in zip(names, days, strict=False)]
    assert of(market(exposures=exposures), "c")["days_since_campaign"] == since


def history(
    exposures: list[tuple[object, ...]], outcomes: list[tuple[object, ...]]
) -> tuple[float, float, float]:
    row = of(market(exposures=exposures, outcomes=outcomes), "c")
    return row["campaigns_ever"], row["campaigns_redeemed"], row["redeemed_rate"]


def test_past_campaigns_are_those_received_before() -> None:
    received = [mailed("c", "early", -300), mailed("c", "past", -60), mailed("c", "open", -10)]
    assert history([*received, mailed("c", "now", 0)], [redeemed("c", "past", -40)]) == (3, 1, 0.5)
    assert history(received, []) == (3, 0, 0.0)
    # The campaign itself does not count, though it was sent some days before.
    assert history([*received, mailed("c", "now", -1)], []) == (3, 0, 0.0)


def test_the_rate_is_unknown_before_a_campaign_is_over() -> None:
    ever, redeemed_, rate = history([mailed("c", "open", -10)], [redeemed("c", "open", -5)])
    assert (ever, redeemed_) == (1, 0)
    assert np.isnan(rate)


def test_two_mailings_of_a_campaign_are_one_campaign() -> None:
    exposures = [mailed("c", "past", -60), mailed("c", "past", -50, "email")]
    assert history(exposures, [redeemed("c", "past", -40)]) == (1, 1, 1.0)


def test_a_redemption_after_the_day_is_not_known_though_its_campaign_is_over() -> None:
    exposures = [mailed("c", "past", -60)]
    assert history(exposures, [redeemed("c", "past", -1)]) == (1, 1, 1.0)
    assert history(exposures, [redeemed("c", "past", 0)]) == (1, 0, 0.0)
