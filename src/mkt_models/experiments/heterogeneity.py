"""Does an effect differ between segments? Asked with care, since some segment always looks so.

Of twenty segments one "responds" by chance. A difference is claimed only where the segments were
declared before, and where a test of the *differences between* groups (Cochran's Q of the groups'
effects), corrected for every such test, says so; that one group shows an effect and another does
not, is no difference. What was not declared is shown as exploratory and claims nothing: it is a
question for the next experiment.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from mkt_models.columns import NOT_AVAILABLE
from mkt_models.evaluation.inputs import Floats
from mkt_models.experiments.corrections import holm, level_for
from mkt_models.experiments.fixed_horizon import difference
from mkt_models.experiments.metrics import Measured

DECLARED, EXPLORATORY = "declared", "exploratory"
COLUMNS = [
    "segment",
    "group",
    "metric",
    "arm",
    "n",
    "n_control",
    "effect",
    "effect_lower",
    "effect_upper",
    "level",
    "interaction_p",
    "interaction_adjusted",
    "status",
    "differs",
    "note",
]


def cochran(effects: Floats, errors: Floats) -> tuple[float, int, float]:
    """Give Cochran's Q of independent effects, its degrees of freedom and p-value.

    Small where the effects differ by more than their errors (Cochran 1954).

    >>> q, dof, p = cochran(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    >>> q, dof, round(p, 4)
    (2.0, 1, 0.1573)
    """
    if len(effects) < 2:
        return float("nan"), 0, float("nan")
    weights = 1 / errors**2
    mean = float(weights @ effects / weights.sum())
    q = float(weights @ (effects - mean) ** 2)
    return q, len(effects) - 1, float(chdtrc(len(effects) - 1, q))


def segment_table(
    measured: Sequence[Measured],
    segments: Mapping[str, pd.Series],
    declared: Sequence[str],
    alpha: float,
    min_units: int,
) -> pd.DataFrame:
    """One row per segment, group, metric and treatment arm: the effect within the group.

    Parameters
    ----------
    measured
        Metrics of all units.
    segments
        Name to the group of every unit, known before the experiment; a null is a group of
        its own, "not available".
    declared
        The segments that were written down before the experiment; the others are exploratory.
    alpha
        Chance of claiming any difference between declared segments where there is none.
    min_units
        Units that a group needs in either arm.

    Returns
    -------
    DataFrame
        segment, group, metric, arm, n, n_control, ``effect`` with ends, level (widened for the
        groups of the segment), ``interaction_p`` (of the groups judged), ``interaction_adjusted``
        (Holm, over all declared tests; of exploratory ones over all tests), status (declared or
        exploratory), ``differs`` (a difference between the groups is shown), note

    """
    unknown = sorted(set(declared) - set(segments))
    if unknown:
        raise ValueError(f"declared: {unknown} are no segments; known: {', '.join(segments)}")
    rows: list[dict[str, object]] = []
    for one in measured:
        for name, groups in segments.items():
            named = groups.astype(object).where(groups.notna(), NOT_AVAILABLE).astype(str)
            levels = sorted(named.unique())
            for arm in range(1, len(one.names)):
                rows += _rows(one, arm, name, named, levels, alpha, min_units)
    table = pd.DataFrame(rows, columns=[c for c in COLUMNS if c not in _LATER])
    table["status"] = np.where(table["segment"].isin(list(declared)), DECLARED, EXPLORATORY)
    tests = table.drop_duplicates(["segment", "metric", "arm"]).copy()
    p = tests["interaction_p"].to_numpy(dtype=float)
    counted = np.where(tests["status"] == DECLARED, p, np.nan)
    adjusted = np.where(tests["status"] == DECLARED, holm(counted), holm(p))
    tests["interaction_adjusted"] = adjusted
    keys = ["segment", "metric", "arm"]
    table = table.merge(tests[[*keys, "interaction_adjusted"]], on=keys, how="left")
    table["differs"] = (table["status"] == DECLARED) & (table["interaction_adjusted"] <= alpha)
    return table[COLUMNS]


_LATER = ("interaction_adjusted", "status", "differs")


def _rows(
    one: Measured,
    arm: int,
    name: str,
    groups: pd.Series,
    levels: Sequence[str],
    alpha: float,
    min_units: int,
) -> list[dict[str, object]]:
    level = level_for(max(1, len(levels)), alpha)
    rows: list[dict[str, object]] = []
    effects, errors = [], []
    for group in levels:
        part = one.take((groups == group).to_numpy(dtype=bool))
        sizes = part.sizes()
        row: dict[str, object] = {"segment": name, "group": group}
        row |= {"metric": one.metric.name, "arm": one.names[arm]}
        row |= {"n": sizes[arm], "n_control": sizes[0], "level": level}
        row |= {"effect": np.nan, "effect_lower": np.nan, "effect_upper": np.nan}
        note = part.why_not(arm, min_units)
        if not note:
            means = part.arm_means()
            found = difference(means[arm], means[0], level)
            row |= {"effect": found.estimate}
            row |= {"effect_lower": found.lower, "effect_upper": found.upper}
            effects.append(found.estimate)
            errors.append(found.error)
        rows.append(row | {"note": note.en})
    p = cochran(np.array(effects), np.array(errors))[2]
    return [row | {"interaction_p": p} for row in rows]
