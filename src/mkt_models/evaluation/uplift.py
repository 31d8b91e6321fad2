"""What a contact changes on average, and what may be claimed of it.

The arms are compared as weighted means, each row by one over the probability of its arm (Hájek
1971), since those who buy more may have been contacted more often. A claim is made only where the
interval leaves out 0; everything else is said to be not shown, which is not to say that it is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.evaluation import metrics
from mkt_models.evaluation.arms import (
    PROBABILITY,
    TREATED,
    rare,
    read_arms,
    smaller_arm,
    uneven,
)
from mkt_models.evaluation.bootstrap import ClusterBootstrap, error_interval, standard_error
from mkt_models.evaluation.headline import figure_of
from mkt_models.evaluation.inputs import Floats, numbers, require
from mkt_models.sections import nearest

EVERYBODY = "everybody"


def effect_table(
    trial: pd.DataFrame,
    outcomes: Sequence[str],
    n_bootstrap: int,
    confidence: float,
    seed: int,
    by: str | None = None,
) -> pd.DataFrame:
    """One row per outcome, for everybody or per group of ``by``: what a contact adds.

    Parameters
    ----------
    trial
        One row per customer and campaign: customer_id, ``treated``, ``assignment_probability``,
        the outcomes (any numbers) and ``by``.
    outcomes
        Columns of what happened.
    n_bootstrap, confidence, seed
        Customers are drawn with all their rows. With ``by`` the intervals are widened for the
        number of groups (Bonferroni), so that any of them is a finding.
    by
        Column of groups that were known before the assignment. A group without rows of both arms
        has no figure.

    Returns
    -------
    DataFrame
        outcome, group, n (rows), n_customers, n_treated; ``contacted`` and ``withheld`` (weighted
        means), ``effect`` (their difference) with ``_lower`` and ``_upper``, level; note (why it
        must not be believed, and has no ends; empty when it may)

    Raises ValueError when a column is missing, an arm is empty, a probability is 0 or 1, or ``by``
    has no value.

    """
    names = list(outcomes)
    if not names:
        raise ValueError("outcomes: name at least one column of what happened")
    require(trial, [CUSTOMER_ID, TREATED, PROBABILITY, *names, *([by] if by else [])])
    treated, p = read_arms(trial)
    values = np.stack([numbers(trial, name) for name in names], axis=1)
    parts = {EVERYBODY: np.arange(len(trial))}
    if by is not None:
        parts = {
            str(group): np.flatnonzero(trial[by] == group)
            for group in sorted(trial[by].dropna().unique())
        }
    if not parts:
        raise ValueError(f"{by}: every value is missing, so there are no groups; leave `by` out")
    draws = ClusterBootstrap.of(trial[CUSTOMER_ID], n_bootstrap, seed)
    level = 1 - (1 - confidence) / len(parts)

    def statistic(weights: Floats) -> Floats:
        found = []
        for rows in parts.values():
            inside, arm, chance = np.take(weights, rows, axis=1), treated[rows], p[rows]
            means = []
            for share in (arm / chance, (1 - arm) / (1 - chance)):
                total = (inside @ share)[:, None]
                means.append(metrics.ratio(inside @ (share[:, None] * values[rows]), total))
            found.append(np.stack([*means, means[0] - means[1]], axis=2))
        return np.stack(found, axis=1)

    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    rows = []
    for i, (group, inside) in enumerate(parts.items()):
        n = int(trial[CUSTOMER_ID].iloc[inside].nunique())
        for j, name in enumerate(names):
            effect = float(estimates[i, j, 2])
            note = uneven(treated[inside], p[inside], level) or rare(
                values[inside, j], treated[inside], draws.codes[inside]
            )
            error = np.nan if note else standard_error(replicates[:, i, j, 2])
            smaller = smaller_arm(treated[inside], draws.codes[inside])
            ends = error_interval(effect, error, level, smaller)
            row: dict[str, Any] = {"outcome": name, "group": group, "n": len(inside)}
            row |= {"n_customers": n, "n_treated": int(treated[inside].sum())}
            row |= {"contacted": float(estimates[i, j, 0]), "withheld": float(estimates[i, j, 1])}
            row |= {"effect": effect, "effect_lower": ends[0], "effect_upper": ends[1]}
            rows.append(row | {"level": level, "note": note})
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class Claim:
    """What a trial shows: nothing that its interval does not.

    Attributes
    ----------
    effect
        a contact is shown to change the response on average
    ranking
        the learner is shown to put those first whom a contact changes more than others
    learner
        the learner of which this is said
    says
        the sentences, the second of the ranking

    """

    effect: bool
    ranking: bool
    learner: str
    says: tuple[str, ...]


def verdict(
    effects: pd.DataFrame,
    ranking: pd.DataFrame,
    outcome: str,
    learner: str,
    words: str | None = None,
) -> Claim:
    """Say what is shown, and what is not.

    Parameters
    ----------
    effects
        An :func:`effect_table` of everybody, with this outcome.
    ranking
        A ``qini_table`` of campaigns on which neither was the learner trained nor chosen.
    outcome
        The outcome that is ranked by.
    learner
        The learner that was chosen.
    words
        What the outcome is called in a sentence.

    Raises ValueError for an outcome or a learner that the tables do not have.

    """
    everybody = effects[effects["group"] == EVERYBODY]
    for what, name, known in (
        ("outcome", outcome, everybody["outcome"].tolist()),
        ("learner", learner, ranking["model"].tolist()),
    ):
        if name not in known:
            raise ValueError(
                f"{what} == {name!r}{nearest(name, known)}; the table has: "
                f"{', '.join(known) or 'no row of everybody'}"
            )
    found = everybody[everybody["outcome"] == outcome].iloc[0]
    ends = f"{found['effect']:+.4g} [{found['effect_lower']:+.4g}, {found['effect_upper']:+.4g}]"
    n = f"n = {found['n']:,}, {found['n_customers']:,} customers"
    words = words or outcome.replace("_", " ")
    sign = _sign(found["effect_lower"], found["effect_upper"])
    if found["note"]:
        sign, first = 0, f"No effect can be told: {found['note']}."
    elif np.isnan(found["effect_lower"]):
        first = f"No effect can be told: too few of an arm in many draws ({n})."
    elif sign == 0:
        first = f"No effect of a contact on {words} is shown: {ends} per contact ({n})."
    else:
        does = "raise" if sign > 0 else "lower"
        first = f"A contact is shown to {does} {words}: {ends} per contact ({n})."
    row = ranking[ranking["model"] == learner].iloc[0]
    area = f"Qini {row['qini']:+.4g} [{row['qini_lower']:+.4g}, {row['qini_upper']:+.4g}]"
    who, order = learner.replace("_", " "), _sign(row["qini_lower"], row["qini_upper"])
    area += f", {row['qini_normalised']:.1%} of a perfect ranking" * (order > 0)
    area += f" (n = {row['n']:,})"
    if found["note"]:
        order, second = 0, "Nor can it be told whom a contact changes more."
    elif np.isnan(row["qini_lower"]):
        second = f"Whom a contact changes more is not evaluated: the {who} shows no spread."
    elif order > 0:
        second = f"The {who} is shown to rank first whom a contact changes more: {area}."
    elif order < 0:
        second = f"The {who} is shown to rank worse than chance: {area}."
    else:
        second = f"No difference between customers is shown by the {who}: {area}."
    return Claim(sign != 0, order > 0, learner, (first, second))


def effect_headline(effects: pd.DataFrame, outcome: str, name: str, unit: str) -> dict[str, Any]:
    """Take the effect on everybody as a headline figure, with its interval, n and kind."""
    row = effects[(effects["outcome"] == outcome) & (effects["group"] == EVERYBODY)].iloc[0]
    return figure_of(row, "effect", name, unit, NumberKind.RANDOMISED)


def _sign(lower: float, upper: float) -> int:
    """1 or -1 where the interval lies on one side of 0; 0 where it holds 0, or is not known."""
    return int(lower > 0) - int(upper < 0)
