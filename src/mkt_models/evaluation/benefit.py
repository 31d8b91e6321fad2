"""Who gains from being contacted: incremental value per unit of budget, by group.

Only contacts that were assigned at random, with known probabilities, tell what a contact changes.
Both arms are weighted by one over the probability of the arm they are in, so that groups which
were contacted more often, or other customers more often, are compared rightly (Horvitz and
Thompson 1952; weights that sum to one: Hájek 1971). The harm looked for: the budget is spent on a
group that has little of it, or is put off by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.audit_params import Gate
from mkt_models.columns import CUSTOMER_ID, Verdict
from mkt_models.evaluation import metrics
from mkt_models.evaluation.arms import PROBABILITY, TREATED, rare, read_arms, smaller_arm, uneven
from mkt_models.evaluation.bootstrap import ClusterBootstrap, error_interval, standard_error
from mkt_models.evaluation.gate import Limit, Reason, judge
from mkt_models.evaluation.groups import (
    Needs,
    attribute_names,
    groups_of,
    known_customers,
    levels_of,
)
from mkt_models.evaluation.inputs import Floats, numbers, require

MEASURES = ("effect", "budget", "value_per_cost", "benefit_gap")


def benefit_table(
    contacts: pd.DataFrame,
    attributes: Sequence[str],
    outcome: str,
    cost: str,
    min_group_size: int,
    n_bootstrap: int,
    confidence: float,
    seed: int,
    *,
    pairs: bool = False,
) -> pd.DataFrame:
    """One row per attribute and group: what a contact brings it, and per unit of budget.

    Parameters
    ----------
    contacts
        customers and campaigns that were assigned at random: customer_id, ``treated`` (0 or 1, as
        assigned, whoever read it), ``assignment_probability`` (of being treated, strictly between
        0 and 1, in either arm), the outcome, the cost and the sensitive columns
    attributes
        one row of the result per group of each; a null is 'not available', shown but not judged
    outcome
        column of the value that came, in currency units (margin, if it is to be held against cost)
    cost
        column of what was spent on the row, in currency units; 0 in the control arm
    min_group_size
        customers that a group needs in each arm
    n_bootstrap, confidence, seed, pairs
        as in ``group_table``; customers are drawn with all their campaigns

    Returns
    -------
    DataFrame
        attribute, group, pair, n (rows), n_customers, n_treated (rows); ``effect`` (value that a
        contact adds, per contact), ``budget`` (cost of a contact), ``value_per_cost`` (their
        ratio), ``benefit_gap`` (value_per_cost of everybody minus that of the group: more is
        worse), each with ``_lower``, ``_upper``, ``_error``; of everybody value_per_cost_all with
        ends at ``confidence``; n_known; level; judged; note

    Raises
    ------
    ValueError
        When a column is missing, an attribute is named twice, an arm is empty, or a probability is
        not between 0 and 1.

    """
    names = attribute_names(attributes)
    require(contacts, [CUSTOMER_ID, TREATED, PROBABILITY, outcome, cost, *names])
    arms = _Arms.of(contacts, outcome, cost)
    draws = ClusterBootstrap.of(contacts[CUSTOMER_ID], n_bootstrap, seed)
    needs = _TwoArms(draws.codes, arms.treated, "regression", min_group_size, 0)
    groups = list(groups_of(contacts, names, needs, pairs))
    levels, known = levels_of(groups, confidence, pairs), known_customers(groups, needs)
    shown = [group for group in groups if group.shown]

    def statistic(weights: Floats) -> Floats:
        of_all = arms.measured(weights, None)
        parts = [of_all] + [arms.measured(weights, group.rows) for group in shown]
        gaps = [of_all[:, 2:] - part[:, 2:] for part in parts]
        both = [np.hstack(pair) for pair in zip(parts, gaps, strict=True)]
        return np.stack(both, axis=1)

    estimates, replicates = draws.estimate(statistic), draws.replicates(statistic)
    alike = rare(arms.outcome, arms.treated, draws.codes)
    smaller = 1 if alike else smaller_arm(arms.treated, draws.codes)
    known_spread = np.full_like(replicates[:, 0], np.nan) if alike else replicates[:, 0]
    everybody = _everybody(estimates[0], known_spread, confidence, smaller)
    rows, place = [], {id(group): i + 1 for i, group in enumerate(shown)}
    for group in groups:
        i, level = place.get(id(group)), levels[group.pair]
        row: dict[str, Any] = group.row(arms.outcome, "regression")
        row.pop("mean_target")
        row["n_treated"] = int(arms.treated[group.rows].sum()) if group.shown else None
        inside = group.rows
        note = (
            group.why_not
            or uneven(arms.treated[inside], arms.probability[inside], level)
            or rare(arms.outcome[inside], arms.treated[inside], draws.codes[inside])
        )
        for j, name in enumerate(MEASURES):
            value = float(estimates[i, j]) if i is not None else np.nan
            error = standard_error(replicates[:, i, j]) if i is not None else np.nan
            n = smaller_arm(arms.treated[inside], draws.codes[inside]) if i is not None else 1
            ends = error_interval(value, np.nan if note else error, level, n)
            row |= {name: value, f"{name}_lower": ends[0], f"{name}_upper": ends[1]}
            row[f"{name}_error"] = error
        has = bool(np.isfinite(row["benefit_gap_error"]))
        row |= everybody | {"n_known": known[group.attribute], "level": level}
        row |= {"judged": has and not note, "note": note}
        rows.append(row)
    return pd.DataFrame(rows).astype(dict.fromkeys(("n", "n_customers", "n_treated"), "Int64"))


def benefit_verdict(
    table: pd.DataFrame, gate: Gate, confidence: float
) -> tuple[Verdict, list[Reason]]:
    """Judge whether the budget serves all groups; give the verdict and its reasons.

    FAIL when a group is shown to have less than ``min_benefit_ratio`` of everybody's value per
    unit of budget, or to lose by being contacted. NOT_EVALUATED when nobody is shown to gain, or
    as ``gate.judge`` says; otherwise PASS.
    """
    if table.empty:
        return Verdict.NOT_EVALUATED, [
            Reason("no randomised contacts to compare", "没有随机分配的触达可供比较")
        ]
    value, lower = (float(table[f"value_per_cost_all{end}"].iloc[0]) for end in ("", "_lower"))
    judged = table[table["judged"].astype(bool)]
    worse = judged[judged["effect_upper"] < 0]
    harmed = [_harm(row) for _, row in worse.iterrows()]
    if harmed:
        return Verdict.FAIL, harmed
    if not lower > 0:
        return Verdict.NOT_EVALUATED, [
            Reason(
                "contacts are not shown to bring anything: value per unit of budget "
                f"{value:.3g}, its interval begins at {lower:.3g}",
                f"未显示触达带来任何价值：每单位预算的价值为 {value:.3g}，区间下限 {lower:.3g}",
            )
        ]
    limit = Limit("benefit_gap", 0.0, (1 - gate.min_benefit_ratio) * value, 1)
    return judge(table, [limit], gate, confidence)


def _harm(row: pd.Series) -> Reason:
    who, n = f"{row['attribute']} {row['group']}", f"n = {row['n_customers']:,}"
    cost = f"{-row['effect']:.3g} [{-row['effect_upper']:.3g}, {-row['effect_lower']:.3g}]"
    return Reason(
        f"{who} ({n}): a contact is shown to cost value: {cost}",
        f"{who}（{n}）：触达确认造成价值损失：{cost}",
    )


class _TwoArms(Needs):
    """A group counts as large as its smaller arm; ``target`` holds the arm."""

    def enough(self, rows: npt.NDArray[np.intp]) -> int:
        """Customers of the smaller arm among these rows."""
        arm = self.target[rows] == 1
        return min(self.count(rows[arm]), self.count(rows[~arm]))


@dataclass(frozen=True)
class _Arms:
    treated: Floats
    probability: Floats
    outcome: Floats
    cost: Floats

    @classmethod
    def of(cls, contacts: pd.DataFrame, outcome: str, cost: str) -> "_Arms":
        treated, probability = read_arms(contacts)
        return cls(treated, probability, numbers(contacts, outcome), numbers(contacts, cost))

    def measured(self, weights: Floats, rows: npt.NDArray[np.intp] | None) -> Floats:
        """Weights to draws x (effect, budget, value per cost)."""
        inside = slice(None) if rows is None else rows
        weights = weights if rows is None else np.take(weights, rows, axis=1)
        arm, p = self.treated[inside], self.probability[inside]
        values = np.stack([self.outcome[inside], self.cost[inside]], axis=1)
        means = []
        for share in (arm / p, (1 - arm) / (1 - p)):
            total = weights @ share
            means.append(metrics.ratio(weights @ (share[:, None] * values), total[:, None]))
        effect, budget = (means[0] - means[1]).T
        return np.stack([effect, budget, metrics.ratio(effect, budget)], axis=1)


def _everybody(
    estimates: Floats, replicates: Floats, confidence: float, n: int
) -> dict[str, float]:
    ends = error_interval(estimates[2], standard_error(replicates[:, 2]), confidence, n)
    name = "value_per_cost_all"
    return {name: float(estimates[2]), f"{name}_lower": ends[0], f"{name}_upper": ends[1]}
