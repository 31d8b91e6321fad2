import json

import numpy as np
import pytest

from mkt_models.models.linear import Linear, log_features
from mkt_models.models.regression import fit_linear

# Two features; one row of values 0 and e - 1, whose logs are 0 and 1; one with nothing known.
HALF = Linear(weights=(2.0, -1.0), centres=(0.5, 0.0), base=3.0)
ROWS = np.array([[0.0, np.e - 1], [np.nan, np.nan]])


def test_the_margin_by_hand() -> None:
    # 3 + 2 x (0 - 0.5) - 1 x (1 - 0) = 1;   3 + 2 x (-1 - 0.5) - 1 x (-1 - 0) = 1
    assert HALF.margin(ROWS) == pytest.approx([1.0, 1.0])


def test_contributions_add_up_and_say_which_feature() -> None:
    parts = HALF.contributions(ROWS)
    assert parts == pytest.approx(np.array([[-1.0, -1.0, 3.0], [-3.0, 1.0, 3.0]]))
    assert parts.sum(axis=1) == pytest.approx(HALF.margin(ROWS))


def test_what_is_below_zero_counts_as_zero_and_what_is_missing_less() -> None:
    assert log_features([[-5.0, 0.0, np.nan]]).tolist() == [[0.0, 0.0, -1.0]]


def test_it_comes_back_from_json() -> None:
    back = Linear.from_dict(json.loads(json.dumps(HALF.as_dict())))
    assert back == HALF or back.margin(ROWS).tolist() == HALF.margin(ROWS).tolist()
    assert (back.weights, back.centres, back.base) == (HALF.weights, HALF.centres, HALF.base)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (((1.0,), (1.0, 2.0), 0.0), "1 weights for 2 centres"),
        (((np.nan,), (1.0,), 0.0), "finite"),
        (((1.0,), (1.0,), np.inf), "finite"),
    ],
)
def test_parts_that_do_not_fit_are_refused(
    parts: tuple[tuple[float, ...], tuple[float, ...], float], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        Linear(*parts)


def test_a_planted_regression_is_found() -> None:
    rng = np.random.default_rng(3)
    table = rng.gamma(2.0, 10.0, size=(20_000, 3))
    logs = np.log1p(table)
    margin = 1.0 + 0.8 * (logs[:, 0] - logs[:, 0].mean()) - 0.5 * (logs[:, 1] - logs[:, 1].mean())
    amounts = np.exp(margin) * rng.gamma(4.0, 0.25, len(table))
    found = fit_linear(table, amounts, "log")
    assert found.weights == pytest.approx((0.8, -0.5, 0.0), abs=0.05)
    churned = (rng.random(len(table)) < 1 / (1 + np.exp(-margin))).astype(float)
    assert fit_linear(table, churned, "logistic").weights == pytest.approx(
        (0.8, -0.5, 0.0), abs=0.1
    )


def test_a_constant_feature_has_no_say() -> None:
    rng = np.random.default_rng(4)
    table = np.column_stack([rng.gamma(2.0, 10.0, 500), np.full(500, 7.0)])
    found = fit_linear(table, (rng.random(500) < 0.4).astype(float), "logistic")
    moved = table + np.array([0.0, 100.0])
    np.testing.assert_allclose(found.margin(moved), found.margin(table), rtol=1e-12)
