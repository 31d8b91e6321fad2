"""The catalogue of tags: what a tag is called, whom it is for, and how strong it is.

``params/tags.yaml`` holds the choices and is made to be edited; this module holds their meaning,
and refuses what cannot be: an unknown column, a comparison that does not fit, a threshold that
nobody can reach, a missing language, a sensitive column without a reason, a guess at somebody's
private life. :mod:`mkt_models.profiles.tags` applies it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StrictFloat, StrictInt, StrictStr, model_validator

from mkt_models.columns import SENSITIVE, Dimension, Habit, PurchasingPower, Tier
from mkt_models.loading import read_yaml, validate
from mkt_models.profiles.described import PROFILE_COLUMNS, ProfileColumn
from mkt_models.profiles.interests_named import Interest
from mkt_models.profiles.measures import catalogue
from mkt_models.sections import Section, Share, nearest

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")]
Why = Annotated[str, Field(min_length=20)]
Op = Literal["==", "!=", ">", ">=", "<", "<=", "in", "not_in", "has"]
Scalar = StrictInt | StrictFloat | StrictStr

# The columns that a family may set: the labels are the column's values.
SETS: Mapping[str, tuple[str, ...]] = {
    "spending_habit": tuple(value.value for value in Habit),
    "value_tier": tuple(value.value for value in Tier),
    "purchasing_power": tuple(value.value for value in PurchasingPower),
}
# What a tag's own block adds to the columns that its conditions may ask.
INDEX, POINTS, SHARE = "index", "interest_points", "interest_share"
_OWN: Mapping[str, ProfileColumn] = {
    INDEX: ProfileColumn("number", ("the tag's index", "标签指数"), unit="share"),
    POINTS: ProfileColumn("number", ("points of the interest", "兴趣积分"), unit="points"),
    SHARE: ProfileColumn("number", ("share of the interest", "兴趣占比"), unit="share"),
}
_SET_LATER = (*SETS, "interest_tags", "behaviour_tags", "social_tags")
COLUMNS: Mapping[str, ProfileColumn] = {
    **{name: ProfileColumn("number", (m.en, m.zh), unit=m.unit) for name, m in catalogue().items()},
    **{name: column for name, column in PROFILE_COLUMNS.items() if name not in _SET_LATER},
}
"""What a condition may ask: the features, and the profile's columns that are no tags."""

# Words that tell of a family, a body or a faith: never a sign for a tag that others see.
PRIVATE_WORDS = (
    "baby", "infant", "diaper", "nappy", "nappies", "stroller", "nursing", "matern", "parent",
    "pregnan", "contracept", "condom", "kosher", "halal", "medic", "diabet", "incontinen",
    "menstru", "feminine", "cold and flu", "cough", "wine", "liquor", "beer", "tobacco", "cigar",
)  # fmt: skip
# What a customer says openly; all that a private tag may rest on.
DECLARED = ("followed_topics", POINTS, SHARE)
_OPS: Mapping[str, tuple[Op, ...]] = {
    "number": ("==", "!=", ">", ">=", "<", "<="),
    "text": ("==", "!=", "in", "not_in"),
    "list": ("has",),
}


