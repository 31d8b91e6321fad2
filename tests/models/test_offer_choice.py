import numpy as np
import pandas as pd
import pytest
from models.offers import D, at, market, pairs

from mkt_models.models.offer_choice import (
    MODEL,
    MONOTONE,
    OfferChoice,
    action_probabilities,
    actions,
    choice_backtest,
    fit_offer_choice,
    most_bought,
    observed_shares,
    picks,
    with_chosen,
)
from mkt_models.models.offer_features import KEYS, OFFER_FEATURES, offer_choices
from mkt_models.models.trainable import RowsError


@pytest.mark.parametrize(
    ("day", "kind", "chosen"),
    [
        (-1, "redemption", 0),
        (0, "redemption", 1),
        (29, "redemption", 1),
        (30, "redemption", 0),
        (3, "click", 0),
    ],
)
def test_an_offer_is_chosen_when_redeemed_in_the_campaigns_days(
    day: int, kind: str, chosen: int
) -> None:
    con = market()
    con.execute(f"INSERT INTO outcomes VALUES ('c', 'now', 'a', '{kind}', DATE '{at(day)}')")
    con.execute(f"INSERT INTO outcomes VALUES ('d', 'now', 'b', 'redemption', DATE '{at(3)}')")
    asked = pairs("c")
    known = asked.assign(campaign_type="Type A", ends_on=pd.Timestamp(at(29)), target=1)
    rows = with_chosen(con, offer_choices(con, asked), known)
    assert rows["chosen"].tolist() == [chosen, 0, 0, 0]


def test_the_pick_is_the_highest_among_what_was_bought_ties_by_id() -> None:
    rows = pd.DataFrame(
        {
            "customer_id": ["1", "1", "1", "2", "2", "3"],
            "campaign_id": "x",
            "as_of": pd.Timestamp(D),
            "offer_id": ["b", "a", "c", "a", "b", "a"],
            "offer_bought": [1, 1, 0, 2, 3, 0],
        },
        index=[5, 3, 9, 1, 0, 2],
    )
    assert picks(rows, most_bought(rows)).tolist() == [False, True, False, False, True, False]
    scores = np.array([0.2, 0.1, 0.9, 0.7, 0.3, 0.9])
    assert picks(rows, scores).tolist() == [True, False, False, True, False, False]


