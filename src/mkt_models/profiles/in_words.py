"""One customer's profile for reading: eight dimensions in order, and the tags with their why.

In English and Chinese; what is not known says "not available" and never 0. Private tags are not
shown.
"""

import json
from collections.abc import Mapping
from html import escape
from typing import Literal

import numpy as np
import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, NOT_AVAILABLE, PROFILE_DIMENSIONS
from mkt_models.profiles.described import DIMENSIONS, PROFILE_COLUMNS, VALUES, Words
from mkt_models.profiles.profile import COMPUTED_AT
from mkt_models.profiles.tag_catalogue import COLUMNS, Tag, TagCatalogue

Language = Literal["en", "zh"]
NOT_AVAILABLE_WORDS: Words = (NOT_AVAILABLE, "暂无数据")
NONE_WORDS: Words = ("none", "无")
_UNITS: Mapping[str, Words] = {
    "days": ("{} days", "{}天"),
    "seconds": ("{} seconds", "{}秒"),
    "share": ("{:.0%}", "{:.0%}"),
    "ratio": ("{:.0%}", "{:.0%}"),
    "times": ("{}", "{}"),
}
_OWN_WORDS: Mapping[str, Words] = {
    "index": ("index, from 0 to 1", "综合指数（0到1）"),
    "interest_points": ("points of the interest", "兴趣积分"),
    "interest_share": ("share of all signals", "占全部兴趣信号的比例"),
}
# Columns that hold ids of tags, and ones that hold names of columns.
_TAGS = ("behaviour_tags", "interest_tags", "social_tags")
# Columns whose value is the tag itself: no evidence to a reader.
_SAID_BY_THE_TAG = ("lifecycle_stage", "risk_tier")
_ORDERS = "orders_365d"
_HEAD: Mapping[Language, tuple[str, str, str]] = {
    "en": ("dimension", "what", "value"),
    "zh": ("维度", "指标", "数值"),
}
_TAG_HEAD: Mapping[Language, tuple[str, str, str, str, str]] = {
    "en": ("dimension", "tag", "why", "strength", "as of"),
    "zh": ("维度", "标签", "依据", "强度", "日期"),
}


def profile_in_words(
    profile: pd.Series,
    catalogue: TagCatalogue,
    language: Language = "en",
    *,
    currency: str = "",
    short: bool = False,
) -> pd.DataFrame:
    """One customer's profile as rows of dimension, what it is, and its value.

    Parameters
    ----------
    profile
        A row of ``build_profiles``.
    catalogue
        The tags, for their names.
    language
        ``en`` or ``zh``.
    currency
        Shown after amounts.
    short
        A dimension of which nothing is available takes one row.

    """
    side = _side(language)
    rows: list[tuple[str, str, str]] = []
    for dimension, names in PROFILE_DIMENSIONS.items():
        title = DIMENSIONS[dimension][side]
        shown = [
            (PROFILE_COLUMNS[name].words[side], value_in_words(name, profile[name], catalogue,
                                                              language, currency))
            for name in names
        ]  # fmt: skip
        nothing = NOT_AVAILABLE_WORDS[side]
        if short:
            known = [(what, value) for what, value in shown if value != nothing]
            lacking = [what for what, value in shown if value == nothing]
            rows += [(title, what, value) for what, value in known]
            if lacking:
                rows.append((title, nothing, ("; " if side == 0 else "；").join(lacking)))
        else:
            rows += [(title, what, value) for what, value in shown]
    return pd.DataFrame(rows, columns=list(_HEAD[language]))


def value_in_words(
    name: str,
    value: object,
    catalogue: TagCatalogue,
    language: Language = "en",
    currency: str = "",
) -> str:
    """A value of a profile's column as people read it, with its unit."""
    side = _side(language)
    if isinstance(value, list | tuple | np.ndarray):
        tags = catalogue.tags()
        words = [_name_of(str(one), name, tags, side) for one in value]
        return (", " if side == 0 else "、").join(words) or NONE_WORDS[side]
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return NOT_AVAILABLE_WORDS[side]
    if isinstance(value, str):
        fixed = PROFILE_COLUMNS[name].values if name in PROFILE_COLUMNS else ()
        if value in fixed and value in VALUES:
            return VALUES[value][side]
        return value.replace("_", " ")  # a code of the source, e.g. short_video
    return number_in_words(float(str(value)), _unit(name), side, currency)


