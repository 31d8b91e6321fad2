"""Is one model better than another? The paired difference of a metric on the same rows.

Both models predict the same rows, and one draw of customers weighs both, so that what they share
cancels out. Rows whose labels one of them was trained on must be left out by the caller.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.evaluation.headline import LESS_IS_BETTER
from mkt_models.evaluation.inputs import Kind
from mkt_models.evaluation.performance import (
    CLASSIFICATION_METRICS,
    REGRESSION_METRICS,
    classification_table,
    regression_table,
)
from mkt_models.sections import nearest

NO_ROW = ("no row that neither was trained on", "没有双方都未学习过的样本")
UNDEFINED = ("undefined in too many draws", "过多的抽样中无定义")


@dataclass(frozen=True)
class Comparison:
    """By how much the challenger is better, in the unit of the metric; above 0 it is better.

    ``gain`` is the challenger's metric minus the champion's, turned round where less is better.
    ``note`` says why there is none; all numbers are NaN then. ``basis`` says on what they were
    compared. Both are there in Chinese too, as far as they have been put into it.
    """

    metric: str
    n: int
    n_customers: int
    challenger: float = np.nan
    champion: float = np.nan
    gain: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    note: str = ""
    basis: str = ""
    note_zh: str = ""
    basis_zh: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers that no comparison can have."""
        if not 0 <= self.n_customers <= self.n:
            raise ValueError(
                f"n == {self.n}, n_customers == {self.n_customers}: must be 0 or more, and no more "
                "customers than rows"
            )
        gap = (self.gain, self.lower, self.upper)
        if np.isnan(gap).all():
            return
        if not np.isfinite((*gap, self.challenger, self.champion)).all():
            raise ValueError(
                f"gain {self.gain} [{self.lower}, {self.upper}] of {self.challenger} over "
                f"{self.champion}: all must be finite, or the gain and both its ends NaN"
            )
        if self.lower > self.upper:
            raise ValueError(f"lower == {self.lower}, must be <= upper == {self.upper}")

    @property
    def better(self) -> bool:
        """Whether the interval excludes zero, and zero lies below it."""
        return bool(self.lower > 0)

    @property
    def words(self) -> str:
        """The gain with its interval and n, or why there is none.

        >>> Comparison("auc", 900, 300, 0.8, 0.79, 0.01, 0.002, 0.018).words
        'auc 0.8 against 0.79, gain +0.01 [+0.002, +0.018], n = 900'
        """
        if not np.isfinite(self.gain):
            return f"not comparable: {self.note or UNDEFINED[0]}"
        numbers = f"{self.challenger:.4g} against {self.champion:.4g}, gain {self.gain:+.3g}"
        told = f"{self.metric} {numbers} [{self.lower:+.3g}, {self.upper:+.3g}], n = {self.n:,}"
        return f"{told} ({self.basis})" if self.basis else told

    @property
    def words_zh(self) -> str:
        """The same in Chinese."""
        if not np.isfinite(self.gain):
            return f"无法比较（{self.note_zh or self.note or UNDEFINED[1]}）"
        numbers = (
            f"{self.metric} {self.challenger:.4g} 对 {self.champion:.4g}，改善 {self.gain:+.3g}"
        )
        told = f"{numbers} [{self.lower:+.3g}, {self.upper:+.3g}]，n = {self.n:,}"
        return f"{told}（{self.basis_zh}）" if self.basis_zh else told

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; a number that is not known is None."""
        return {
            name: None if isinstance(value, float) and not np.isfinite(value) else value
            for name, value in vars(self).items()
        }


def compare(
    predictions: pd.DataFrame,
    challenger: str,
    champion: str,
    metric: str,
    kind: Kind,
    n_bootstrap: int,
    confidence: float,
    seed: int,
    basis: str = "",
    basis_zh: str = "",
) -> Comparison:
    """Compare two columns of predictions by one metric, with an interval over customers.

    Parameters
    ----------
    predictions
        Any grain: ``customer_id``, ``target`` and the two columns. No rows at all are no error:
        nothing is compared then, and the note says so.
    metric
        One of those of :mod:`mkt_models.evaluation.performance` for this kind.
    basis, basis_zh
        On what rows they are compared, in English and Chinese.
    n_bootstrap, confidence, seed
        Draws of customers, level of the percentile interval, seed of the draws.

    Raises ValueError for a kind or a metric that is not known, and for columns that lack.

    """
    if kind not in ("classification", "regression"):
        raise ValueError(f"kind == {kind!r}, must be 'classification' or 'regression'")
    known = CLASSIFICATION_METRICS if kind == "classification" else REGRESSION_METRICS
    if metric not in known:
        raise ValueError(
            f"metric == {metric!r}{nearest(metric, known)}; of a {kind}: {', '.join(known)}"
        )
    on: dict[str, Any] = {"basis": basis, "basis_zh": basis_zh}
    if predictions.empty:
        return Comparison(metric, 0, 0, note=NO_ROW[0], note_zh=NO_ROW[1], **on)
    table = classification_table if kind == "classification" else regression_table
    found = table(
        predictions, [champion, challenger], n_bootstrap, confidence, seed, reference=champion
    )
    other, mine = found.to_dict("records")
    n, customers = int(mine["n"]), int(mine["n_customers"])
    gap = [float(mine[f"{metric}_difference{end}"]) for end in ("", "_lower", "_upper")]
    if not np.isfinite(gap).all():
        notes = dict.fromkeys([str(mine["note"]), str(other["note"])])
        note = "; ".join(filter(None, notes))
        note_zh = "" if note else UNDEFINED[1]
        return Comparison(metric, n, customers, note=note or UNDEFINED[0], note_zh=note_zh, **on)
    gain, lower, upper = gap if metric not in LESS_IS_BETTER else (-gap[0], -gap[2], -gap[1])
    values = (float(mine[metric]), float(other[metric]))
    return Comparison(metric, n, customers, *values, gain, lower, upper, **on)
