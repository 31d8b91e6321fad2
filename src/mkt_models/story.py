"""What a run found, and how its figures, answers and profiles are said in words.

Told by the terminal (``summary``), the index and the customers' pages alike.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkt_models.columns import NOT_AVAILABLE
from mkt_models.decisions.naming import distinct, readable
from mkt_models.decisions.words import KINDS, TELLING
from mkt_models.standing import Standing
from mkt_models.workspace import MADE_BY

# What became of the version that a run has trained.
OUTCOMES = {
    "first": "released, the first",
    "replaced": "released, better than the champion",
    "kept": "not released, the champion stays",
    "refused": "refused",
    "retired": "no longer released",
}


@dataclass(frozen=True)
class Story:
    """What a run found, ready to be told.

    ``figures`` has one mapping per headline figure, with the stage that measured it; ``answers``
    has one service answer per showcase customer, with its ``profile_summary`` in words where the
    profile is there. ``models`` has what became of each model that the run has trained, and
    ``cards`` the cards of those versions and of the champions. ``standings`` says which stages, and
    the report, are not of the parameters, code and data of now; without any, all of them are.
    """

    run: str
    index: str
    figures: tuple[Mapping[str, Any], ...]
    answers: tuple[Mapping[str, Any], ...]
    models: tuple[Mapping[str, Any], ...] = ()
    cards: tuple[Mapping[str, Any], ...] = ()
    standings: tuple[Standing, ...] = ()

    def stale(self, stage: str) -> bool:
        """Whether a stage is known not to be of the parameters, code and data of now."""
        return any(one.stage == stage and one.state != "current" for one in self.standings)


def read_story(root: Path, run: str, standings: Iterable[Standing] = ()) -> Story:
    """Gather what a run left; a file that is missing leaves its part empty.

    The figures are those of the stages, and of the last report where no stage has left any.
    """
    metrics = {name: read_json(root / "build" / run / name / "metrics.json") for name in MADE_BY}
    if not any(metrics.values()):
        metrics = read_json(root / "reports" / run / "metrics.json") or {}
    figures = [
        {"stage": stage, **figure}
        for stage, measured in sorted(metrics.items())
        for figure in (measured or {}).get("headline") or []
    ]
    package = root / "build" / run / "package"
    profiles = {
        str(one.get("customer_id")): one for one in read_json(package / "profiles.json") or []
    }
    answers = [
        {
            "profile_summary": profile_text(
                profiles.get(str(answer.get("customer_id")), {}), answer.get("currency") or ""
            ),
            **answer,
        }
        for answer in read_json(package / "answers.json") or []
    ]
    release = root / "build" / run / "release"
    decided = (read_json(release / "metrics.json") or {}).get("decisions") or []
    cards = read_json(release / "cards.json") or []
    index = f"reports/{run}/index.html"
    return Story(
        run,
        index,
        tuple(figures),
        tuple(answers),
        tuple(decided),
        tuple(cards),
        tuple(standings),
    )


def figure_text(figure: Mapping[str, Any]) -> str:
    """A figure's value with its interval and unit.

    >>> figure_text({"value": 0.8571, "lower": 0.83, "upper": 0.881, "unit": ""})
    '0.857 [0.830, 0.881]'
    >>> figure_text({"value": 0.0712, "unit": "share"})
    '7.1%'
    """
    unit = figure.get("unit") or ""
    text = number_text(figure.get("value"), unit)
    if figure.get("lower") is not None and figure.get("upper") is not None:
        lower, upper = (number_text(figure[end], unit) for end in ("lower", "upper"))
        text += f" [{lower}, {upper}]"
    return text if unit in {"", "share", "%"} else f"{text} {unit}"


def dates_text(figure: Mapping[str, Any]) -> str:
    """On which dates a figure was backtested; empty where it does not say.

    >>> dates_text({"dates": ["2017-09-25", "2017-10-09", "2017-11-06"]})
    'on 3 dates from 2017-09-25 to 2017-11-06'
    """
    days = figure.get("dates") or []
    if len(days) < 2:
        return f"on {days[0]}" if days else ""
    return f"on {len(days)} dates from {days[0]} to {days[-1]}"


def number_text(value: Any, unit: str = "") -> str:
    """A number for people: three decimals below ten, fewer above, thousands parted.

    >>> number_text(155848), number_text(497.13), number_text(0.41, "share"), number_text(None)
    ('155,848', '497.1', '41.0%', 'not available')
    """
    if not isinstance(value, int | float):
        return "not available" if value is None else str(value)
    if unit == "share":
        return f"{value:.1%}"
    if isinstance(value, int):
        text = f"{value:,}"
    else:
        text = f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{text}%" if unit == "%" else text


def read_json(path: Path) -> Any:
    """Read a JSON document; None when it is not there."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def profile_text(profile: Mapping[str, Any], currency: str) -> str:
    """Tell an answer of /v1/profile in one line; what is not known is passed over.

    >>> dimensions = {
    ...     "lifecycle": {"lifecycle_stage": "active"},
    ...     "value": {"value_tier": "middle"},
    ...     "habit": {"orders_90d": 13, "amount_90d": 618.891, "spending_habit": "careful_spender"},
    ...     "interests": {"top_categories": ["SOFT DRINKS", "FRZN POTATOES", "BEEF"]},
    ...     "social": "not available",
    ... }
    >>> print(profile_text({"dimensions": dimensions}, "USD").replace("; ", ";\\n"))
    active, middle value, careful spender;
    13 orders and 618.89 USD in the last 90 days;
    likes soft drinks, frozen potatoes and beef
    """
    known = {
        name: value
        for columns in (profile.get("dimensions") or {}).values()
        if isinstance(columns, Mapping)
        for name, value in columns.items()
        if value not in (None, NOT_AVAILABLE, [])
    }
    tier = f"{known['value_tier']} value" if "value_tier" in known else None
    who = [known.get("lifecycle_stage"), tier, known.get("spending_habit")]
    did = []
    if "orders_90d" in known:
        orders = known["orders_90d"]
        did.append(f"{orders:,.0f} {'order' if orders == 1 else 'orders'}")
    if "amount_90d" in known:
        did.append(f"{known['amount_90d']:,.2f} {currency}".strip())
    likes = distinct(readable(name) for name in known.get("top_categories", ()))
    told = [
        ", ".join(str(one).replace("_", " ") for one in who if one),
        f"{' and '.join(did)} in the last 90 days" if did else "",
        f"likes {listed(likes)}" if likes else "",
    ]
    return "; ".join(filter(None, told))


