"""What every action of a decision may bring, told by a model that did not see the customer.

The direct method and the doubly robust estimator need it. It is cross-fitted: customers are dealt
into folds, and those of a fold are predicted by a model of the others (Chernozhukov and others
2018), so that what a model learnt by heart does not come back as an estimate.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GroupKFold

from mkt_models.evaluation.decision_log import (
    DECISION_ID,
    EXPECTED_REWARD,
    DecisionLog,
    Ints,
    read_log,
)
from mkt_models.evaluation.inputs import Floats
from mkt_models.sections import nearest


def with_expected_rewards(
    log: pd.DataFrame,
    actions: pd.DataFrame,
    policies: Sequence[str],
    context: Sequence[str],
    model: Any,
    folds: int,
    seed: int,
) -> pd.DataFrame:
    """Give the actions with a column ``expected_reward``, predicted by models of other customers.

    Parameters
    ----------
    log, actions, policies
        As in :func:`mkt_models.evaluation.decision_log.read_log`.
    context
        Numeric columns that were known before the decision: of the log (one value per decision)
        or of the actions (such as the worth of each). The model sees them beside one indicator
        per action.
    model
        An estimator of scikit-learn that is not fitted; it is cloned. Of a classifier the
        probability of reward 1 is taken, and rewards must be 0 or 1.
    folds, seed
        Number of folds, 2 or more, and the seed that deals the customers into them.

    Raises
    ------
    ValueError
        As ``read_log``; when a column of the context is nowhere, or in both tables; when there
        are fewer customers than folds; when a classifier is given rewards other than 0 and 1.

    """
    read = read_log(log, actions, policies)
    if folds < 2 or folds > read.n_customers:
        raise ValueError(
            f"folds == {folds}, must be from 2 to the {read.n_customers:,} customers of the log"
        )
    if is_classifier(model) and np.setdiff1d(read.reward, [0.0, 1.0]).size:
        raise ValueError("a classifier needs rewards of 0 and 1; give a regressor for amounts")
    about = _context(log, actions, context, read)
    codes, names = pd.factorize(read.action, sort=True)

    def features(rows: Ints) -> Floats:  # made in parts: one column per action is much
        return np.hstack([np.eye(len(names))[codes[rows]], about[rows]])

    found = np.full(len(actions), np.nan)
    dealt = GroupKFold(folds, shuffle=True, random_state=seed)
    for others, fold in dealt.split(read.reward, groups=read.customer):
        fitted = clone(model).fit(features(read.taken[others]), read.reward[others])
        rows = np.flatnonzero(np.isin(read.decision, fold))
        found[rows] = _predicted(fitted, features(rows))
    return actions.assign(**{EXPECTED_REWARD: found})


def _context(
    log: pd.DataFrame, actions: pd.DataFrame, context: Sequence[str], read: DecisionLog
) -> Floats:
    columns = [np.empty((len(actions), 0))]
    for name in context:
        homes = [table for table in (log, actions) if name in table and name != DECISION_ID]
        if len(homes) != 1:
            has = [str(column) for column in (*log.columns, *actions.columns)]
            where = "both tables" if homes else "neither table"
            raise ValueError(f"context: {name!r} is in {where}{nearest(name, has)}")
        values = pd.to_numeric(homes[0][name]).to_numpy(dtype=np.float64, na_value=np.nan)
        columns.append((values[read.decision] if homes[0] is log else values)[:, None])
    return np.hstack(columns)


def _predicted(fitted: Any, features: Floats) -> Floats:
    if not is_classifier(fitted):
        return np.asarray(fitted.predict(features), dtype=np.float64)
    classes = list(fitted.classes_)
    if 1.0 not in classes:
        return np.zeros(len(features))
    return np.asarray(fitted.predict_proba(features)[:, classes.index(1.0)], dtype=np.float64)
