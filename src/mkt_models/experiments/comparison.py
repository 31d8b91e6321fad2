"""Every treatment beside the control, on every metric, with the corrections for their number.

Two ways to the same table: one look at the planned size, or a confidence sequence over all looks.
Where values are too skewed for the arms' sizes, one look is judged by drawing the assignment again
and again; a sequence, at every look, by a second test that assumes nothing of the values. What both
claim where nothing happened does not depend on what the data look like.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.evaluation.inputs import Floats
from mkt_models.experiment_params import Experiments
from mkt_models.experiments import cuped
from mkt_models.experiments.assignment import Experiment
from mkt_models.experiments.corrections import (
    benjamini_hochberg,
    holm,
    level_for,
    selected_level,
)
from mkt_models.experiments.exact_sequence import exact_p_values
from mkt_models.experiments.fixed_horizon import (
    ArmMean,
    Contrast,
    difference,
    proportions,
    relative_lift,
)
from mkt_models.experiments.measured import Measured
from mkt_models.experiments.randomisation import Reference, needed, reference, source
from mkt_models.experiments.said import NOTHING_SAID, Said
from mkt_models.experiments.sequential import Look, confidence_sequence, mixture, reach_of

CORRECTION = {"primary": "holm", "secondary": "benjamini_hochberg", "guardrail": "none"}
NOTHING = Contrast(math.nan, math.nan, math.nan, math.nan, math.nan, math.nan)

# When, and which units were complete then.
Looks = Sequence[tuple[Any, npt.NDArray[np.bool_]]]


@dataclass(frozen=True)
class Comparison:
    """How treatments are compared with the control.

    Attributes
    ----------
    settings, experiment
        risks; arms and shares
    looks
        the looks of a sequential test; None for a single look
    plan
        units, all arms together, at which the sequence is tightest
    why
        why nothing may be judged; empty when it may
    strata
        names of the strata, by code; empty without strata

    """

    settings: Experiments
    experiment: Experiment
    looks: Looks | None
    plan: int
    why: Said
    strata: Sequence[str] = ()

    def table(self, measured: Sequence[Measured]) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Give one row per metric and treatment, and one per primary metric, treatment and look."""
        pairs = [(one, arm) for one in measured for arm in range(1, len(one.names))]
        roles = [one.metric.role for one, _ in pairs]
        notes = [self.why or self._why_not(one, arm) for one, arm in pairs]
        means = {id(one): one.arm_means() for one in measured}
        levels = {role: level_for(max(1, roles.count(role)), self.settings.alpha) for role in roles}
        levels["guardrail"] = 1 - self.settings.alpha
        references: list[Reference | None] = [None] * len(pairs)
        sequences: list[pd.DataFrame | None] = [None] * len(pairs)
        if self.looks is not None:
            for i, (one, arm) in enumerate(pairs):
                if not notes[i]:
                    sequences[i] = self._sequence(one, arm, levels[roles[i]])
            p = [math.nan if s is None else float(s["p_value"].iloc[-1]) for s in sequences]
        else:
            for i, (one, arm) in enumerate(pairs):
                if not notes[i]:
                    references[i] = self._reference(one, arm, levels[roles[i]])
            p = [
                math.nan
                if note
                else compare(one, means[id(one)], arm, 0.95, by_chance=by_chance)[0].p_value
                for (one, arm), note, by_chance in zip(pairs, notes, references, strict=True)
            ]
        p_values = np.array(p, dtype=np.float64)
        adjusted = self._adjusted(p_values, roles)
        if self.looks is None and "secondary" in roles:
            inside = np.array([role == "secondary" for role in roles])
            levels["secondary"] = selected_level(adjusted[inside], self.settings.alpha)
        rows = []
        for i, (one, arm) in enumerate(pairs):
            level = levels[roles[i]]
            reach = None
            if self.looks is not None:
                units = one.sizes()[arm] + one.sizes()[0]
                reach = reach_of(max(1, units), self._rho2(one, arm, level), 1 - level)
            row = _row(one, means[id(one)], arm, level, reach, notes[i], references[i])
            sequence = sequences[i]
            if sequence is not None:
                _widen(row, sequence)
            known = not notes[i] and math.isfinite(p_values[i])
            shown = known and adjusted[i] <= self.settings.alpha and roles[i] != "guardrail"
            row |= {"p_value": p_values[i], "p_adjusted": adjusted[i], "shown": shown}
            estimate, first = row["effect"], None
            if shown and sequence is not None:
                # What was shown was shown at a look: its sign counts, not that of the last one.
                enough = (sequence["p_value"] <= max(1 - level, p_values[i])).to_numpy()
                look = sequence.iloc[int(enough.argmax())]
                estimate, first = look["estimate"], look["at"]
            up = (estimate > 0) == (one.metric.better == "more")
            row |= {"verdict": ("better" if up else "worse") if shown else "", "shown_at": first}
            rows.append(row)
        told = [
            sequence.assign(metric=one.metric.name, arm=one.names[arm])
            for (one, arm), sequence, role in zip(pairs, sequences, roles, strict=True)
            if sequence is not None and role == "primary"
        ]
        return pd.DataFrame(rows), pd.concat(told, ignore_index=True) if told else pd.DataFrame()

    def _why_not(self, one: Measured, arm: int) -> Said:
        # A sequence trusts the spread of each arm; a single look has exact tests.
        note = one.why_not(arm, self.settings.min_units, apart=self.looks is not None)
        if note or one.covariates is None:
            return note
        p = cuped.balance(one.covariates, one.arms, one.strata)
        if p < self.settings.srm_threshold:
            return Said(
                f"not judged: its covariates differ between the arms (p = {p:.1g}); they are not "
                "from before the experiment, or the assignment failed",
                f"未评估：各组的协变量不同(p = {p:.1g})，说明它们并非实验前的数据，或分配出错",
            )
        return NOTHING_SAID

    def _adjusted(self, p: Floats, roles: Sequence[str]) -> Floats:
        found = p.copy()
        for role, correct in (("primary", holm), ("secondary", benjamini_hochberg)):
            inside = np.array([one == role for one in roles])
            found[inside] = correct(p[inside])
        return found

    def _rho2(self, one: Measured, arm: int, level: float) -> float:
        shares = self.experiment.shares
        pair = shares[one.names[arm]] + shares[one.names[0]]
        return mixture(self.plan * pair, 1 - level)

    def _sequence(self, one: Measured, arm: int, level: float) -> pd.DataFrame:
        looks, seen = [], []
        # Units only come, so what was enough stays enough; but a new stratum may lack an arm.
        enough, alone = False, not (one.strata != one.strata[:1]).any()
        for at, rows in self.looks or ():
            part = one.take(rows)
            if not (enough and alone):
                enough = not part.why_not(arm, self.settings.min_units, apart=True)
                if not enough:
                    continue
            means, sizes = part.arm_means(), part.sizes()
            found = difference(means[arm], means[0], level)
            looks.append(Look(at, sizes[arm] + sizes[0], found))
            seen.append(rows)
        rho2 = self._rho2(one, arm, level)
        exact = exact_p_values(one, arm, seen, self._probability(one, arm), rho2)
        return confidence_sequence(looks, rho2, 1 - level, exact)

    def _probability(self, one: Measured, arm: int) -> Floats:
        """Of every unit to be in this arm and not in the control."""
        found = np.empty(len(one.strata))
        for code in np.unique(one.strata):
            name = self.strata[int(code)] if self.strata else None
            shares = self.experiment.shares_of(name)
            mine, control = shares[one.names[arm]], shares[one.names[0]]
            found[one.strata == code] = mine / (mine + control)
        return found

    def _reference(self, one: Measured, arm: int, level: float) -> Reference | None:
        rng = source(self.experiment.salt, one.metric.name, one.names[arm])
        return reference_where_skewed(one, arm, needed(self.settings.n_permutations, level), rng)


