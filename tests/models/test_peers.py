import builtins
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from models.tables import SMALL, shop

from mkt_models.columns import Model
from mkt_models.models import btyd, peers
from mkt_models.models.boosting import Recipe

CHURN = Recipe(Model.CHURN, "logistic", SMALL, seed=5)
VALUE = Recipe(Model.VALUE, "log", SMALL, seed=5)
OTHER_TREES = ["xgboost_untuned", "lightgbm"]

D = date(2020, 6, 1)


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_the_base_rate_is_the_training_mean_for_everybody() -> None:
    train, test = frame(target=[0, 1, 1, 1]), frame(target=[0, 0, 0])
    assert peers.base_rate(train, test).tolist() == [0.75, 0.75, 0.75]


def test_a_column_is_taken_as_it_is() -> None:
    train, test = frame(amount_90d=[1.0]), frame(amount_90d=[3, 0, 2.5], other=[9, 9, 9])
    assert peers.column("amount_90d")(train, test).tolist() == [3.0, 0.0, 2.5]


def silent(n: int = 600, seed: int = 1) -> pd.DataFrame:
    """The longer the silence, the likelier the churn; amounts grow with orders."""
    rng = np.random.default_rng(seed)
    days, orders = rng.integers(1, 90, n).astype(float), rng.integers(1, 40, n).astype(float)
    target = (rng.random(n) < days / 100).astype(int)
    return frame(days_since_last_order=days, orders_90d=orders, amount_90d=orders, target=target)


def test_the_logit_gives_the_probability_of_churn_in_the_order_of_the_signal() -> None:
    train, test = silent(), silent(seed=2)
    predicted = peers.logit(peers.RECENCY)(train, test)
    by_days = predicted[np.argsort(test["days_since_last_order"], kind="stable")]
    assert (np.diff(by_days) >= 0).all()
    assert by_days[-1] > 0.6 > 0.2 > by_days[0]
    assert predicted.mean() == pytest.approx(train["target"].mean(), abs=0.03)


def test_the_log_glm_predicts_amounts() -> None:
    train, test = silent(), silent(seed=2)
    rng = np.random.default_rng(3)
    train["target"] = 10 * train["orders_90d"] * rng.gamma(4, 0.25, len(train))
    predicted = peers.log_glm(("orders_90d",), 1.5)(train, test)
    assert predicted.min() > 0
    assert np.corrcoef(predicted, test["orders_90d"])[0, 1] > 0.97
    assert predicted.mean() == pytest.approx(10 * test["orders_90d"].mean(), rel=0.1)


@pytest.mark.parametrize("peer", [peers.logit(peers.RFM), peers.log_glm(peers.RFM, 1.5)])
def test_a_prediction_belongs_to_its_row(peer: peers.Peer) -> None:
    train, test = silent(), silent(100, seed=2)
    order = np.random.default_rng(4).permutation(100)
    np.testing.assert_allclose(peer(train, test)[order], peer(train, test.iloc[order]))
    blind = test.assign(target=1 - test["target"])
    np.testing.assert_array_equal(peer(train, test), peer(train, blind))


def test_a_missing_value_lies_below_every_known_one() -> None:
    train = silent()
    test = frame(days_since_last_order=[np.nan, 0.0, 5.0])
    missing, none, some = peers.logit(peers.RECENCY)(train, test)
    assert missing < none < some


