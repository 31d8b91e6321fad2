"""Does an effect differ between segments? Asked with care, since some segment always looks so.

Of twenty segments one "responds" by chance. A difference is claimed only where the segments were
declared before, and where a test of the *differences between* groups (Cochran's Q of the groups'
effects), corrected for every such test, says so; that one group shows an effect and another does
not, is no difference. What was not declared is shown as exploratory and claims nothing: it is a
question for the next experiment. Where the values are too skewed for the groups' sizes, chi-square
is too rough a judge of Q: assignments drawn again within the groups must agree.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import chdtrc

from mkt_models.columns import NOT_AVAILABLE
from mkt_models.evaluation.inputs import Floats
from mkt_models.experiment_params import Experiments
from mkt_models.experiments.comparison import compare, reference_where_skewed
from mkt_models.experiments.corrections import holm, level_for
from mkt_models.experiments.measured import Measured
from mkt_models.experiments.randomisation import needed, redrawn, source

Mask = npt.NDArray[np.bool_]

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
    if not (np.isfinite(effects).all() and np.isfinite(errors).all() and (errors > 0).all()):
        raise ValueError(
            "effects, errors: must be finite, and errors above 0; leave the others out"
        )
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
    settings: Experiments,
    salt: str,
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
    settings
        ``alpha``: chance of claiming any difference between declared segments where there is none;
        ``min_units`` that a group needs in either arm; ``n_permutations``.
    salt
        Makes what is drawn the same again.

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
                rows += _rows(one, arm, name, named, levels, settings, salt)
    table = pd.DataFrame(rows, columns=[c for c in COLUMNS if c not in _LATER])
    table["status"] = np.where(table["segment"].isin(list(declared)), DECLARED, EXPLORATORY)
    tests = table.drop_duplicates(["segment", "metric", "arm"]).copy()
    p = tests["interaction_p"].to_numpy(dtype=float)
    counted = np.where(tests["status"] == DECLARED, p, np.nan)
    adjusted = np.where(tests["status"] == DECLARED, holm(counted), holm(p))
    tests["interaction_adjusted"] = adjusted
    keys = ["segment", "metric", "arm"]
    table = table.merge(tests[[*keys, "interaction_adjusted"]], on=keys, how="left")
    table["differs"] = (table["status"] == DECLARED) & (
        table["interaction_adjusted"] <= settings.alpha
    )
    return table[COLUMNS]


_LATER = ("interaction_adjusted", "status", "differs")


def _rows(
    one: Measured,
    arm: int,
    name: str,
    groups: pd.Series,
    levels: Sequence[str],
    settings: Experiments,
    salt: str,
) -> list[dict[str, object]]:
    level = level_for(max(1, len(levels)), settings.alpha)
    draws = needed(settings.n_permutations, level)
    rows: list[dict[str, object]] = []
    effects, errors, judged, skewed = [], [], [], False
    for group in levels:
        inside = (groups == group).to_numpy(dtype=bool)
        part = one.take(inside)
        sizes = part.sizes()
        row: dict[str, object] = {"segment": name, "group": group}
        row |= {"metric": one.metric.name, "arm": one.names[arm]}
        row |= {"n": sizes[arm], "n_control": sizes[0], "level": level}
        row |= {"effect": np.nan, "effect_lower": np.nan, "effect_upper": np.nan}
        note = part.why_not(arm, settings.min_units)
        if not note:
            rng = source(salt, name, group, one.metric.name, one.names[arm])
            by_chance = reference_where_skewed(part, arm, draws, rng)
            found, _ = compare(part, part.arm_means(), arm, level, by_chance=by_chance)
            row |= {"effect": found.estimate}
            row |= {"effect_lower": found.lower, "effect_upper": found.upper}
            if found.error > 0:
                effects.append(found.estimate)
                errors.append(found.error)
                judged.append(inside)
                skewed = skewed or by_chance is not None
        rows.append(row | {"note": note.en})
    q, _, p = cochran(np.array(effects), np.array(errors))
    if skewed and len(judged) > 1:
        rng = source(salt, name, one.metric.name, one.names[arm])
        p = max(p, _by_chance(q, one, arm, judged, settings.n_permutations, rng))
    return [row | {"interaction_p": p} for row in rows]


def _by_chance(
    q: float,
    one: Measured,
    arm: int,
    groups: Sequence[Mask],
    draws: int,
    rng: np.random.Generator,
) -> float:
    """Give the chance of a Q as large, over assignments drawn again within groups and strata."""
    effects, variances = [], []
    for inside in groups:
        gaps, spread = redrawn(one.take(inside), arm, draws, rng)
        effects.append(gaps)
        variances.append(spread)
    effect, variance = np.stack(effects, axis=1), np.stack(variances, axis=1)
    sure = (variance > 0).all(axis=1)
    w = 1 / np.where(variance > 0, variance, 1.0)
    mean = (w * effect).sum(axis=1, keepdims=True) / w.sum(axis=1, keepdims=True)
    found = (w * (effect - mean) ** 2).sum(axis=1)  # NaN, and not sure, without a ratio
    # A group without any spread, which no assignment rules out, counts as beyond.
    as_far = (found >= q * (1 - 1e-9)) | ~sure
    return float((1 + as_far.sum()) / (draws + 1))
