from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models.tables import set_purchases, shop

from mkt_models.models.campaign_features import CAMPAIGN_FEATURES
from mkt_models.models.coupon_use import COUPON_USE
from mkt_models.models.labels import LabelError
from mkt_models.models.propensity import (
    campaign_origins,
    exposed,
    features_of_propensity,
    require_campaigns,
    running,
    with_features,
)
from mkt_models.profiles.features import prepare_orders
from mkt_models.profiles.measures import catalogue
from mkt_models.workspace import NotAvailableError

D = date(2020, 9, 1)


def at(days: int) -> date:
    return D + timedelta(days=days)


# id, type, first day, last day, begun before the data, ends after it
CAMPAIGNS = [
    ("early", "Type A", at(-300), at(-200), True, False),
    ("past", "Type B", at(-60), at(-30), False, False),
    ("open", "Type C", at(-10), at(5), False, False),
    ("now", "Type A", at(0), at(29), False, False),
    ("late", "Type B", at(10), at(90), False, True),
]
OFFERS = [
    ("soup_coupon", "now", "soup"),
    ("bread_coupon", "now", "bread"),
    ("pantry_coupon", "now", "soup"),  # one product under two coupons
    ("old_coupon", "past", "milk"),
]
PRODUCTS = [(p, p.upper(), False) for p in ("soup", "bread", "milk")]


def mailed(customer: str, campaign: str, day: int, channel: str = "mail") -> tuple[object, ...]:
    return (customer, campaign, channel, at(day))


def redeemed(
    customer: str, campaign: str, day: int, kind: str = "redemption"
) -> tuple[object, ...]:
    return (customer, campaign, "soup_coupon", kind, at(day))


def market(
    purchases: list[tuple[str, date, int, str]] | None = None,
    exposures: list[tuple[object, ...]] | None = None,
    outcomes: list[tuple[object, ...]] | None = None,
) -> duckdb.DuckDBPyConnection:
    return shop(
        purchases or [("c", at(-100), 100, "milk")],
        products=PRODUCTS,
        campaigns=CAMPAIGNS,
        offers=OFFERS,
        exposures=exposures or [],
        outcomes=outcomes or [],
    )


# --- labels ------------------------------------------------------------------------------------


def labels(
    exposures: list[tuple[object, ...]], outcomes: list[tuple[object, ...]]
) -> dict[tuple[str, str], int]:
    frame = exposed(market(exposures=exposures, outcomes=outcomes), at(30))
    return {(r.customer_id, r.campaign_id): r.target for r in frame.itertuples()}


def test_campaigns_that_reach_beyond_the_data_are_left_out() -> None:
    everywhere = [mailed("c", campaign, -300) for campaign, *_ in CAMPAIGNS]
    redemptions = [redeemed("c", "early", -250), redeemed("c", "late", 20)]
    found = labels(everywhere, redemptions)
    assert found == {("c", "past"): 0, ("c", "open"): 0, ("c", "now"): 0}


@pytest.mark.parametrize(("day", "target"), [(-1, 0), (0, 1), (15, 1), (29, 1), (30, 0)])
def test_a_redemption_counts_within_the_campaigns_days(day: int, target: int) -> None:
    assert labels([mailed("c", "now", 0)], [redeemed("c", "now", day)]) == {("c", "now"): target}


def test_only_ones_own_redemption_of_the_same_campaign_counts() -> None:
    exposures = [mailed("c", "now", 0), mailed("d", "now", 0), mailed("c", "open", -10)]
    outcomes = [
        redeemed("d", "now", 3),
        redeemed("d", "now", 4),  # twice is still one row, and still 1
        redeemed("c", "past", 3),
        redeemed("c", "open", -3, kind="view"),
        redeemed("stranger", "now", 3),  # was never mailed
    ]
    found = labels(exposures, outcomes)
    assert found == {("c", "now"): 0, ("d", "now"): 1, ("c", "open"): 0}


def test_two_mailings_of_a_campaign_are_one_row_with_its_dates() -> None:
    exposures = [mailed("c", "now", 0), mailed("c", "now", 2, "email"), mailed("c", "past", -60)]
    frame = exposed(market(exposures=exposures), at(30))
    assert frame[["customer_id", "campaign_id", "campaign_type", "target"]].values.tolist() == [
        ["c", "past", "Type B", 0],
        ["c", "now", "Type A", 0],
    ]
    assert frame["as_of"].tolist() == [pd.Timestamp(at(-60)), pd.Timestamp(D)]
    assert frame["ends_on"].tolist() == [pd.Timestamp(at(-30)), pd.Timestamp(at(29))]


