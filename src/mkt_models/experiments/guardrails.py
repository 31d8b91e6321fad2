"""Guardrails: is harm beyond a margin ruled out? (Non-inferiority.)

A guardrail that merely "shows no harm" is passed by any experiment that is small enough. Here it
passes only when its interval rules out a loss beyond the margin that was said before; it fails when
a loss beyond the margin is shown; between the two it is not evaluated, which is no pass. Every
guardrail has the whole level: all must pass, so that their number makes no pass more likely.
"""

import math

from mkt_models.columns import Verdict
from mkt_models.experiments.fixed_horizon import Contrast
from mkt_models.experiments.metrics import Metric
from mkt_models.experiments.said import NOTHING_SAID, Said


def margin_of(metric: Metric, default: float) -> float:
    """Give the loss that must be ruled out: a share of the control's mean, or in its unit."""
    return default if metric.margin is None else metric.margin


def guardrail(
    metric: Metric, effect: Contrast, lift: Contrast, margin: float, note: Said = NOTHING_SAID
) -> tuple[Verdict, Said]:
    """Judge one guardrail of one arm, and say why.

    Parameters
    ----------
    metric
        Whether more or less is better, and what the margin is of.
    effect, lift
        The comparison in the metric's unit, and relative to the control.
    margin
        The loss that must be ruled out, above 0.
    note
        Why the comparison must not be believed; empty when it may.

    """
    of_control = metric.margin_of == "control"
    used = lift if of_control else effect
    if note or not (math.isfinite(used.lower) and math.isfinite(used.upper)):
        return Verdict.NOT_EVALUATED, note or Said(
            "not judged: the control's mean is too near 0 for a share of it",
            "未评估：对照组均值过于接近 0，无法按比例判断",
        )
    # As a gain, whichever way is better.
    low, high = (used.lower, used.upper) if metric.better == "more" else (-used.upper, -used.lower)

    def told(value: float) -> str:
        return f"{value:+.2%}" if of_control else f"{value:+.4g}"

    ends = f"[{told(used.lower)}, {told(used.upper)}]"
    limit = f"{margin:.2%}" if of_control else f"{margin:.4g}"
    if low > -margin:
        said = Said(f"a loss beyond {limit} is ruled out", f"已排除超过 {limit} 的损失")
        verdict = Verdict.PASS
    elif high < -margin:
        said = Said(f"a loss beyond {limit} is shown", f"损失确实超过 {limit}")
        verdict = Verdict.FAIL
    else:
        said = Said(
            f"a loss beyond {limit} is neither shown nor ruled out",
            f"既未证实、也未排除超过 {limit} 的损失",
        )
        verdict = Verdict.NOT_EVALUATED
    return verdict, Said(f"{said.en}, {ends}", f"{said.zh}，{ends}")