class Names(Section):
    """A name in English and Chinese."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class Condition(Section):
    """One condition on one column; the threshold is a value, or a quantile of the customers."""

    column: str
    op: Op
    value: Scalar | tuple[Scalar, ...] | None = None
    quantile: Share | None = Field(
        default=None,
        description="a place among the customers whose value is known: the share of those below, "
        "and half of those alike",
    )
    if_available: bool = Field(
        default=False, description="true: where the source has no such data, it asks nothing"
    )

    @property
    def described(self) -> ProfileColumn:
        """What the column is."""
        return _OWN[self.column] if self.column in _OWN else COLUMNS[self.column]

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if self.column not in COLUMNS and self.column not in _OWN:
            near = nearest(self.column, [*COLUMNS, *_OWN])
            raise ValueError(f"{self.column!r} is no column of the profile and no feature{near}")
        column = self.described
        if self.op not in _OPS[column.kind]:
            raise ValueError(
                f"{self.column} is a {column.kind}: {self.op!r} does not apply, "
                f"use one of {', '.join(_OPS[column.kind])}"
            )
        if (self.value is None) == (self.quantile is None):
            raise ValueError(f"{self.column} {self.op}: give either value or quantile")
        if self.quantile is not None:
            if column.kind != "number" or self.op not in (">", ">=", "<", "<="):
                raise ValueError(f"{self.column} {self.op}: a quantile goes with >, >=, < and <=")
            return self
        if (self.op in ("in", "not_in")) != isinstance(self.value, tuple):
            raise ValueError(f"{self.column} {self.op}: give a list for in and not_in, only then")
        self._values_can_be(column)
        return self

    def _values_can_be(self, column: ProfileColumn) -> None:
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        for value in values:
            if not isinstance(value, float | int if column.kind == "number" else str):
                raise ValueError(
                    f"{self.column} is compared with {value!r}, must be a {column.kind}"
                )
            if column.values and value not in column.values:
                near = nearest(str(value), column.values)
                raise ValueError(f"{value!r} is no value of {self.column}{near}")
            if isinstance(value, float | int):
                _within_reach(self.column, column.unit, self.op, float(value))


class Strength(Section):
    """How strong a tag is, in (0, 1].

    ``rank``: the mean, over the numbers asked (or those named in ``columns``), of the share of
    customers that are less so. ``fixed``: a number, for what is so or is not.
    """

    by: Literal["rank", "fixed"] = "rank"
    columns: tuple[str, ...] = ()
    value: float = Field(default=1.0, gt=0, le=1)


class InterestWords(Section):
    """What an interest is told by."""

    words: tuple[Annotated[str, Field(min_length=3)], ...] = Field(
        default=(), description="in a category or a product type, in any case"
    )
    topics: tuple[str, ...] = Field(default=(), description="topics on social media")


class AllowedSensitive(Section):
    """A sensitive column that a tag may rest on all the same, and why that is right."""

    column: str
    reason: Why


class Tag(Section):
    """One tag: whoever meets all conditions has it, unless an earlier one of the family decides."""

    id: Identifier
    label: str = Field(default="", description="value of the column that the family sets")
    name: Names
    index: dict[str, Literal["more", "less"]] = Field(
        default_factory=dict,
        description="columns whose ranks are averaged into `index`; less: the lower the stronger",
    )
    interest: InterestWords | None = None
    conditions: tuple[Condition, ...] = ()
    min_orders: int = Field(default=0, ge=0, description="orders in 365 days, at least")
    evidence: tuple[str, ...] = Field(
        default=(), description="columns shown as evidence beside those that are asked"
    )
    strength: Strength = Field(default_factory=Strength)
    private: bool = Field(default=False, description="kept as a fact, shown to nobody by default")
    reason: str = Field(default="", description="why a private tag is kept")
    allow_sensitive: tuple[AllowedSensitive, ...] = ()

    @property
    def version(self) -> str:
        """Eight hex digits that change when the tag's rule changes."""
        rule = self.model_dump_json(exclude={"name", "reason"})
        return hashlib.sha256(rule.encode()).hexdigest()[:8]

    @model_validator(mode="after")
    def _rests_on_something(self) -> Self:
        asked = {condition.column for condition in self.conditions}
        for name in self.index:
            column = COLUMNS.get(name)
            if column is None or column.kind != "number":
                near = nearest(name, [n for n, c in COLUMNS.items() if c.kind == "number"])
                raise ValueError(f"index: {name!r} is no number of the profile or feature{near}")
        if (INDEX in asked) != bool(self.index):
            raise ValueError("index: give the columns when a condition asks it, and only then")
        if bool(asked & {POINTS, SHARE}) != (self.interest is not None):
            raise ValueError(f"interest: give it when {POINTS} or {SHARE} is asked, and only then")
        if self.interest and not (self.interest.words or self.interest.topics):
            raise ValueError("interest: give words or topics")
        for name in self.evidence:
            if name not in COLUMNS:
                raise ValueError(f"evidence: {name!r} is no column{nearest(name, COLUMNS)}")
        for name in self.strength.columns:
            if name not in asked:
                raise ValueError(f"strength: {name!r} is not asked{nearest(name, asked)}")
        return self

    @model_validator(mode="after")
    def _somebody_can_have_it(self) -> Self:
        for name in {condition.column for condition in self.conditions}:
            for kind in ("value", "quantile"):
                low, high, strict = float("-inf"), float("inf"), False
                for c in (c for c in self.conditions if c.column == name):
                    at = getattr(c, kind)
                    if not isinstance(at, float | int):
                        continue
                    if c.op in (">", ">=", "=="):
                        low, strict = max(low, at), strict or c.op == ">"
                    if c.op in ("<", "<=", "=="):
                        high, strict = min(high, at), strict or c.op == "<"
                if low > high or (low == high and strict):
                    raise ValueError(f"nobody can have it: {name} above {low} and below {high}")
        return self

    @model_validator(mode="after")
    def _guards_what_is_private(self) -> Self:
        used = {c.column for c in self.conditions} | set(self.index) | set(self.evidence)
        allowed = {entry.column for entry in self.allow_sensitive}
        for name in sorted((used & set(SENSITIVE)) - allowed):
            raise ValueError(
                f"{name!r} is a sensitive column; remove the condition, or give allow_sensitive "
                "with this column and a reason"
            )
        for name in sorted(allowed - (used & set(SENSITIVE))):
            raise ValueError(f"allow_sensitive names {name!r}, which nothing uses or is not needed")
        words = self.interest.words if self.interest else ()
        topics = self.interest.topics if self.interest and not self.private else ()
        told = [w for w in (*words, *topics) if any(p in w.lower() for p in PRIVATE_WORDS)]
        if told:
            raise ValueError(
                f"interest: {told[0]!r} makes us guess at a person's private life from what "
                "they buy; use topics that they follow, in a private tag"
            )
        if self.private and (words or used - set(DECLARED)):
            raise ValueError(
                "a private tag rests only on what customers say openly: topics, and "
                f"{', '.join(DECLARED)}"
            )
        if self.private and len(self.reason) < 20:
            raise ValueError("a private tag needs a reason of at least 20 characters")
        return self