@pytest.mark.parametrize(
    ("day", "campaigns"),
    [(-11, []), (-10, ["open"]), (0, ["now", "open"]), (5, ["now", "open"]), (6, ["now"])],
)
def test_a_campaign_runs_from_its_first_to_its_last_day(day: int, campaigns: list[str]) -> None:
    everywhere = [mailed("c", campaign, -300) for campaign, *_ in CAMPAIGNS]
    frame = running(market(exposures=everywhere), at(day))
    assert frame["campaign_id"].tolist() == campaigns
    assert set(frame["as_of"]) <= {pd.Timestamp(at(day))}


def test_who_has_not_ordered_before_is_not_scored() -> None:
    con = market(
        [("c", at(-1), 100, "milk"), ("new", at(0), 100, "milk")],
        exposures=[mailed("c", "now", 0), mailed("new", "now", 0)],
    )
    assert set(running(con, D)["customer_id"]) == {"c"}
    assert set(running(con, at(1))["customer_id"]) == {"c", "new"}


def test_only_those_who_were_sent_the_campaign_and_have_not_redeemed_are_scored() -> None:
    names = ["told", "late", "done", "today", "other", "looked"]
    exposures = [mailed(name, "now", 0) for name in names if name not in ("late", "other")]
    con = market(
        [(name, at(-9), 100, "milk") for name in (*names, "unsent")],
        exposures=[
            *exposures,
            mailed("told", "now", 1, "email"),
            mailed("late", "now", 3),
            mailed("other", "open", -10),
        ],
        outcomes=[
            redeemed("done", "now", 1),
            redeemed("today", "now", 2),  # the day itself is not known yet
            redeemed("looked", "now", 1, kind="view"),
            redeemed("told", "open", 1),
        ],
    )
    frame = running(con, at(2))
    assert list(zip(frame["customer_id"], frame["campaign_id"], strict=True)) == [
        ("looked", "now"),
        ("today", "now"),
        ("told", "now"),
        ("other", "open"),
    ]


@pytest.mark.parametrize(
    ("day", "campaigns"), [(29, ["past", "open"]), (6, ["past", "open"]), (5, ["past"])]
)
def test_only_campaigns_that_were_over_teach(day: int, campaigns: list[str]) -> None:
    everywhere = [mailed("c", campaign, -300) for campaign, *_ in CAMPAIGNS]
    frame = exposed(market(exposures=everywhere), at(day))
    assert frame["campaign_id"].tolist() == campaigns


# --- features ----------------------------------------------------------------------------------


def pairs(*rows: tuple[str, str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "campaign_id"])
    return frame.assign(as_of=pd.Timestamp(D).as_unit("us"))


def of(con: duckdb.DuckDBPyConnection, customer: str, campaign: str = "now") -> pd.Series:
    return with_features(con, pairs((customer, campaign))).iloc[0]


def test_every_pair_keeps_its_place_and_has_every_feature() -> None:
    con = market([("c", at(-9), 500, "milk"), ("d", at(-3), 100, "soup")])
    asked = pairs(("d", "now"), ("c", "past"), ("nobody", "now"), ("c", "now"))
    asked.loc[1, "as_of"] = pd.Timestamp(at(-60)).as_unit("us")
    rows = with_features(con, asked)
    pd.testing.assert_frame_equal(rows[list(asked.columns)], asked)
    names = list(features_of_propensity())
    assert sorted(rows.columns) == sorted([*asked.columns, *names])
    assert set(names) == set(catalogue()) | set(COUPON_USE) | set(CAMPAIGN_FEATURES)
    assert (rows[names].dtypes == "float64").all()
    np.testing.assert_array_equal(rows["days_since_last_order"], [3, np.nan, np.nan, 9])


def test_a_campaigns_name_may_hold_a_quote() -> None:
    con = market()
    con.execute("UPDATE campaigns SET campaign_id = 'it''s now' WHERE campaign_id = 'now'")
    assert of(con, "c", "it's now")["campaign_days"] == 30


CUSTOMERS = st.sampled_from(["c", "d", "nobody"])
NAMES = st.sampled_from([campaign for campaign, *_ in CAMPAIGNS])
FROM_D = st.integers(0, 60)
PURCHASES = st.lists(
    st.tuples(
        CUSTOMERS,
        FROM_D.map(at),
        st.integers(0, 99_999),
        st.sampled_from(["soup", "bread", "milk"]),
    ),
    max_size=4,
)
EXPOSURES = st.lists(st.builds(mailed, CUSTOMERS, NAMES, FROM_D), max_size=4)
OUTCOMES = st.lists(st.builds(redeemed, CUSTOMERS, NAMES, FROM_D), max_size=4)