def number_in_words(number: float, unit: str, side: int, currency: str = "") -> str:
    """A number with its unit.

    >>> number_in_words(0.25, "share", 0), number_in_words(3, "days", 1)
    ('25%', '3天')
    """
    if unit in ("share", "ratio"):
        return _UNITS[unit][side].format(number)
    text = f"{number:,.2f}".rstrip("0").rstrip(".")
    if unit in ("currency", "currency_net"):
        return f"{number:,.2f} {currency}".strip()
    if unit == "days" and side == 0 and number == 1:
        return "1 day"
    return _UNITS[unit][side].format(text) if unit in _UNITS else text


def tags_in_words(
    tags: pd.DataFrame, catalogue: TagCatalogue, language: Language = "en", currency: str = ""
) -> pd.DataFrame:
    """One customer's tags as rows of dimension, tag, why, strength and day, strongest first.

    ``tags`` are the customer's rows of ``build_profiles``; private ones are left out.
    """
    side = _side(language)
    known = catalogue.tags()
    rows = []
    for row in tags[~tags["private"]].to_dict("records"):
        if row["tag"] not in known:
            continue
        family, tag = known[row["tag"]]
        evidence = json.loads(row["evidence"])
        why = (", " if side == 0 else "，").join(
            f"{_column_words(name, side)}{': ' if side == 0 else '：'}"
            f"{value_in_words(name, value, catalogue, language, currency)}"
            for name, value in evidence.items()
            if value is not None and name not in _SAID_BY_THE_TAG and _tells(name, tag)
        )
        rows.append(
            (
                list(PROFILE_DIMENSIONS).index(family.dimension),
                -row["strength"],
                DIMENSIONS[family.dimension][side],
                tag.name.en if side == 0 else tag.name.zh,
                why,
                f"{row['strength']:.2f}",
                f"{row[AS_OF]:%Y-%m-%d}",
            )
        )
    rows.sort()
    return pd.DataFrame([row[2:] for row in rows], columns=list(_TAG_HEAD[language]))


def _tells(name: str, tag: Tag) -> bool:
    """Whether a number is evidence for a tag: how many orders there are, only if the tag asks."""
    asked = tag.min_orders > 0 or any(c.column == _ORDERS for c in tag.conditions)
    return name != _ORDERS or asked or name in tag.evidence


def customer_page(
    profile: pd.Series,
    tags: pd.DataFrame,
    catalogue: TagCatalogue,
    language: Language = "en",
    currency: str = "",
) -> str:
    """One customer's page as a fragment of HTML: the tags with their why, then the dimensions.

    A profile without an id is headed by its day alone.
    """
    side = _side(language)
    day, at = f"{profile[AS_OF]:%Y-%m-%d}", profile[COMPUTED_AT]
    head = (f"Profile of {day}, computed at {at}", f"画像日期 {day}，计算时间 {at}")[side]
    if CUSTOMER_ID in profile:
        head = (
            f"Customer {profile[CUSTOMER_ID]} on {day}, computed at {at}",
            f"客户 {profile[CUSTOMER_ID]}，{head}",
        )[side]
    said = tags_in_words(tags, catalogue, language, currency)
    words = profile_in_words(profile, catalogue, language, currency=currency, short=True)
    parts = [f"<h3>{escape(head)}</h3>", _table(said)]
    for title, rows in words.groupby(words.columns[0], sort=False):
        parts += [f"<h4>{escape(str(title))}</h4>", _table(rows.iloc[:, 1:])]
    return "\n".join(parts)


def _table(rows: pd.DataFrame) -> str:
    head = "".join(f"<th>{escape(str(name))}</th>" for name in rows.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows.itertuples(index=False)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _side(language: Language) -> int:
    return 0 if language == "en" else 1


def _unit(name: str) -> str:
    if name in PROFILE_COLUMNS:
        return PROFILE_COLUMNS[name].unit
    if name in COLUMNS:
        return COLUMNS[name].unit
    return "share" if name in ("interest_share",) else ""


def _column_words(name: str, side: int) -> str:
    if name in _OWN_WORDS:
        return _OWN_WORDS[name][side]
    return (PROFILE_COLUMNS[name] if name in PROFILE_COLUMNS else COLUMNS[name]).words[side]


def _name_of(one: str, column: str, tags: Mapping[str, object], side: int) -> str:
    if column in _TAGS and one in tags:
        name = tags[one][1].name  # type: ignore[index]
        return str(name.en if side == 0 else name.zh)
    if column == "risk_signals" and one in PROFILE_COLUMNS:
        return PROFILE_COLUMNS[one].words[side]
    return one
