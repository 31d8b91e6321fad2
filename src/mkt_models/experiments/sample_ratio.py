"""Sample ratio mismatch: have the arms the sizes that were assigned?

Where they have not, units were lost or counted in one arm more than in the other, and those that
are missing are seldom like the rest: no figure of such an experiment can be trusted, however large
its effect (Fabijan et al. 2019, "Diagnosing sample ratio mismatch"). The test is chi-square, over
all units and in every stratum, with a threshold so low that chance hardly ever trips it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
from scipy.special import chdtrc

from mkt_models.columns import Verdict
from mkt_models.experiments.assignment import Experiment
from mkt_models.experiments.checks import check_share
from mkt_models.experiments.corrections import holm
from mkt_models.experiments.said import Said

OVERALL = "all units"
# The chi-square distribution is too rough where fewer units than this are expected in an arm.
MIN_EXPECTED = 5.0


@dataclass(frozen=True)
class SampleRatio:
    """Whether the sizes of the arms are as assigned.

    Attributes
    ----------
    verdict
        PASS: as assigned; FAIL: a mismatch; NOT_EVALUATED: too few units to tell
    p_value
        the smallest, corrected for the number of tests; NaN when nothing was tested
    why
        in words
    table
        one row per stratum and one of all units: n, one column ``n_<arm>`` and one
        ``share_<arm>`` (assigned) per arm, chi2, dof, p_value

    """

    verdict: Verdict
    p_value: float
    why: Said
    table: pd.DataFrame


def mismatch(counts: Mapping[str, int], shares: Mapping[str, float]) -> tuple[float, int, float]:
    """Give chi-square, its degrees of freedom and the p-value of sizes beside their shares.

    All are NaN (dof 0) when an arm is expected to have fewer than five units.

    >>> chi2, dof, p = mismatch({"a": 600, "b": 400}, {"a": 0.5, "b": 0.5})
    >>> chi2, dof, f"{p:.3g}"
    (40.0, 1, '2.54e-10')
    """
    unknown = sorted(set(counts) - set(shares))
    if unknown:
        raise ValueError(f"arms {unknown} were not assigned; known: {', '.join(shares)}")
    for arm, n in counts.items():
        if not (math.isfinite(n) and n >= 0 and n == int(n)):
            raise ValueError(f"counts: {arm!r} has {n} units, must be a whole number >= 0")
    total = sum(counts.values())
    expected = {arm: share * total for arm, share in shares.items()}
    if min(expected.values()) < MIN_EXPECTED:
        return float("nan"), 0, float("nan")
    chi2 = sum((counts.get(arm, 0) - want) ** 2 / want for arm, want in expected.items())
    dof = len(shares) - 1
    return chi2, dof, float(chdtrc(dof, chi2))


def sample_ratio(
    units: pd.DataFrame,
    experiment: Experiment,
    threshold: float,
    *,
    arm: str = "arm",
    stratum: str | None = None,
) -> SampleRatio:
    """Test the sizes of the arms, over all units and in every stratum.

    Parameters
    ----------
    units
        One row per unit that was assigned, with its ``arm`` and, if asked, its ``stratum``. All
        of them: who was left out after the assignment is what the test looks for.
    experiment
        The assigned shares, by stratum where they differ.
    threshold
        A corrected p-value (Holm) below it is a mismatch.
    arm, stratum
        Columns.

    """
    check_share(threshold=threshold)
    parts: dict[str, pd.Series] = {OVERALL: units[arm]}
    if stratum is not None:
        parts |= {str(name): rows[arm] for name, rows in units.groupby(stratum, sort=True)}
    rows: list[dict[str, object]] = []
    for name, arms in parts.items():
        counts = {str(key): int(n) for key, n in arms.value_counts().items()}
        if name == OVERALL:
            shares = _overall_shares(units, experiment, stratum)
        else:
            shares = experiment.shares_of(name)
        chi2, dof, p = mismatch(counts, shares)
        row: dict[str, object] = {"stratum": name, "n": len(arms)}
        row |= {f"n_{key}": counts.get(key, 0) for key in shares}
        row |= {f"share_{key}": share for key, share in shares.items()}
        rows.append(row | {"chi2": chi2, "dof": dof, "p_value": p})
    table = pd.DataFrame(rows)
    tested = table[table["p_value"].notna()]
    if OVERALL not in set(tested["stratum"]):
        why = Said(
            f"too few units to tell whether the arms have the assigned sizes (n = {len(units):,})",
            f"样本太少，无法检验各组人数是否与分配比例相符(n = {len(units):,})",
        )
        return SampleRatio(Verdict.NOT_EVALUATED, float("nan"), why, table)
    corrected = holm(tested["p_value"].to_numpy(dtype=float))
    worst = int(corrected.argmin())
    p_value, found = float(corrected[worst]), tested.iloc[worst]
    bad = p_value < threshold
    sizes = ", ".join(
        f"{key} {found[f'n_{key}']:,} ({found[f'n_{key}'] / found['n']:.2%}, assigned "
        f"{found[f'share_{key}']:.2%})"
        for key in experiment.shares
    )
    sizes_zh = "，".join(
        f"{key} 组 {found[f'n_{key}']:,}({found[f'n_{key}'] / found['n']:.2%}，应为 "
        f"{found[f'share_{key}']:.2%})"
        for key in experiment.shares
    )
    where, limit = str(found["stratum"]), f"{threshold:g}"
    where_zh = "全部样本" if where == OVERALL else where
    why = Said(
        f"{where}: {sizes}; p = {p_value:.2g}, {'' if bad else 'not '}below {limit}",
        f"{where_zh}：{sizes_zh}；p = {p_value:.2g}，{'低于' if bad else '不低于'} {limit}",
    )
    return SampleRatio(Verdict.FAIL if bad else Verdict.PASS, p_value, why, table)


def _overall_shares(
    units: pd.DataFrame, experiment: Experiment, stratum: str | None
) -> dict[str, float]:
    """Shares that all units together should have: those of the strata, weighed by their units."""
    if stratum is None:
        if experiment.strata:
            raise ValueError(
                f"{experiment.name}: shares differ by stratum, so name the column of the stratum"
            )
        return dict(experiment.shares)
    sizes = units[stratum].value_counts()
    total = int(sizes.sum())
    return {
        arm: sum(int(n) / total * experiment.shares_of(str(name))[arm] for name, n in sizes.items())
        for arm in experiment.shares
    }