class Family(Section):
    """Tags of one subject.

    ``exactly_one``: the first tag of the list whose conditions hold, and the last is for the rest;
    ``at_most_one``: the first whose conditions hold, if any; ``any``: all that hold.
    """

    id: Identifier
    dimension: Dimension
    name: Names
    choose: Literal["exactly_one", "at_most_one", "any"]
    sets: str | None = Field(default=None, description="column of the profile that it fills")
    tags: tuple[Tag, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.choose == "exactly_one" and (self.tags[-1].conditions or self.tags[-1].min_orders):
            raise ValueError(
                f"exactly_one: the last tag, {self.tags[-1].id!r}, must have no conditions, so "
                "that everybody has one"
            )
        for tag in self.tags[:-1] if self.choose == "exactly_one" else self.tags:
            if not tag.conditions:
                raise ValueError(f"{tag.id!r} has no conditions: everybody would have it")
        if self.sets is None:
            return self
        if self.sets not in SETS:
            near = nearest(self.sets, SETS)
            raise ValueError(f"sets == {self.sets!r}, must be one of {', '.join(SETS)}{near}")
        if self.choose == "any":
            raise ValueError(f"a family that sets {self.sets} must choose one tag")
        for tag in self.tags:
            if tag.label not in SETS[self.sets]:
                near = nearest(tag.label, SETS[self.sets])
                raise ValueError(
                    f"{tag.id}: label == {tag.label!r} is no value of {self.sets}{near}; known: "
                    f"{', '.join(SETS[self.sets])}"
                )
        return self


class TagCatalogue(Section):
    """All families of tags."""

    families: tuple[Family, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_name_stands_twice(self) -> Self:
        ids = [tag.id for family in self.families for tag in family.tags]
        groups = [family.id for family in self.families]
        for name in (*ids, *groups):
            if ids.count(name) > 1 or groups.count(name) > 1:
                raise ValueError(f"families: the id {name!r} is taken twice")
        filled = [family.sets for family in self.families if family.sets]
        for column in SETS:
            if filled.count(column) != 1:
                raise ValueError(
                    f"families: {column} is set by {filled.count(column)} families, must be one"
                )
        return self

    @property
    def digest(self) -> str:
        """Twelve hex digits that change when anything in the catalogue changes."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:12]

    def tags(self) -> Mapping[str, tuple[Family, Tag]]:
        """Every tag with its family, by id."""
        return {tag.id: (family, tag) for family in self.families for tag in family.tags}

    def interests(self) -> tuple[Interest, ...]:
        """What the interests by name are told by."""
        return tuple(
            Interest(tag.id, tag.interest.words, tag.interest.topics)
            for family in self.families
            for tag in family.tags
            if tag.interest is not None
        )


def load_tag_catalogue(path: str | Path) -> TagCatalogue:
    """Read and check a catalogue of tags; a ParamsError lists every fault, one per line."""
    return validate(TagCatalogue, read_yaml(Path(path)), str(path))


def _within_reach(name: str, unit: str, op: Op, value: float) -> None:
    """Raise when no customer, or every one, could meet the comparison."""
    most = 1.0 if unit == "share" else float("inf")
    least = float("-inf") if unit == "currency_net" else 0.0
    never = {
        ">": value >= most or value < least,
        ">=": value > most or value < least,
        "<": value <= least or value > most,
        "<=": value < least or value > most,
    }.get(op, not least <= value <= most)
    if never:
        raise ValueError(
            f"{name} {op} {value:g} can never, or always, hold: it lies between {least:g} and "
            f"{most:g}"
        )