def worth_text(strategy: Mapping[str, Any], answer: Mapping[str, Any], language: str = "en") -> str:
    """What a strategy is worth, with the currency, the interval if any, and the number's kind.

    >>> worth_text({"worth": 0.0527, "worth_kind": "assumed", "currency": "USD"}, {}, "zh")
    '0.0527 USD (假设值)'
    """
    worth = strategy.get("worth")
    if worth is None:
        return ""
    currency = strategy.get("currency") or answer.get("currency") or ""
    word = str(strategy.get("worth_kind") or "")
    kind = KINDS.get(word, (word, word))[language == "zh"]
    around = strategy.get("worth_interval") or {}
    sizes = [worth, *(around[end] for end in ("lower", "upper") if around)]
    text, *ends = (f"{size:,.2f}" if abs(worth) >= 1 else f"{size:.4f}" for size in sizes)
    if ends:
        text += f" [{ends[0]}, {ends[1]}]"
        share = f"{around['confidence']:.0%}"
        kind += f"，{share} 预测区间" if language == "zh" else f", {share} prediction interval"
    return f"{text} {currency}".strip() + (f" ({kind})" if kind else "")


def left_out(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """What was suppressed in an answer, by reason, the most telling reason first.

    ``no_action``, which only lost, is passed over.

    >>> candidate = {"strategy": "scenario", "channel": "sms", "code": "quiet_hours"}
    >>> left_out({"suppressed": [candidate]})
    {'quiet hours': ['scenario by sms']}
    """
    reasons: dict[str, list[str]] = {}
    for candidate in answer.get("suppressed") or []:
        if candidate.get("strategy") == "no_action":
            continue
        reason = str(candidate.get("code") or in_language(candidate.get("reason")))
        channel = f" by {candidate['channel']}" if candidate.get("channel") else ""
        named = f"{str(candidate.get('strategy')).replace('_', ' ')}{channel}"
        listed = reasons.setdefault(reason.replace("_", " "), [])
        if named not in listed:
            listed.append(named)
    order = {code.value.replace("_", " "): place for place, code in enumerate(TELLING)}
    return dict(sorted(reasons.items(), key=lambda one: (order.get(one[0], len(order)), one[0])))


def in_language(text: Any, language: str = "en") -> str:
    """A text in one language, of a mapping of languages or of a plain text.

    >>> in_language({"en": "hello", "zh": "你好"}, "zh"), in_language("hello", "zh")
    ('你好', 'hello')
    """
    if isinstance(text, Mapping):
        return str(text.get(language) or text.get("en") or "")
    return str(text or "")


def listed(names: list[str]) -> str:
    """Names in a sentence: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
