"""A log of decisions whose actions were drawn with known probabilities, read and checked.

Two tables. The **log**, one row per decision: ``decision_id``, ``customer_id``, ``action`` (what
was done), ``probability`` (with which it was done, given all that was known then) and ``reward``
(what came of it, in any unit). The **actions**, one row per decision and action that could have
been taken: ``decision_id``, ``action``, one column per candidate policy with its probability of the
action, and, where they are on record, ``logged_probability`` (of every action, as the log has it of
the one taken), ``drawn_probability`` (the same, given what had been drawn for the customer before,
once for all their decisions, such as a holdout; the log is held against it) and ``expected_reward``
(of a model that did not see the decision, see ``reward_model``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.evaluation.inputs import Floats
from mkt_models.sections import nearest

DECISION_ID = "decision_id"
ACTION = "action"
PROBABILITY = "probability"
REWARD = "reward"
LOGGED_PROBABILITY = "logged_probability"
DRAWN_PROBABILITY = "drawn_probability"
EXPECTED_REWARD = "expected_reward"

# The policy that made the log.
LOGGED = "logged"

# By how much probabilities may miss their sum of 1: they may have been rounded to six digits.
TOLERANCE = 1e-4

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True)
class DecisionLog:
    """The log as arrays: ``n`` decisions in the log's order, ``m`` decisions and actions.

    Attributes
    ----------
    customer, n_customers
        customer of every decision, as a number
    reward, probability
        of every decision: what came, and the probability of what was done
    decision, action
        of every row of the actions: number of its decision; name of its action
    taken
        of every decision: the row of the action that was taken
    logged
        of every row of the actions: its logged probability; NaN where it is not on record
    drawn
        of every row of the actions: its probability in the draw of this decision alone
    expected
        of every row of the actions: its expected reward; None without a model
    policies
        by candidate policy: its probability of every row of the actions

    """

    customer: Ints
    n_customers: int
    reward: Floats
    probability: Floats
    decision: Ints
    action: npt.NDArray[np.object_]
    taken: Ints
    logged: Floats
    drawn: Floats
    expected: Floats | None
    policies: dict[str, Floats]

    @property
    def n(self) -> int:
        """Number of decisions."""
        return len(self.reward)

    def weights(self, policy: str) -> Floats:
        """How much more often the policy takes the action taken: ratio of the probabilities."""
        return np.asarray(self.policies[policy][self.taken] / self.probability)

    def per_decision(self, values: Floats) -> Floats:
        """Sum values of the rows of the actions by decision."""
        return np.asarray(np.bincount(self.decision, values, self.n), dtype=np.float64)

    def per_customer(self, values: Floats) -> Floats:
        """Sum values of the decisions by customer."""
        return np.asarray(np.bincount(self.customer, values, self.n_customers), dtype=np.float64)


def read_log(log: pd.DataFrame, actions: pd.DataFrame, policies: Sequence[str]) -> DecisionLog:
    """Read the two tables (see the module) and refuse what cannot be.

    Where the log alone says it, the logged probabilities are filled in: of a decision that was
    taken with probability 1 all other actions had none.

    Raises
    ------
    ValueError
        When a column, a decision, an action, a reward or a probability is missing; when something
        stands twice; when a probability is impossible, or those of a decision do not sum to 1;
        when the two tables disagree. The message says which row is the first, and what to do.

    """
    names = list(policies)
    _columns(log, "log", [DECISION_ID, CUSTOMER_ID, ACTION, PROBABILITY, REWARD])
    _columns(actions, "actions", [DECISION_ID, ACTION, *names])
    if not names or LOGGED in names:
        raise ValueError(
            f"policies == {names}: name at least one column of the actions, and none {LOGGED!r}: "
            "that is what the policy of the log itself is called"
        )
    for table, what, keys in (
        (log, "log", [DECISION_ID, CUSTOMER_ID, ACTION]),
        (actions, "actions", [DECISION_ID, ACTION]),
    ):
        for key in keys:
            _refuse(table, what, table[key].isna(), f"have no {key}", "every row needs one")
    twice = log[DECISION_ID].duplicated()
    advice = "keep the first answer of a decision that was asked for again"
    _refuse(log, "log", twice, f"repeat a {DECISION_ID}", advice)
    twice = actions.duplicated([DECISION_ID, ACTION])
    _refuse(actions, "actions", twice, "repeat an action of a decision", "add their probabilities")

    places = pd.Index(log[DECISION_ID])
    decision = places.get_indexer(actions[DECISION_ID])
    stray = pd.Series(decision < 0, index=actions.index)
    _refuse(actions, "actions", stray, "are of no decision of the log", "leave them out")
    pairs = pd.MultiIndex.from_frame(actions[[DECISION_ID, ACTION]])
    taken = pairs.get_indexer(pd.MultiIndex.from_frame(log[[DECISION_ID, ACTION]]))
    absent = pd.Series(taken < 0, index=log.index)
    advice = "list all that could have been done, and what was done"
    _refuse(log, "log", absent, "took an action that is not among the actions", advice)

    advice = "give 0 where nothing came, and leave out decisions whose time is not over yet"
    reward = _numbers(log, "log", REWARD, advice)
    advice = "a decision without its probability cannot be weighed; leave it out and say so"
    probability = _numbers(log, "log", PROBABILITY, advice)
    wrong = pd.Series((probability <= 0) | (probability > 1), index=log.index)
    advice = "what was done had a probability above 0 and at most 1; log that of the draw"
    _refuse(log, "log", wrong, "have an impossible probability", advice)
    n = len(log)
    found = {name: _distribution(actions, name, decision, n) for name in names}
    customers, known = pd.factorize(log[CUSTOMER_ID], sort=True)
    expected = None
    if EXPECTED_REWARD in actions:
        expected = _numbers(actions, "actions", EXPECTED_REWARD, "the model predicts every action")
    logged = _logged(log, actions, decision, taken, probability)
    return DecisionLog(
        customer=customers,
        n_customers=len(known),
        reward=reward,
        probability=probability,
        decision=decision,
        action=actions[ACTION].to_numpy(dtype=object),
        taken=taken,
        logged=logged,
        drawn=(
            _distribution(actions, DRAWN_PROBABILITY, decision, n)
            if DRAWN_PROBABILITY in actions
            else logged
        ),
        expected=expected,
        policies=found,
    )


def _logged(
    log: pd.DataFrame, actions: pd.DataFrame, decision: Ints, taken: Ints, probability: Floats
) -> Floats:
    if LOGGED_PROBABILITY in actions:
        logged = _distribution(actions, LOGGED_PROBABILITY, decision, len(log))
        differs = pd.Series(np.abs(logged[taken] - probability) > TOLERANCE, index=log.index)
        advice = f"{PROBABILITY} of the log and {LOGGED_PROBABILITY} are of the same draw"
        _refuse(log, "log", differs, "have another probability than their action", advice)
        return logged
    logged = np.where(probability[decision] == 1, 0.0, np.nan)
    logged[taken] = probability
    return logged


def _distribution(actions: pd.DataFrame, name: str, decision: Ints, n: int) -> Floats:
    values = _numbers(actions, "actions", name, "give 0 to what is never done")
    wrong = pd.Series((values < 0) | (values > 1), index=actions.index)
    _refuse(actions, "actions", wrong, f"have an impossible {name}", "it lies between 0 and 1")
    sums = np.bincount(decision, values, n)
    short = pd.Series(np.abs(sums - 1)[decision] > TOLERANCE, index=actions.index)
    if short.any():
        total = sums[decision[int(np.argmax(short.to_numpy()))]]
        advice = "a policy does one thing of those listed, if only nothing; list that too"
        _refuse(actions, "actions", short, f"have a {name} that sums to {total:.6g}", advice)
    return values


def _columns(table: pd.DataFrame, what: str, columns: Sequence[str]) -> None:
    has = [str(column) for column in table.columns]
    for column in columns:
        if column not in has:
            raise ValueError(
                f"{what}: no column {column!r}{nearest(column, has)}; has: {', '.join(has)}"
            )
    if table.empty:
        raise ValueError(f"{what}: no rows; were decisions logged in this period?")


def _numbers(table: pd.DataFrame, what: str, column: str, advice: str) -> Floats:
    values = pd.to_numeric(table[column]).to_numpy(dtype=np.float64, na_value=np.nan)
    missing = pd.Series(~np.isfinite(values), index=table.index)
    _refuse(table, what, missing, f"have no finite {column}", advice)
    return values


def _refuse(table: pd.DataFrame, what: str, wrong: pd.Series, fault: str, advice: str) -> None:
    n = int(wrong.sum())
    if n:
        first = table.loc[wrong.to_numpy(), DECISION_ID].iloc[0]
        raise ValueError(
            f"{what}: {n:,} of {len(table):,} rows {fault} (first: decision {first!r}); {advice}"
        )
