"""The simple peers that a trained model must beat, fitted on the same rows.

Each peer is a function ``(train, test) -> predictions`` of the test rows, over tables with the
features, ``as_of`` and ``target``. The buy-till-you-die peers need no labels: they learn from the
purchases before the test date alone.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression, TweedieRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import Connection
from mkt_models.models import btyd

Array = npt.NDArray[np.float64]
Peer = Callable[[pd.DataFrame, pd.DataFrame], Array]

RECENCY = ("days_since_last_order",)
RFM = ("days_since_last_order", "orders_90d", "amount_90d")


def churn_peers(con: Connection, features: Sequence[str], horizon_days: int) -> dict[str, Peer]:
    """What a churn model must beat, from the naive to the field's usual."""
    return {
        "base_rate": base_rate,
        "recency": logit(RECENCY),
        "rfm_logit": logit(RFM),
        "bg_nbd": bg_nbd_none(con, horizon_days),
        "logistic": logit(features),
    }


def value_peers(
    con: Connection, features: Sequence[str], horizon_days: int, power: float
) -> dict[str, Peer]:
    """What a value model must beat; ``power`` is that of the Tweedie regression."""
    return {
        "last_90_days": column("amount_90d"),
        "bg_nbd_gamma_gamma": bg_nbd_gamma_gamma(con, horizon_days),
        "log_glm": log_glm(features, power),
    }


def propensity_peers(features: Sequence[str]) -> dict[str, Peer]:
    """What a propensity model must beat."""
    kinds = ("campaign_type_a", "campaign_type_c")
    history = ("redemptions_ever", "campaigns_redeemed", "redeemed_rate")
    return {
        "type_rate": logit(kinds),
        "past_redemptions": logit((*kinds, *history)),
        "logistic": logit(features),
    }


def base_rate(train: pd.DataFrame, test: pd.DataFrame) -> Array:
    """Everybody gets the mean of the training target."""
    return np.full(len(test), float(train["target"].mean()))


def column(name: str) -> Peer:
    """Everybody gets a column as it is, e.g. the spend of the last 90 days."""
    return lambda _, test: test[name].to_numpy(dtype=np.float64)


def logit(features: Sequence[str]) -> Peer:
    """Logistic regression on log features."""

    def peer(train: pd.DataFrame, test: pd.DataFrame) -> Array:
        model = _pipeline(LogisticRegression(C=0.03, max_iter=3000))
        model.fit(train[list(features)], train["target"])
        return np.asarray(model.predict_proba(test[list(features)])[:, 1])

    return peer


def log_glm(features: Sequence[str], power: float) -> Peer:
    """Tweedie regression with a log link, on log features."""

    def peer(train: pd.DataFrame, test: pd.DataFrame) -> Array:
        model = _pipeline(TweedieRegressor(power=power, alpha=0.01, link="log", max_iter=3000))
        model.fit(train[list(features)], train["target"])
        return np.asarray(model.predict(test[list(features)]))

    return peer


def bg_nbd_none(con: Connection, horizon_days: int) -> Peer:
    """BG/NBD: P(no purchase in the horizon)."""

    def peer(_: pd.DataFrame, test: pd.DataFrame) -> Array:
        everybody, rows = _summaries(con, test)
        fitted = btyd.fit_bg_nbd(*_columns(everybody))
        return fitted.probability_of_none(*_columns(rows), horizon_days)

    return peer


def bg_nbd_gamma_gamma(con: Connection, horizon_days: int) -> Peer:
    """BG/NBD x Gamma-Gamma: expected shopping days times expected amount."""

    def peer(_: pd.DataFrame, test: pd.DataFrame) -> Array:
        everybody, rows = _summaries(con, test)
        visits = btyd.fit_bg_nbd(*_columns(everybody))
        mean_amount = everybody["mean_amount"].fillna(0.0).to_numpy()
        amounts = btyd.fit_gamma_gamma(everybody["frequency"].to_numpy(), mean_amount)
        expected = amounts.expected_amount(
            rows["frequency"].to_numpy(), rows["mean_amount"].fillna(0.0).to_numpy()
        )
        return visits.expected_purchases(*_columns(rows), horizon_days) * expected

    return peer


def _summaries(con: Connection, test: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Everybody's summary at the test's one date, and those of the test rows in their order."""
    dates = test[AS_OF].unique()
    if len(dates) != 1:
        raise ValueError(f"a test has one date, this one has {len(dates)}")
    everybody = btyd.summaries(con, pd.Timestamp(dates[0]))
    rows = test[[CUSTOMER_ID]].merge(everybody, on=CUSTOMER_ID, how="left", validate="one_to_one")
    return everybody, rows


def _columns(rows: pd.DataFrame) -> tuple[Array, Array, Array]:
    frequency, recency, age = (
        rows[name].to_numpy(dtype=np.float64) for name in ("frequency", "recency", "age")
    )
    return frequency, recency, age


def _pipeline(model: object) -> Pipeline:
    return make_pipeline(FunctionTransformer(_log), StandardScaler(), model)


def _log(features: pd.DataFrame) -> pd.DataFrame:
    """log(1 + x); a missing value is put below every known one."""
    clipped = features.clip(lower=0)
    return clipped.apply(np.log1p).fillna(-1.0)
