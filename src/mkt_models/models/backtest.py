"""Rolling-origin backtests: at each test date, train on what was known, predict what came."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import AS_OF
from mkt_models.models.boosting import Recipe, fit_scorer
from mkt_models.models.labels import Origin
from mkt_models.models.peers import Peer
from mkt_models.models.trainable import RowsError, require_finite, require_once
from mkt_models.profiles.measures import Measure

MODEL = "this_model"
ENDS = (f"{MODEL}_lower", f"{MODEL}_upper")


def splits(
    rows: pd.DataFrame, origins: Sequence[Origin]
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Cut a table (one row per customer and ``as_of``) into train and test, per origin."""
    for origin in origins:
        train = rows[AS_OF].isin(pd.to_datetime(list(origin.train)))
        yield rows[train], rows[rows[AS_OF] == pd.Timestamp(origin.test)]


def backtest(
    parts: Iterable[tuple[pd.DataFrame, pd.DataFrame]],
    keys: Sequence[str],
    features: Mapping[str, Measure],
    recipe: Recipe,
    peers: Mapping[str, Peer],
) -> pd.DataFrame:
    """Predict every test part with a model and its peers that were fitted on its training part.

    Parameters
    ----------
    parts
        Train and test rows with the keys, the features and ``target``; each test is of one date.
    keys
        Columns that name a row.
    features
        The columns that the model may use.
    recipe
        How the model is trained.
    peers
        Simple models by name.

    Returns
    -------
    pandas.DataFrame
        The rows of all tests: keys, ``target``, and one column of predictions per model;
        the trained model's is called :data:`MODEL`. Amounts also have the ends of its prediction
        intervals, :data:`ENDS`, missing where it had too few rows to learn them.

    Raises
    ------
    LabelError
        When a part cannot be trained on, or not be tested with: it has no rows, the same row
        twice, or an infinite feature; when there are no parts; or when a model or peer gives a
        prediction that is no finite number.

    """
    tested = []
    for train, test in parts:
        scorer = fit_scorer(train, dict(features), recipe)
        _require_tested(test, keys, features, recipe)
        matrix = test[list(features)].to_numpy()
        columns = {MODEL: scorer.predict(matrix)}
        columns |= {name: peer(train, test) for name, peer in peers.items()}
        _require_predictions(columns, test, recipe)
        if recipe.link == "log":
            unknown = np.full(len(test), np.nan)
            ends = scorer.interval(matrix) or (unknown, unknown)
            columns |= dict(zip(ENDS, ends, strict=True))
        tested.append(test[[*keys, "target"]].assign(**columns))
    if not tested:
        raise RowsError(f"{recipe.name.value}: no test cutoffs, so nothing was tested")
    return pd.concat(tested, ignore_index=True)


def tested_rows(parts: Iterable[tuple[pd.DataFrame, pd.DataFrame]]) -> pd.DataFrame:
    """All test rows with their features and target, in the order of :func:`backtest`'s answer.

    Kept so that a model of an earlier run can predict them too.
    """
    return pd.concat([test for _, test in parts], ignore_index=True)


def _require_tested(
    test: pd.DataFrame, keys: Sequence[str], features: Mapping[str, Measure], recipe: Recipe
) -> None:
    name = f"{recipe.name.value}, test"
    if test.empty:
        raise RowsError(f"{name}: a test cutoff has no rows; is it inside the data?")
    require_once(test, keys, name)
    require_finite(test, list(features), name)


def _require_predictions(
    columns: Mapping[str, npt.NDArray[np.float64]], test: pd.DataFrame, recipe: Recipe
) -> None:
    for model, predicted in columns.items():
        if wrong := int((~np.isfinite(predicted)).sum()):
            raise RowsError(
                f"{recipe.name.value}: {model} predicts no finite number for {wrong:,} of "
                f"{len(test):,} test rows on {test[AS_OF].iloc[0].date()}"
            )
