"""A trained model as it is used: features in, a calibrated number and its reasons out.

A :class:`Scorer` holds the trees, the names and the words of their features, and the calibration
of their margin. The notebooks score tables with it and the service scores single customers with
it, so that both give the same number. It needs numpy and xgboost, nothing else.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from mkt_models.columns import NOT_AVAILABLE, Model
from mkt_models.models.conformal import PredictionIntervals
from mkt_models.models.linear import Linear
from mkt_models.sections import nearest

Link = Literal["logistic", "log"]
Floats = npt.NDArray[np.floating[Any]]

_FLOAT32_MAX = float(np.finfo(np.float32).max)

# Units of counts, shares and days; only money may be below 0.
_NEVER_BELOW_0 = frozenset({"", "days", "share", "yes_no"})

# What a contribution does to the number, when it is below and above zero.
_EFFECTS = {
    Model.CHURN: (
        ("lowers the predicted churn risk", "降低预测的流失风险"),
        ("raises the predicted churn risk", "提高预测的流失风险"),
    ),
    Model.VALUE: (
        ("lowers the predicted spend", "降低预测的消费额"),
        ("raises the predicted spend", "提高预测的消费额"),
    ),
    Model.PROPENSITY: (
        ("lowers the predicted chance of redemption", "降低预测的核销概率"),
        ("raises the predicted chance of redemption", "提高预测的核销概率"),
    ),
}


class FeatureError(ValueError):
    """A feature that cannot be scored; ``feature`` is its name, the message says what to do."""

    def __init__(self, feature: str, message: str) -> None:
        """Keep the name of the feature beside the message."""
        super().__init__(message)
        self.feature = feature


@dataclass(frozen=True)
class Score:
    """One customer's number: a probability or an amount, why, and what was not known.

    ``ends`` are those of an amount's prediction interval, where the scorer has them.
    """

    value: float
    reasons: tuple[dict[str, Any], ...]
    missing: tuple[str, ...]
    ends: tuple[float, float] | None = None


@dataclass(frozen=True, eq=False)
class Scorer:
    """Boosted trees, alone or on top of a regression, with a calibrated link and words.

    Parameters
    ----------
    name
        What is predicted.
    booster
        The trees, over the columns ``features`` in that order.
    link
        ``logistic``: the number is a probability, sigmoid(intercept + slope x margin).
        ``log``: the number is an amount in currency units, exp(intercept + slope x margin).
    slope, intercept
        The calibration of the margin; 1 and 0 leave it as it is. The slope is above 0,
        so that calibration never changes an order.
    words
        Per feature ``{"en": ..., "zh": ..., "unit": ...}``: a noun phrase that a value can follow
        ("orders in the last 90 days", "近90天订单数"). Units: ``days``, ``share`` (0 to 1, shown
        in per cent), ``yes_no``, a currency code, or nothing for a count.
    version
        The version in the registry; empty until the scorer is saved.
    linear
        The regression whose margin the trees were trained on, or None; the margins add up.
    intervals
        Between which amounts a customer's own number lies; None for probabilities, and for
        amounts learnt from few rows.

    Raises
    ------
    ValueError
        When features, words and trees do not fit each other, or the calibration is no calibration.

    """

    name: Model
    booster: xgb.Booster
    features: tuple[str, ...]
    link: Link
    words: Mapping[str, Mapping[str, str]]
    slope: float = 1.0
    intercept: float = 0.0
    version: str = ""
    linear: Linear | None = None
    intervals: PredictionIntervals | None = None

    def __post_init__(self) -> None:
        """Refuse parts that do not fit each other."""
        if len(set(self.features)) != len(self.features):
            raise ValueError("features: a name stands twice")
        if self.booster.num_features() != len(self.features):
            raise ValueError(
                f"{len(self.features)} features for trees of {self.booster.num_features()} columns"
            )
        if self.booster.feature_names not in (None, list(self.features)):
            raise ValueError("features: other names, or another order, than the trees were given")
        if self.linear is not None and len(self.linear.weights) != len(self.features):
            raise ValueError(
                f"{len(self.features)} features for a regression of {len(self.linear.weights)}"
            )
        if self.link not in ("logistic", "log"):
            raise ValueError(f"link == {self.link!r}, must be 'logistic' or 'log'")
        if not (math.isfinite(self.slope) and self.slope > 0 and math.isfinite(self.intercept)):
            raise ValueError(
                f"slope == {self.slope}, intercept == {self.intercept}: "
                "must be finite, and the slope > 0"
            )
        if self.intervals is not None and self.link != "log":
            raise ValueError("intervals are for amounts; a probability is itself a chance")
        wordless = [f for f in self.features if not {"en", "zh"} <= set(self.words.get(f, {}))]
        if wordless:
            raise ValueError(f"words: none in English and Chinese for {', '.join(wordless)}")

    @property
    def tag(self) -> str:
        """How an answer names the model: ``churn:1f0c…``, or ``churn:unsaved``."""
        return f"{self.name.value}:{self.version or 'unsaved'}"

    def with_version(self, version: str) -> "Scorer":
        """The same scorer under the version that the registry gave it."""
        return replace(self, version=version)

    def predict(self, matrix: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Score a table: n rows x features in, n probabilities or amounts out; NaN is missing."""
        table = self._table(matrix)
        margin = raw_margin(self.booster, self.linear, table)
        return self._answer(self.intercept + self.slope * margin)

    def interval(self, matrix: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], ...] | None:
        """Lower and upper end of every row's number, as often within as the intervals say."""
        return None if self.intervals is None else self.intervals.around(self.predict(matrix))

    def contributions(self, matrix: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Shapley values of every row on the calibrated log-odds or log scale.

        n rows x (features + 1): the last column is the base, and a row's sum is the calibrated
        margin, so that ``link(sum)`` is the prediction. They explain the model, not the world.
        """
        table = self._table(matrix)
        raw = self.booster.predict(self._dmatrix(table), pred_contribs=True)
        parts = np.asarray(raw, dtype=np.float64)
        if self.linear is not None:
            parts += self.linear.contributions(table)
        out: npt.NDArray[np.float64] = self.slope * parts
        out[:, -1] += self.intercept
        return out

    def reasons(self, matrix: npt.ArrayLike, top: int = 3) -> list[list[dict[str, Any]]]:
        """Say in words what moved each row's number most, strongest first.

        Per row at most ``top`` dicts: feature, value (None when missing), contribution (on the
        calibrated log-odds or log scale), and a sentence in English (en) and Chinese (zh).
        """
        table = self._table(matrix)
        return self._reasons(table, self.contributions(table), top)

    def row(
        self, features: Mapping[str, float | None]
    ) -> tuple[npt.NDArray[np.float32], list[str]]:
        """One row of the table from named values, and the names that had no value.

        Raises
        ------
        FeatureError
            When a name is no feature of this model, a value is no finite number, or below 0 where
            a count, a share, or a number of days is asked, or no value is given at all.

        """
        for name, value in features.items():
            if name not in self.features:
                raise FeatureError(
                    name, f"{name!r} is no feature of {self.tag}{nearest(name, self.features)}"
                )
            if value is not None and not _scorable(value):
                raise FeatureError(name, f"{name} must be a finite number, or null when missing")
            if (
                value is not None
                and value < 0
                and self.words[name].get("unit", "") in _NEVER_BELOW_0
            ):
                raise FeatureError(name, f"{name} must be 0 or more: {self.words[name]['en']}")
        missing = [name for name in self.features if features.get(name) is None]
        if len(missing) == len(self.features):
            raise FeatureError("features", "give at least one feature with a value")
        values = [features.get(name) for name in self.features]
        filled = [math.nan if value is None else value for value in values]
        return np.array([filled], dtype=np.float32), missing

    def score_row(self, features: Mapping[str, float | None], top: int = 3) -> Score:
        """Score one customer from named values; names that are left out count as missing."""
        matrix, missing = self.row(features)
        parts = self.contributions(matrix)
        value = float(self.predict(matrix)[0])
        around = self.interval(matrix)
        ends = None if around is None else (float(around[0][0]), float(around[1][0]))
        return Score(value, tuple(self._reasons(matrix, parts, top)[0]), tuple(missing), ends)

    def _reasons(self, table: Floats, parts: Floats, top: int) -> list[list[dict[str, Any]]]:
        strengths = np.abs(parts[:, :-1])
        order = np.argsort(-strengths, axis=1, kind="stable")[:, :top]
        return [
            [
                self._reason(self.features[i], table[row, i], float(parts[row, i]))
                for i in order[row]
                if strengths[row, i] > 0
            ]
            for row in range(len(table))
        ]

    def _reason(self, feature: str, cell: np.floating[Any], contribution: float) -> dict[str, Any]:
        value = None if np.isnan(cell) else _plain(cell)
        words = self.words[feature]
        effect_en, effect_zh = _EFFECTS[self.name][contribution > 0]
        shown_en, shown_zh = _shown(value, words.get("unit", ""))
        return {
            "feature": feature,
            "value": value,
            "contribution": round(contribution, 4),
            "en": f"{words['en']}: {shown_en}; {effect_en}",
            "zh": f"{words['zh']}：{shown_zh}，{effect_zh}",
        }

    def _answer(self, margin: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if self.link == "log":
            return np.asarray(np.exp(margin))
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * margin)))  # the sigmoid that never overflows

    def _table(self, matrix: npt.ArrayLike) -> npt.NDArray[np.float32]:
        table = np.ascontiguousarray(matrix, dtype=np.float32)
        if table.ndim != 2 or table.shape[1] != len(self.features):
            raise ValueError(
                f"matrix of shape {table.shape}, must be rows x {len(self.features)} features"
            )
        # Trees would take infinity for a very large number, and score it without a word.
        if np.isinf(table).any():
            name = self.features[int(np.argmax(np.isinf(table).any(axis=0)))]
            raise FeatureError(name, f"{name} must be a finite number, or missing")
        return table

    def _dmatrix(self, table: npt.NDArray[np.float32]) -> xgb.DMatrix:
        names: Sequence[str] | None = self.booster.feature_names
        return xgb.DMatrix(table, missing=math.nan, feature_names=names, nthread=1)


def raw_margin(
    booster: xgb.Booster, linear: Linear | None, table: Floats
) -> npt.NDArray[np.float64]:
    """Margin of every row before calibration: of the trees, and of what they start from."""
    trees = booster.inplace_predict(table, predict_type="margin", missing=math.nan)
    margin = np.asarray(trees, dtype=np.float64)
    return margin if linear is None else margin + linear.margin(table)


def _scorable(value: Any) -> bool:
    number = isinstance(value, int | float | np.integer | np.floating)
    if not number or isinstance(value, bool):
        return False
    return bool(abs(value) < _FLOAT32_MAX)  # false for NaN and infinity too


def _plain(cell: np.floating[Any]) -> int | float:
    # the shortest decimal of the stored float32: 0.1 and not 0.10000000149
    value = float(str(np.float32(cell)))
    return int(value) if value.is_integer() else value


def _shown(value: int | float | None, unit: str) -> tuple[str, str]:
    """A value with its unit, in English and in Chinese."""
    if value is None:
        return NOT_AVAILABLE, "暂无数据"
    if unit == "share":
        return f"{value:.0%}", f"{value:.0%}"
    if unit == "yes_no":
        return ("yes", "是") if value else ("no", "否")
    number = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
    if unit == "days":
        return f"{number} {'day' if value == 1 else 'days'}", f"{number}天"
    return (f"{number} {unit}".strip(),) * 2
