"""The model card: what a model was made of, how good it is, what it is for, and its status.

A card has two parts. The **facts** never change: they are hashed together with the model's files
into its version. The **standing** is what was decided about it later: audit, calibration,
comparison, status. Figures have eight significant digits, so that sums in another order do not make
another version. The service reads cards; so this needs pydantic and nothing else of the workflow.
"""

import math
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mkt_models.columns import Model, ModelStatus, NumberKind, Verdict
from mkt_models.sections import Section

DIGITS = 8


def significant(value: Any, digits: int = DIGITS) -> float | None:
    """Round to so many significant digits; what is missing or not finite is None.

    >>> significant(123.4567891234), significant(float("nan")), significant(0)
    (123.45679, None, 0.0)
    """
    number = math.nan if value is None else float(value)
    return float(f"{number:.{digits}g}") if math.isfinite(number) else None


Number = Annotated[float | None, BeforeValidator(significant)]


def rounded(value: Any) -> Any:
    """Round every float in plain data; other values stay, dates become text, tuples lists."""
    if isinstance(value, Mapping):
        return {str(key): rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    return significant(value) if isinstance(value, float) else str(value)


def in_both(value: Any) -> Any:
    """Read words that a card of before kept in English alone."""
    return {"en": value, "zh": value} if isinstance(value, str) else value


Plain = Annotated[dict[str, Any], BeforeValidator(rounded)]


class Words(Section):
    """A sentence in English and Chinese."""

    en: str
    zh: str


Both = Annotated[Words, BeforeValidator(in_both)]


class Question(Section):
    """What is predicted. Versions that answer different questions cannot stand for each other."""

    en: str
    zh: str
    unit: str = Field(description="probability, or a currency code")
    horizon_days: int | None = Field(default=None, description="None: as long as a campaign runs")
    active_days: int | None = Field(default=None, description="customers with an order since")

    def same_as(self, other: "Question") -> bool:
        """Whether two versions answer the same question; the words may differ."""
        left, right = (q.model_dump(exclude={"en", "zh"}) for q in (self, other))
        return left == right


class Trained(Section):
    """The rows that a model was trained on."""

    source: str
    data_hash: str
    rows: int
    customers: int
    positives: int | None = Field(description="rows with the outcome; None for amounts")
    first: date = Field(description="first cutoff, or first day of the first campaign")
    last: date = Field(description="last cutoff, or first day of the last campaign")
    labels_until: date = Field(description="the first day that no label has seen")


class Feature(Section):
    """A feature and its meaning."""

    name: str
    en: str
    zh: str
    unit: str = ""
    definition: str = Field(default="", description="changes when the SQL of the feature changes")


class Figure(Section):
    """A metric of the model or of a peer, on the test rows."""

    of: str
    metric: str
    value: Number
    lower: Number
    upper: Number
    n: int
    n_customers: int
    kind: NumberKind = NumberKind.BACKTESTED
    difference: Number = Field(default=None, description="to the model, paired; None for itself")
    difference_lower: Number = None
    difference_upper: Number = None


class Facts(Section):
    """What never changes about a version of a model."""

    model: Model
    question: Question
    intended: tuple[Words, ...]
    not_intended: tuple[Words, ...]
    trained: Trained
    features: tuple[Feature, ...]
    parameters: Plain
    metric: str = Field(description="by which versions are compared")
    tested: tuple[date, ...] = Field(
        default=(), description="the days on which the backtest predicted; none in older cards"
    )
    figures: tuple[Figure, ...]
    limits: tuple[Words, ...]


class Group(Section):
    """A group that is large enough to show, and what the audit found of it."""

    attribute: str
    group: str
    n_customers: int
    calibration_gap: Number
    lower: Number
    upper: Number
    selection_ratio: Number = None
    judged: bool
    finding: str = ""


class Mover(Section):
    """A feature and its share in what moves the predictions (mean absolute SHAP value)."""

    feature: str
    en: str
    zh: str
    share: Number
    n: int | None = Field(default=None, description="predictions explained; older cards: None")


class Standing(Section):
    """What has been decided about a version, and on what grounds."""

    status: ModelStatus = ModelStatus.CANDIDATE
    reason: Words = Words(en="trained, not judged yet", zh="已训练，尚未评审")
    decided_at: str | None = Field(default=None, description="ISO 8601, UTC")
    verdict: Verdict = Verdict.NOT_EVALUATED
    verdict_reasons: tuple[Both, ...] = ()
    groups: tuple[Group, ...] = ()
    movers: tuple[Mover, ...] = ()
    calibration: Plain | None = None
    champion: str | None = Field(default=None, description="the version it was compared with")
    comparison: Plain | None = None


class ModelCard(Section):
    """The whole card of one version.

    ``signature`` is the SHA-256 of the model's files and facts; the version is its beginning.
    """

    version: str
    signature: str
    facts: Facts
    standing: Standing = Standing()

    @property
    def tag(self) -> str:
        """How answers name the version: ``churn:1f0c…``."""
        return f"{self.facts.model.value}:{self.version}"

    @property
    def released(self) -> bool:
        """Whether this version may be served."""
        return self.standing.status is ModelStatus.RELEASED

    def as_dict(self) -> dict[str, Any]:
        """The card as JSON-able values."""
        return self.model_dump(mode="json")
