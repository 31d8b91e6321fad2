"""Small trained models for the tests of scoring, the registry and the service."""

import numpy as np
import xgboost as xgb

from mkt_models.columns import Model
from mkt_models.models.scorer import Scorer

FEATURES = ("days_since_last_order", "orders_90d", "discount_share")
WORDS = {
    "days_since_last_order": {
        "en": "days since the last order",
        "zh": "距上次下单天数",
        "unit": "days",
    },
    "orders_90d": {"en": "orders in the last 90 days", "zh": "近90天订单数"},
    "discount_share": {"en": "share of discounts", "zh": "折扣占比", "unit": "share"},
}


def table(n: int = 400, seed: int = 7) -> np.ndarray:
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, 90, n), rng.integers(1, 30, n), rng.random(n)]
    out = np.column_stack(columns).astype(np.float32)
    out[rng.random(out.shape) < 0.05] = np.nan
    return out


def toy(name: Model = Model.CHURN, slope: float = 1.0, intercept: float = 0.0) -> Scorer:
    """Trees that know: a long absence means churn, many orders mean spend."""
    matrix = table()
    days, orders = np.nan_to_num(matrix[:, 0]), np.nan_to_num(matrix[:, 1])
    amounts = name is Model.VALUE
    target = 20.0 * orders + 5 if amounts else (days > 45).astype(float)
    objective = "reg:tweedie" if amounts else "binary:logistic"
    booster = xgb.train(
        {"objective": objective, "max_depth": 3, "nthread": 1, "seed": 1},
        xgb.DMatrix(matrix, target, feature_names=list(FEATURES)),
        num_boost_round=20,
    )
    link = "log" if amounts else "logistic"
    return Scorer(name, booster, FEATURES, link, WORDS, slope, intercept)