def purchases(seed: int = 5) -> list[tuple[str, date, int]]:
    """200 customers with rates and lives of their own, over 200 days before D."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(200):
        first, life, typical = rng.integers(5, 200), rng.exponential(150), rng.gamma(4.0, 400)
        days = first - np.cumsum([0.0, *rng.exponential(rng.gamma(3.0, 5.0), 60)])
        days = days[(days >= 1) & (first - days <= life)]
        rows += [
            (f"c{customer:03d}", D - timedelta(days=int(day)), int(typical * rng.gamma(5, 0.2)) + 1)
            for day in days
        ]
    return rows


@pytest.fixture(scope="module")
def past() -> list[tuple[str, date, int]]:
    return purchases()


@pytest.fixture(scope="module")
def cohort() -> pd.DataFrame:
    """Some of the customers, in no order."""
    return frame(customer_id=["c150", "c003", "c090", "c004"], as_of=pd.Timestamp(D), target=0)


NO_TRAINING = frame(target=[])


def test_bg_nbd_gives_each_row_its_customers_chance_of_no_purchase(
    past: list[tuple[str, date, int]], cohort: pd.DataFrame
) -> None:
    con = shop(past)
    found = peers.bg_nbd_none(con, 28)(NO_TRAINING, cohort)
    everybody = btyd.summaries(con, pd.Timestamp(D))
    columns = ["frequency", "recency", "age"]
    fitted = btyd.fit_bg_nbd(*(everybody[c].to_numpy() for c in columns))
    rows = everybody.set_index("customer_id").loc[cohort["customer_id"]]
    by_hand = fitted.probability_of_none(*(rows[c].to_numpy() for c in columns), 28)
    np.testing.assert_allclose(found, by_hand)
    assert ((found > 0) & (found < 1)).all()


def test_bg_nbd_gamma_gamma_is_days_times_amount(
    past: list[tuple[str, date, int]], cohort: pd.DataFrame
) -> None:
    con = shop(past)
    found = peers.bg_nbd_gamma_gamma(con, 28)(NO_TRAINING, cohort)
    everybody = btyd.summaries(con, pd.Timestamp(D)).fillna({"mean_amount": 0.0})
    x, t_x, age, mean = (
        everybody[c].to_numpy() for c in ("frequency", "recency", "age", "mean_amount")
    )
    days = btyd.fit_bg_nbd(x, t_x, age).expected_purchases(x, t_x, age, 28)
    product = days * btyd.fit_gamma_gamma(x, mean).expected_amount(x, mean)
    by_customer = dict(zip(everybody["customer_id"], product, strict=True))
    np.testing.assert_allclose(found, [by_customer[c] for c in cohort["customer_id"]])


def test_btyd_peers_see_nothing_on_or_after_the_test_date(
    past: list[tuple[str, date, int]], cohort: pd.DataFrame
) -> None:
    ahead = [(f"c{i:03d}", D + timedelta(days=i % 9), 99_999) for i in range(0, 250, 2)]
    for peer in (peers.bg_nbd_none, peers.bg_nbd_gamma_gamma):
        before = peer(shop(past), 28)(NO_TRAINING, cohort)
        after = peer(shop(past + ahead), 28)(NO_TRAINING, cohort)
        np.testing.assert_array_equal(before, after)


def test_a_btyd_test_has_one_date(past: list[tuple[str, date, int]], cohort: pd.DataFrame) -> None:
    other = cohort.assign(as_of=pd.Timestamp(D) - pd.Timedelta(days=28))
    with pytest.raises(ValueError, match="one date, this one has 2"):
        peers.bg_nbd_none(shop(past), 28)(NO_TRAINING, pd.concat([cohort, other]))


def test_each_model_has_a_naive_and_a_usual_peer(
    past: list[tuple[str, date, int]], cohort: pd.DataFrame
) -> None:
    con = shop(past)
    train = silent()
    test = silent(len(cohort), seed=2).assign(
        customer_id=cohort["customer_id"], as_of=cohort["as_of"]
    )
    churn = peers.churn_peers(con, peers.RFM, 28, CHURN)
    assert list(churn) == ["base_rate", "recency", "rfm_logit", "bg_nbd", "logistic", *OTHER_TREES]
    for peer in churn.values():
        assert ((peer(train, test) > 0) & (peer(train, test) < 1)).all()
    np.testing.assert_array_equal(churn["rfm_logit"](train, test), churn["logistic"](train, test))

    value = peers.value_peers(con, peers.RFM, 28, VALUE)
    assert list(value) == ["last_90_days", "bg_nbd_gamma_gamma", "log_glm", *OTHER_TREES]
    assert value["last_90_days"](train, test).tolist() == test["amount_90d"].tolist()
    assert all((peer(train, test) > 0).all() for peer in value.values())


def test_the_simplest_propensity_peer_knows_the_kind_of_campaign_alone() -> None:
    rng = np.random.default_rng(6)
    names = ["type_rate", "campaigns_ever", "redemptions_ever", "campaigns_redeemed"]
    train = pd.DataFrame(rng.integers(0, 2, (400, 4)).astype(float), columns=names)
    train["redeemed_rate"] = np.where(rng.random(400) < 0.5, np.nan, 0.5)
    chance = 0.1 + 0.3 * train["type_rate"] + 0.4 * train["redemptions_ever"]
    train["target"] = (rng.random(400) < chance).astype(int)
    found = peers.propensity_peers(names, replace(CHURN, name=Model.PROPENSITY))
    assert list(found) == ["type_rate", "past_redemptions", "logistic", *OTHER_TREES]
    spread = {
        name: train.assign(p=peer(train, train)).groupby("type_rate")["p"].nunique().max()
        for name, peer in found.items()
    }
    assert spread["type_rate"] == 1
    assert min(spread["past_redemptions"], spread["logistic"]) > 1
    type_rate = train.assign(p=found["type_rate"](train, train)).groupby("type_rate")["p"]
    assert type_rate.mean()[1.0] > type_rate.mean()[0.0] + 0.1


@pytest.mark.parametrize("recipe", [CHURN, VALUE])
def test_other_trees_learn_the_signal_and_say_the_same_again(recipe: Recipe) -> None:
    train, test = silent(), silent(400, seed=2)
    if recipe.link == "log":
        train["target"] = 10 * train["orders_90d"] * (1 + train["target"])
    for peer in peers.boosted(peers.RFM, recipe).values():
        predicted = peer(train, test)
        signal = "days_since_last_order" if recipe.link == "logistic" else "orders_90d"
        assert np.corrcoef(predicted, test[signal])[0, 1] > 0.7
        assert predicted.mean() == pytest.approx(train["target"].mean(), rel=0.15)
        np.testing.assert_array_equal(peer(train, test), predicted)


def test_without_the_systems_openmp_lightgbm_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str, *rest: object) -> object:
        if name == "lightgbm":
            raise OSError("libgomp.so.1: cannot open shared object file")
        return original(name, *rest)

    original = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", absent)
    assert list(peers.boosted(peers.RFM, CHURN)) == ["xgboost_untuned"]
