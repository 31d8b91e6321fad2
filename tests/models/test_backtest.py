from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd
import pytest
from models.tables import SMALL

from mkt_models.columns import Model
from mkt_models.models import peers
from mkt_models.models.backtest import MODEL, backtest, splits
from mkt_models.models.boosting import Recipe, fit_scorer
from mkt_models.models.labels import LabelError, Origin
from mkt_models.profiles.measures import Measure

FEATURES = {
    "signal": Measure("", "days", "days of silence", "沉默天数"),
    "hint": Measure("", "orders", "orders", "订单数"),
}
RECIPE = Recipe(Model.CHURN, "logistic", SMALL, seed=3)
DAYS = [date(2020, month, 1) for month in (1, 2, 3, 4)]
ORIGINS = [Origin((DAYS[0],), DAYS[2]), Origin((DAYS[0], DAYS[1]), DAYS[3])]
TESTED = [pd.Timestamp(day) for day in DAYS[2:]]
KEYS = ("customer_id", "as_of")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """150 customers at four dates, shuffled; the longer the silence, the likelier the target."""
    rng = np.random.default_rng(1)
    n = 150
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{i:03d}" for i in range(n)] * len(DAYS),
            "as_of": np.repeat(pd.to_datetime(DAYS), n),
            "signal": rng.normal(size=n * len(DAYS)),
            "hint": 0.0,
        }
    )
    chance = 1 / (1 + np.exp(-2 * frame["signal"]))
    frame["target"] = (rng.random(len(frame)) < chance).astype(float)
    return frame.sample(frac=1, random_state=1)


def run(rows: pd.DataFrame, **more: peers.Peer) -> pd.DataFrame:
    everyone = {"base_rate": peers.base_rate, "signal_as_is": peers.column("signal"), **more}
    return backtest(splits(rows, ORIGINS), KEYS, FEATURES, RECIPE, everyone)


def test_one_row_per_customer_and_test_date_with_a_column_per_model(rows: pd.DataFrame) -> None:
    tested = run(rows)
    assert list(tested.columns) == [*KEYS, "target", MODEL, "base_rate", "signal_as_is"]
    assert not tested.duplicated(list(KEYS)).any()
    expected = rows[rows["as_of"].isin(TESTED)].set_index(list(KEYS)).sort_index()
    found = tested.set_index(list(KEYS)).sort_index()
    assert found.index.equals(expected.index)
    assert found["target"].tolist() == expected["target"].tolist()
    assert found["signal_as_is"].tolist() == expected["signal"].tolist()
    assert tested.index.tolist() == list(range(300))


def test_each_origin_splits_by_its_own_dates(rows: pd.DataFrame) -> None:
    parts = list(splits(rows, ORIGINS))
    assert [(len(train), len(test)) for train, test in parts] == [(150, 150), (300, 150)]
    for (train, test), origin in zip(parts, ORIGINS, strict=True):
        assert {stamp.date() for stamp in train["as_of"]} == set(origin.train)
        assert {stamp.date() for stamp in test["as_of"]} == {origin.test}


def test_a_split_may_have_no_rows(rows: pd.DataFrame) -> None:
    ((train, test),) = splits(rows, [Origin((date(2019, 1, 1),), date(2019, 6, 1))])
    assert (len(train), len(test)) == (0, 0)
    with pytest.raises(LabelError, match="0 of 0 training rows"):
        backtest([(train, test)], KEYS, FEATURES, RECIPE, {})


def test_model_and_peers_are_fitted_on_the_training_rows_alone(rows: pd.DataFrame) -> None:
    seen = []

    def watch(train: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
        seen.append((train["as_of"].max(), test["as_of"].min(), len(train)))
        return np.zeros(len(test))

    tested = run(rows, watch=watch)
    assert seen == [
        (pd.Timestamp(DAYS[0]), TESTED[0], 150),
        (pd.Timestamp(DAYS[1]), TESTED[1], 300),
    ]
    for origin in ORIGINS:
        train = rows[rows["as_of"].isin(pd.to_datetime(list(origin.train)))]
        test = rows[rows["as_of"] == pd.Timestamp(origin.test)]
        part = tested[tested["as_of"] == pd.Timestamp(origin.test)]
        by_hand = fit_scorer(train, FEATURES, RECIPE).predict(test[list(FEATURES)].to_numpy())
        np.testing.assert_array_equal(part[MODEL], by_hand)
        assert part["base_rate"].unique().tolist() == [train["target"].mean()]


def test_the_planted_signal_is_found_at_every_test(rows: pd.DataFrame) -> None:
    tested = run(rows)
    for _, part in tested.groupby("as_of"):
        positives, negatives = (part.loc[part["target"] == t, MODEL] for t in (1, 0))
        assert (positives.to_numpy()[:, None] > negatives.to_numpy()).mean() > 0.75


Change = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.mark.parametrize(
    "change",
    [
        lambda test: test.assign(target=1 - test["target"]),
        lambda test: test.assign(hint=test["target"]),  # a feature that knows the future
        lambda test: test.assign(hint=1 - test["target"]),
    ],
    ids=["other targets", "a leak", "a false leak"],
)
def test_what_only_the_test_rows_know_changes_no_prediction(
    rows: pd.DataFrame, change: Change
) -> None:
    is_test = rows["as_of"].isin(TESTED)
    told = pd.concat([rows[~is_test], change(rows[is_test])])
    columns = [MODEL, "base_rate"]
    before, after = (run(r).set_index(list(KEYS)).sort_index()[columns] for r in (rows, told))
    pd.testing.assert_frame_equal(before, after)


def test_a_leak_in_the_training_rows_would_be_seen(rows: pd.DataFrame) -> None:
    # so that the test above can fail: with the hint in training, predictions do change
    hinted = run(rows.assign(hint=rows["target"])).set_index(list(KEYS)).sort_index()
    plain = run(rows).set_index(list(KEYS)).sort_index()
    assert np.abs(hinted[MODEL] - plain[MODEL]).max() > 0.3


def test_the_rows_are_left_as_they_were(rows: pd.DataFrame) -> None:
    before = rows.copy()
    run(rows)
    pd.testing.assert_frame_equal(rows, before)