def reference_where_skewed(
    one: Measured, arm: int, draws: int, rng: np.random.Generator
) -> Reference | None:
    """Draw the assignments of an arm and the control; None where their means are nearly normal."""
    return reference(one, arm, draws, rng) if one.skewed(arm) else None


def compare(
    one: Measured,
    means: Sequence[ArmMean],
    arm: int,
    level: float,
    reach: float | None = None,
    by_chance: Reference | None = None,
) -> tuple[Contrast, Contrast]:
    """Give the difference and the relative lift of an arm beside the control.

    ``reach``: errors that the intervals reach out, in place of a test for a single look.
    ``by_chance``: what such a test is judged by, in place of the usual distributions.
    """
    treated, control = means[arm], means[0]
    lift = relative_lift(treated, control, level, reach)
    found = difference(treated, control, level)
    if reach is None:
        if by_chance is not None:
            return by_chance.judge(found), by_chance.judge(lift)
        if one.plain:
            return proportions(one.counts(arm), one.counts(0), level), lift
        return found, lift
    ends = found.estimate - reach * found.error, found.estimate + reach * found.error
    return Contrast(found.estimate, found.error, *ends, math.nan, level), lift


def _row(
    one: Measured,
    means: Sequence[ArmMean],
    arm: int,
    level: float,
    reach: float | None,
    note: Said,
    by_chance: Reference | None,
) -> dict[str, Any]:
    metric, sizes = one.metric, one.sizes()
    row: dict[str, Any] = {"metric": metric.name, "metric_zh": metric.name_zh or metric.name}
    row |= {"metric_kind": metric.kind, "role": metric.role}
    row |= {"arm": one.names[arm], "control": one.names[0], "n": sizes[arm], "n_control": sizes[0]}
    row |= {"mean": means[arm].value, "mean_control": means[0].value}
    effect, lift = NOTHING, NOTHING
    if not note:
        effect, lift = compare(one, means, arm, level, reach, by_chance)
    row["test"] = _test(one, reach, by_chance) if not note else ""
    if not note and math.isnan(effect.lower):
        note = Said(
            "not judged: the values have no spread", "未评估：数值没有任何差异，无法估计误差"
        )
    row |= {"effect": effect.estimate, "effect_lower": effect.lower, "effect_upper": effect.upper}
    row |= {"effect_error": effect.error}
    row |= {"lift": lift.estimate, "lift_lower": lift.lower, "lift_upper": lift.upper}
    row |= {"level": level, "correction": CORRECTION[metric.role]}
    row |= {"variance_left": one.variance_left() if not note else math.nan}
    row |= {"normal_from": one.normal_from() if not note else math.nan}
    return row | {"kind": NumberKind.RANDOMISED.value, "note": note.en, "note_zh": note.zh}


def _test(one: Measured, reach: float | None, by_chance: Reference | None) -> str:
    if reach is not None:
        return "confidence sequence"
    if by_chance is not None:
        return "randomisation"
    return "score" if one.plain else "t"


def _widen(row: dict[str, Any], sequence: pd.DataFrame) -> None:
    """Let the intervals of a row, in place, reach 0 where the exact test has not ruled it out."""
    last = sequence.iloc[-1]
    if last["exact_p"] > 1 - row["level"]:
        for name in ("effect", "lift"):
            row[f"{name}_lower"] = min(row[f"{name}_lower"], 0.0)
            row[f"{name}_upper"] = max(row[f"{name}_upper"], 0.0)
