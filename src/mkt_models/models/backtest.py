"""Rolling-origin backtests: at each test date, train on what was known, predict what came."""

from collections.abc import Mapping, Sequence

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.models.boosting import Recipe, fit_scorer
from mkt_models.models.labels import Origin
from mkt_models.models.peers import Peer
from mkt_models.profiles.measures import Measure

MODEL = "xgboost"


def backtest(
    rows: pd.DataFrame,
    origins: Sequence[Origin],
    features: Mapping[str, Measure],
    recipe: Recipe,
    peers: Mapping[str, Peer],
) -> pd.DataFrame:
    """Predict every test cutoff with the model and its peers.

    Parameters
    ----------
    rows
        One row per customer and ``as_of``: features and ``target``.
    origins
        What to train on and what to predict.
    features
        The columns that the model may use.
    recipe
        How the model is trained.
    peers
        Simple models by name.

    Returns
    -------
    pandas.DataFrame
        One row per customer and test cutoff: ``customer_id``, ``as_of``, ``target``, and one column
        of predictions per model.

    """
    parts = []
    for origin in origins:
        train = rows[rows[AS_OF].isin(pd.to_datetime(list(origin.train)))]
        test = rows[rows[AS_OF] == pd.Timestamp(origin.test)]
        scorer = fit_scorer(train, dict(features), recipe)
        part = test[[CUSTOMER_ID, AS_OF, "target"]].assign(
            **{MODEL: scorer.predict(test[list(features)].to_numpy())}
        )
        parts.append(part.assign(**{name: peer(train, test) for name, peer in peers.items()}))
    return pd.concat(parts, ignore_index=True)