PAST = [("c", at(-100), 300, "soup"), ("c", at(-1), 200, "milk"), ("d", at(-20), 900, "bread")]
PAST_EXPOSURES = [mailed(c, name, -61) for c in "cd" for name in ("past", "open")]
PAST_OUTCOMES = [redeemed("d", "past", -35), redeemed("d", "open", -2)]
ASKED = pairs(*[(c, name) for c in ("c", "d", "nobody") for name in ("now", "open")])


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[duckdb.DuckDBPyConnection, pd.DataFrame]]:
    con = market(PAST, PAST_EXPOSURES, PAST_OUTCOMES)
    yield con, with_features(con, ASKED)
    con.close()


@settings(max_examples=15, deadline=None)
@given(purchases=PURCHASES, exposures=EXPOSURES, outcomes=OUTCOMES)
def test_nothing_on_or_after_the_day_changes_a_feature(
    world: tuple[duckdb.DuckDBPyConnection, pd.DataFrame],
    purchases: list[tuple[str, date, int, str]],
    exposures: list[tuple[object, ...]],
    outcomes: list[tuple[object, ...]],
) -> None:
    con, before = world
    set_purchases(con, [*PAST, *purchases])
    prepare_orders(con)
    for table, rows in (("exposures", exposures), ("outcomes", outcomes)):
        day = "sent_on" if table == "exposures" else "occurred_on"
        con.execute(f"DELETE FROM {table} WHERE {day} >= DATE '{D}'")
        for row in rows:
            con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    pd.testing.assert_frame_equal(with_features(con, ASKED), before)


def test_a_purchase_on_the_day_before_does_change_features(
    world: tuple[duckdb.DuckDBPyConnection, pd.DataFrame],
) -> None:
    con = market([*PAST, ("c", at(-1), 100, "soup")], PAST_EXPOSURES, PAST_OUTCOMES)
    now = with_features(con, ASKED)
    assert now.loc[0, "affinity_lines"] == world[1].loc[0, "affinity_lines"] + 1


# --- train and test ----------------------------------------------------------------------------


def campaigns(*days: tuple[int, int]) -> pd.DataFrame:
    """One exposed customer of each campaign (first day, last day)."""
    return pd.DataFrame(
        {
            "customer_id": "c",
            "campaign_id": [str(i) for i in range(len(days))],
            "as_of": pd.to_datetime([at(first) for first, _ in days]),
            "ends_on": pd.to_datetime([at(last) for _, last in days]),
        }
    )


def ids(rows: pd.DataFrame) -> list[str]:
    return sorted(rows["campaign_id"])


def test_a_campaign_trains_once_it_is_over() -> None:
    rows = campaigns((-60, -30), (-40, -1), (-20, 0), (0, 10), (0, 20), (11, 30))
    first, second = campaign_origins(rows, D)
    assert (ids(first[0]), ids(first[1])) == (["0", "1"], ["3", "4"])  # 2 still runs on D
    assert (ids(second[0]), ids(second[1])) == (["0", "1", "2", "3"], ["5"])


@given(st.lists(st.tuples(st.integers(-90, 90), st.integers(0, 60)), min_size=1, max_size=8))
def test_no_training_label_was_open_when_its_test_began(spans: list[tuple[int, int]]) -> None:
    rows = campaigns(*[(first, first + length) for first, length in spans])
    starts = sorted({first for first, _ in spans if first >= 0})
    over = [first + length for first, length in spans]
    if not starts or min(over) >= starts[0]:
        with pytest.raises(LabelError):
            campaign_origins(rows, D)
        return
    origins = campaign_origins(rows, D)
    assert [test["as_of"].unique().tolist() for _, test in origins] == [
        [pd.Timestamp(at(day))] for day in starts
    ]
    for train, test in origins:
        start = test["as_of"].iloc[0]
        assert train["ends_on"].max() < start
        assert len(train) == (rows["ends_on"] < start).sum()
        assert len(test) == (rows["as_of"] == start).sum()


def test_without_a_campaign_to_test_or_to_train_on_there_is_no_backtest() -> None:
    rows = campaigns((-60, -30), (5, 20))
    with pytest.raises(
        LabelError, match=r"first_test == 2020-10-01; the last begins on 2020-09-06"
    ):
        campaign_origins(rows, at(30))
    with pytest.raises(LabelError, match="no campaign was over before 2020-07-03"):
        campaign_origins(rows, at(-60))


def test_a_source_without_campaigns_has_no_propensity() -> None:
    require_campaigns(["transactions", "campaigns", "offers", "exposures", "outcomes"])
    with pytest.raises(NotAvailableError, match="the source has no offers and no outcomes, so"):
        require_campaigns(["transactions", "campaigns", "exposures"])


def test_a_source_whose_campaigns_all_run_still_has_none() -> None:
    with pytest.raises(NotAvailableError, match="no campaign lies wholly in the data and was over"):
        exposed(market(), at(-250))