def campaign(number: int, start: int, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """``n`` redeemers of a campaign of four offers: the recently bought one is mostly redeemed."""
    size = n * 4
    since = np.where(np.tile(np.arange(4), n) == np.repeat(rng.integers(0, 4, n), 4), 5.0, 200.0)
    chance = np.where(since == 5.0, 0.8, 0.1)
    values = {name: rng.random(size) for name in OFFER_FEATURES}
    return pd.DataFrame(
        {
            "customer_id": [f"{i:03d}" for i in np.repeat(np.arange(n), 4)],
            "campaign_id": str(number),
            "as_of": pd.Timestamp(at(start)),
            "offer_id": [f"{number}:{i}" for i in np.tile(np.arange(4), n)],
            **values,
            "offer_bought": rng.integers(1, 5, size).astype(float),
            "offer_days_since": since,
            "campaign_offers": 4.0,
            "campaign_type": "Type B",
            "ends_on": pd.Timestamp(at(start + 20)),
            "target": 1,
            "chosen": (rng.random(size) < chance).astype(int),
        }
    )


@pytest.fixture(scope="module")
def fitted() -> OfferChoice:
    """Trees that were taught the opposite: the less was bought, the likelier."""
    rows = campaign(1, -60, 150, np.random.default_rng(4))
    return fit_offer_choice(rows.assign(chosen=(rows["offer_bought"] < 2).astype(int)), seed=1)


def test_offers_that_no_training_row_knew_are_told_apart_and_truly() -> None:
    rng = np.random.default_rng(1)
    rows = pd.concat([campaign(1, -60, 120, rng), campaign(2, 0, 80, rng)], ignore_index=True)
    found = choice_backtest(rows, D, seed=7)
    assert set(found["offer_id"]) == {f"2:{i}" for i in range(4)}
    assert found[MODEL].between(0, 1).all()
    likely = found.merge(rows[[*KEYS, "offer_days_since"]], on=KEYS)["offer_days_since"] == 5.0
    assert found.loc[likely, MODEL].mean() == pytest.approx(0.8, abs=0.12)
    assert found.loc[~likely, MODEL].mean() == pytest.approx(0.1, abs=0.06)
    again = choice_backtest(rows, D, seed=7)
    pd.testing.assert_frame_equal(found, again)


@pytest.mark.parametrize(("feature", "slope"), MONOTONE.items())
def test_more_of_what_speaks_for_an_offer_is_never_a_reason_for_less(
    fitted: OfferChoice, feature: str, slope: int
) -> None:
    rows = campaign(2, 0, 10, np.random.default_rng(5))
    steps = np.linspace(0, 300, 13)
    by_step = [fitted.probability(rows.assign(**{feature: value})) for value in steps]
    assert (np.diff(np.array(by_step), axis=0) * slope >= -1e-7).all()


def test_an_infinite_feature_is_named() -> None:
    rows = campaign(1, -60, 5, np.random.default_rng(2))
    rows.loc[3, "offer_price"] = np.inf
    with pytest.raises(RowsError, match=r"offer choice: infinite, .*: offer_price in 1 of 20 rows"):
        fit_offer_choice(rows, seed=1)


def test_where_little_was_chosen_all_offers_are_alike() -> None:
    rng = np.random.default_rng(2)
    rows = campaign(1, -60, 5, rng).assign(chosen=[1, 1, 0, 0] * 5)
    model = fit_offer_choice(rows, seed=1)
    assert model.booster is None
    assert model.probability(rows).tolist() == [0.5] * 20  # two of four
    nothing = fit_offer_choice(rows.assign(target=0), seed=1)
    assert nothing.probability(rows).tolist() == [0.25] * 20


def test_the_shares_that_were_observed_worked_by_hand() -> None:
    rows = campaign(1, -60, 4, np.random.default_rng(3))
    rows["offer_bought"] = [9.0, 1, 1, 1] * 4  # the pick is the first
    rows["chosen"] = [1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]
    rows["target"] = 1
    # One of four redeemed the pick; the other three offers have four redemptions of four redeemers.
    assert observed_shares(rows, rows).tolist() == pytest.approx([0.25, 0.25, 0.25, 0.25] * 4)
    more = rows.assign(chosen=[1, 0, 0, 0] * 3 + [0, 1, 0, 0])
    assert observed_shares(more, rows)[:4].tolist() == pytest.approx([0.75, 1 / 16, 1 / 16, 1 / 16])
    unknown = observed_shares(more, rows.assign(campaign_type="Type Z"))
    assert unknown[:4].tolist() == pytest.approx([0.75, 0.25, 0.25, 0.25])


def test_an_action_is_the_campaign_times_the_offer() -> None:
    choices = pd.DataFrame(
        {"customer_id": ["1", "1", "2"], "campaign_id": "x", "p": [0.5, 0.1, 0.5]}, index=[4, 2, 7]
    )
    scores = pd.DataFrame({"customer_id": ["1"], "campaign_id": ["x"], "score": [0.2]})
    found = action_probabilities(choices, scores, "p")
    assert found.index.tolist() == [4, 2, 7]
    np.testing.assert_allclose(found, [0.1, 0.02, np.nan])


def test_both_levels_of_the_most_bought_coupon_worked_by_hand() -> None:
    tested = pd.DataFrame(
        {
            "customer_id": ["1", "1", "2"],
            "campaign_id": "x",
            "as_of": pd.Timestamp(D),
            "offer_id": ["a", "b", "a"],
            "offer_bought": [1.0, 4.0, 0.0],  # customer 2 bought nothing of it: no action
            "redeemed_any": [1, 1, 0],
            "target": [0, 1, 0],
            "this_model": [0.9, 0.3, 0.5],
            "observed_shares": [0.1, 0.2, 0.2],
            "most_bought": [1.0, 4.0, 0.0],
        }
    )
    first = pd.DataFrame({"customer_id": ["1", "2"], "campaign_id": "x", "this_model": [0.5, 0.1]})
    (row,) = actions(tested, first).to_dict("records")
    assert (row["customer_id"], row["offer_id"], row["target"]) == ("1", "b", 1)
    assert (row["this_model"], row["observed_shares"]) == pytest.approx((0.15, 0.1))


def test_a_campaign_without_offers_gives_no_rows_and_no_error(fitted: OfferChoice) -> None:
    nothing = offer_choices(market(), pairs("c", campaign="past", as_of=at(-60))[:0])
    assert list(nothing.columns) == [*KEYS, *OFFER_FEATURES]
    assert fitted.probability(nothing).shape == (0,)
    assert picks(nothing, most_bought(nothing)).empty
