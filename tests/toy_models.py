"""Small trained models for the tests of scoring, the registry and the service."""

from pathlib import Path

import numpy as np
import xgboost as xgb

from mkt_models.columns import Model, ModelStatus, Verdict
from mkt_models.models import registry
from mkt_models.models.card import Facts, Feature, Figure, Question, Standing, Trained, Words
from mkt_models.models.card_words import INTENDED, LIMITS, NOT_INTENDED
from mkt_models.models.conformal import PredictionIntervals
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
    around = PredictionIntervals((), (0.5,), (2.0,), 0.8, 400) if amounts else None
    return Scorer(name, booster, FEATURES, link, WORDS, slope, intercept, intervals=around)


def toy_facts(scorer: Scorer, **trained: object) -> Facts:
    """The facts of a card for a toy model; ``trained`` changes what is said of its rows."""
    days = {"first": "2017-04-10", "last": "2017-11-06", "labels_until": "2018-01-01"}
    rows = {"source": "toy", "data_hash": "toy", "rows": 400, "customers": 400, "positives": 200}
    return Facts(
        model=scorer.name,
        question=Question(en="a question", zh="一个问题", unit="probability", horizon_days=56),
        intended=INTENDED[scorer.name],
        not_intended=NOT_INTENDED[scorer.name],
        trained=Trained.model_validate({**rows, **days, **trained}),
        features=tuple(
            Feature(name=name, en=scorer.words[name]["en"], zh=scorer.words[name]["zh"])
            for name in scorer.features
        ),
        parameters={"seed": 1, "first": "2017-04-10", "households": None},
        metric="auc",
        figures=(
            Figure(
                of="this_model",
                metric="auc",
                value=0.857123456789,
                lower=0.84,
                upper=float("nan"),
                n=400,
                n_customers=400,
            ),
        ),
        limits=LIMITS,
    )


RELEASED = Standing(
    status=ModelStatus.RELEASED,
    reason=Words(en="first", zh="首个"),
    decided_at="2018-01-02T00:00:00+00:00",
    verdict=Verdict.PASS,
)


def save_toy(scorer: Scorer, home: Path, standing: Standing = RELEASED, **trained: object) -> str:
    """Save a toy model with its card and its standing; give its tag."""
    tag = registry.save(scorer, toy_facts(scorer, **trained), home)
    registry.set_standing(tag, standing, home)
    return tag
