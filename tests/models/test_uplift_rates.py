import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.models.labels import LabelError
from mkt_models.models.uplift import fit_uplift
from mkt_models.models.uplift_rates import Rates, fit_rates
from mkt_models.uplift_params import Learner, Trees, Uplift

QUICK = Uplift(
    min_arm=50,
    folds=2,
    trees=Trees(
        max_depth=2, n_estimators=60, learning_rate=0.2, min_child_weight=20, reg_lambda=10
    ),
)
STUMPS = QUICK.model_copy(
    update={"trees": Trees(max_depth=1, n_estimators=1, learning_rate=1, min_child_weight=1e9)}
)


def counted(n: int = 8000, seed: int = 1) -> pd.DataFrame:
    """Contacts multiply a rate of orders that spans a factor of ten; an order brings about 20."""
    rng = np.random.default_rng(seed)
    gain, base = rng.random(n), rng.random(n)
    rate = 0.2 * 10**base
    p = np.where(base > 0.5, 0.7, 0.4)
    treated = (rng.random(n) < p).astype(float)
    ratio = np.exp(gain - 0.3)
    orders = rng.poisson(rate * np.where(treated == 1, ratio, 1.0))
    return pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "target": orders * rng.uniform(10, 30, n),
            "orders": orders,
            "treated": treated,
            "assignment_probability": p,
            "gain": gain,
            "base": base,
            "ratio": ratio,
            "uplift": 20 * rate * (ratio - 1),
        }
    )


def test_a_ratio_by_hand_where_trees_cannot_split() -> None:
    # Contacted with 3 in 4: weighted, an order of theirs counts 2/3 and one of the others 2. The
    # mean with a contact is 3, without one 1.
    treated = np.array([1.0, 1, 1, 0] * 50)
    p = np.full(200, 0.75)
    response = np.array([2.0, 3, 4, 1] * 50)
    matrix = np.zeros((200, 1), dtype=np.float32)
    customers = np.arange(200) // 4
    model = fit_rates(matrix, [response], treated, p, customers, ("flat",), STUMPS, 1)
    rows = pd.DataFrame({"flat": [0.0]})
    assert model.ratio(rows) == pytest.approx([3.0], rel=1e-3)
    contacted, withheld = model.both(rows)
    assert (contacted[0], withheld[0]) == pytest.approx((3.0, 1.0), rel=0.02)
    assert model.uplift(rows) == pytest.approx([2.0], rel=0.02)
    # Beside the number of orders, of which a contact makes as many, half the logarithm is left.
    both = fit_rates(matrix, [response, np.ones(200)], treated, p, customers, ("flat",), STUMPS, 1)
    assert both.ratio(rows) == pytest.approx([3**0.5], rel=1e-3)


def test_it_finds_by_what_a_contact_multiplies() -> None:
    names = ["gain", "base"]
    model = fit_uplift(Learner.RATE, counted(), names, QUICK, 1)
    assert isinstance(model, Rates)
    assert len(model.contrasts) == 2
    test = counted(3000, seed=2)
    assert np.corrcoef(np.log(model.ratio(test)), test["gain"])[0, 1] > 0.9
    found = model.uplift(test)
    assert np.corrcoef(found, test["uplift"])[0, 1] > 0.9
    assert found.mean() == pytest.approx(test["uplift"].mean(), rel=0.25)
    # Where effects multiply, it is nearer than trees of the difference.
    other = fit_uplift(Learner.DR, counted(), names, QUICK, 1).uplift(test)
    off, further = (((one - test["uplift"]) ** 2).mean() for one in (found, other))
    assert off < further


def test_without_the_number_of_orders_the_amount_alone_is_learnt() -> None:
    rows = counted(2000).drop(columns="orders")
    model = fit_uplift(Learner.RATE, rows, ["gain"], QUICK, 1)
    assert isinstance(model, Rates)
    assert len(model.contrasts) == 1
    # Nor does an order need a number of orders beside it.
    ordered = counted(2000).assign(target=lambda t: (t["orders"] > 0).astype(float))
    model = fit_uplift(Learner.RATE, ordered, ["gain"], QUICK, 1)
    assert isinstance(model, Rates)
    assert len(model.contrasts) == 1


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 1000))
def test_a_currency_changes_the_unit_and_nothing_else(seed: int, rate: float) -> None:
    rows = counted(600, seed)
    one = fit_uplift(Learner.RATE, rows, ["gain", "base"], QUICK, 1)
    other = rows.assign(target=rows["target"] * rate)
    two = fit_uplift(Learner.RATE, other, ["gain", "base"], QUICK, 1)
    assert two.uplift(rows) == pytest.approx(one.uplift(rows) * rate, rel=0.05, abs=0.05 * rate)
    contacted, withheld = one.both(rows)  # type: ignore[attr-defined]
    assert (contacted > 0).all()
    assert (withheld > 0).all()


def test_orders_that_cannot_be_are_refused() -> None:
    rows = counted(500)
    with pytest.raises(LabelError):
        fit_uplift(Learner.RATE, rows.assign(orders=-1.0), ["gain"], QUICK, 1)
    with pytest.raises(LabelError):
        fit_uplift(Learner.RATE, rows.assign(orders=np.nan), ["gain"], QUICK, 1)
