"""The simple peers that a trained model must beat, fitted on the same rows.

Each peer is a function ``(train, test) -> predictions`` of the test rows, over tables with the
features, ``as_of`` and ``target``. The buy-till-you-die peers need no labels: they learn from the
purchases before the test date alone.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb
from scipy.special import expit

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.engine import Connection
from mkt_models.models import btyd
from mkt_models.models.boosting import Recipe
from mkt_models.models.regression import fit_linear

Array = npt.NDArray[np.float64]
Peer = Callable[[pd.DataFrame, pd.DataFrame], Array]

RECENCY = ("days_since_last_order",)
RFM = ("days_since_last_order", "orders_90d", "amount_90d")


def churn_peers(
    con: Connection, features: Sequence[str], horizon_days: int, recipe: Recipe
) -> dict[str, Peer]:
    """What a churn model must beat, from the naive to the field's usual; ``recipe`` is its own."""
    return {
        "base_rate": base_rate,
        "recency": logit(RECENCY),
        "rfm_logit": logit(RFM),
        "bg_nbd": bg_nbd_none(con, horizon_days),
        "logistic": logit(features),
        **boosted(features, recipe),
    }


def value_peers(
    con: Connection, features: Sequence[str], horizon_days: int, recipe: Recipe
) -> dict[str, Peer]:
    """What a value model must beat; ``recipe`` is its own."""
    return {
        "last_90_days": column("amount_90d"),
        "bg_nbd_gamma_gamma": bg_nbd_gamma_gamma(con, horizon_days),
        "log_glm": log_glm(features, recipe.tweedie_power),
        **boosted(features, recipe),
    }


def propensity_peers(features: Sequence[str], recipe: Recipe) -> dict[str, Peer]:
    """What a propensity model must beat; ``recipe`` is its own."""
    history = ("redemptions_ever", "campaigns_redeemed", "redeemed_rate")
    return {
        "type_rate": logit(("type_rate",)),
        "past_redemptions": logit(("type_rate", *history)),
        "logistic": logit(features),
        **boosted(features, recipe),
    }


def boosted(features: Sequence[str], recipe: Recipe) -> dict[str, Peer]:
    """Other boosted trees on the same features: XGBoost as it comes, and LightGBM.

    LightGBM links to the system's OpenMP (libgomp); where that lacks, it is left out.
    """
    untuned = {"xgboost_untuned": untuned_xgboost(features, recipe)}
    try:
        return {**untuned, "lightgbm": light_gbm(features, recipe)}
    except OSError:
        return untuned


def untuned_xgboost(features: Sequence[str], recipe: Recipe) -> Peer:
    """XGBoost with the objective of the recipe and its own defaults for everything else."""
    kept = ("objective", "tweedie_variance_power", "seed", "nthread")
    settings = {name: value for name, value in recipe.settings.items() if name in kept}

    def peer(train: pd.DataFrame, test: pd.DataFrame) -> Array:
        data = xgb.DMatrix(train[list(features)], train["target"], nthread=1)
        booster = xgb.train(settings, data, num_boost_round=100)
        return np.asarray(booster.predict(xgb.DMatrix(test[list(features)], nthread=1)))

    return peer


def light_gbm(features: Sequence[str], recipe: Recipe) -> Peer:
    """LightGBM with the objective of the recipe, as many trees and as deep, and its own growth.

    Raises OSError where the system's OpenMP lacks.
    """
    import lightgbm

    b = recipe.boosting
    objective = (
        {"objective": "binary"}
        if recipe.link == "logistic"
        else {"objective": "tweedie", "tweedie_variance_power": recipe.tweedie_power}
    )
    settings = objective | {
        "num_leaves": 2**b.max_depth,
        "learning_rate": b.learning_rate,
        "min_data_in_leaf": max(1, round(b.min_child_weight)),
        "bagging_fraction": b.subsample,
        "bagging_freq": 1,
        "feature_fraction": b.colsample_bytree,
        "lambda_l2": b.reg_lambda,
        "seed": recipe.seed % 2**31,
        "num_threads": 1,
        "deterministic": True,
        "verbosity": -1,
    }

    def peer(train: pd.DataFrame, test: pd.DataFrame) -> Array:
        matrix = train[list(features)].to_numpy(dtype=np.float32)
        data = lightgbm.Dataset(matrix, train["target"].to_numpy(dtype=np.float32))
        booster = lightgbm.train(settings, data, num_boost_round=b.n_estimators)
        return np.asarray(booster.predict(test[list(features)].to_numpy(dtype=np.float32)))

    return peer


def base_rate(train: pd.DataFrame, test: pd.DataFrame) -> Array:
    """Everybody gets the mean of the training target."""
    return np.full(len(test), float(train["target"].mean(skipna=False)))


def column(name: str) -> Peer:
    """Everybody gets a column as it is, e.g. the spend of the last 90 days."""
    return lambda _, test: test[name].to_numpy(dtype=np.float64)


def logit(features: Sequence[str]) -> Peer:
    """Logistic regression on log features."""

    def peer(train: pd.DataFrame, test: pd.DataFrame) -> Array:
        return np.asarray(expit(_regression(features, train, test, "logistic")))

    return peer


def log_glm(features: Sequence[str], power: float) -> Peer:
    """Tweedie regression with a log link, on log features."""

    def peer(train: pd.DataFrame, test: pd.DataFrame) -> Array:
        return np.asarray(np.exp(_regression(features, train, test, "log", power)))

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


def _regression(
    features: Sequence[str],
    train: pd.DataFrame,
    test: pd.DataFrame,
    link: Literal["logistic", "log"],
    power: float = 1.5,
) -> Array:
    """Margins of the test rows by a regression that was fitted on the training rows."""
    target = train["target"].to_numpy(dtype=np.float64)
    fitted = fit_linear(train[list(features)].to_numpy(), target, link, power)
    return fitted.margin(test[list(features)].to_numpy())
