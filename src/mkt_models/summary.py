"""What a run found, as plain text for a terminal: reports, headline figures, strategies."""

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mkt_models.columns import NOT_AVAILABLE
from mkt_models.decisions.naming import distinct, readable
from mkt_models.decisions.words import KINDS, TELLING
from mkt_models.standing import Standing
from mkt_models.workspace import MADE_BY

WIDTH = 92
LONG_NAME = 40
REASONS_SHOWN = 3
CANDIDATES_SHOWN = 3
MODEL_LINES = 3
STALE = "* "
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


def summary(story: Story) -> str:
    """Tell a run's story in plain text, at most 92 columns wide."""
    old = " (of an earlier run)" if story.stale("report") else ""
    parts = [f"Reports    {story.index}{old}"]
    if told := _standings(story.standings):
        parts.append(told)
    if story.figures:
        figures = [
            {**one, "stale": story.stale(MADE_BY.get(one.get("stage", ""), ""))}
            for one in story.figures
        ]
        parts.append(_figures(figures))
    else:
        parts.append("No headline figures: no stage has measured anything yet.")
    if story.models:
        parts.append(_models(story.models, stale=story.stale(MADE_BY["release"])))
    if story.answers and story.stale(MADE_BY["package"]):
        parts.append(f"What follows was answered before: {MADE_BY['package']} is stale.")
    parts += [_customer(answer, number) for number, answer in enumerate(story.answers, start=1)]
    if not story.answers:
        parts.append("No strategies: the service has not been asked yet.")
    return "\n\n".join(parts) + "\n"


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
        f"likes {_listed(likes)}" if likes else "",
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


def _standings(standings: Iterable[Standing]) -> str:
    """The stages that are not of now; nothing when all are."""
    told = [one for one in standings if one.state != "current" and one.stage != "report"]
    if not told:
        return ""
    width = max(len(one.stage) for one in told)
    lines = ["Stale, or not run yet; the next run does these"]
    for one in told:
        words = "has not run" if one.state == "not run" else f"stale: {one.why}"
        lines += _wrapped(words, f"  {one.stage:<{width}}  ", " " * (width + 6))
    return "\n".join(lines)


def _figures(figures: Iterable[Mapping[str, Any]]) -> str:
    """The figures as a table, each with its peers below it in the same column."""
    told = list(figures)
    kinds = {_kind(figure) for figure in told}
    alike = len(kinds) == 1 and all(kinds)
    title = "Headline figures" + (f" ({kinds.pop()})" if alike else "")
    if any(figure.get("stale") for figure in told):
        title += f"; {STALE.strip()} of a stale stage"
    rows = [row for figure in told for row in _figure_rows(figure, with_kind=not alike)]
    widths = [max(_columns(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  " + "  ".join(_pad(text, width) for text, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join([title, *(line.rstrip() for line in lines)])


def _figure_rows(figure: Mapping[str, Any], with_kind: bool) -> list[tuple[str, str, str, str]]:
    name, unit = str(figure.get("name", "")), figure.get("unit") or ""
    more = ""
    if len(name) > LONG_NAME:
        name, _, more = name.partition(" (")
    n = "" if figure.get("n") is None else f"n {number_text(figure['n'])}"
    rows = [(name, figure_text(figure), n, _kind(figure) if with_kind else "")]
    if figure.get("stale"):
        rows[0] = (STALE + name, *rows[0][1:])
    if more:
        rows.append((f"  ({more}", "", "", ""))
    for peer in filter(None, str(figure.get("beside") or "").split(", ")):
        who, _, number = peer.rpartition(" ")
        try:
            value = number_text(float(number), unit)
        except ValueError:
            who, value = peer, ""
        rows.append((f"  beside {who.replace('_', ' ')}", value, "", ""))
    return rows


def _models(models: Iterable[Mapping[str, Any]], stale: bool) -> str:
    """What became of each model, in at most three lines."""
    lines = [f"Models ({MADE_BY['release']} is stale)" if stale else "Models"]
    for one in models:
        served = "no version is released" if not one["released"] else f"{one['released']} decides"
        why = str(one["why"])
        text = f"{one['model']} {one['trained']}: {OUTCOMES[one['outcome']]}; {served}. "
        text += why[:1].upper() + why[1:]
        told = _wrapped(text, "  ", "    ")
        if len(told) > MODEL_LINES:
            shown = told[:MODEL_LINES]
            words = shown[-1] if _columns(shown[-1]) <= WIDTH - 2 else shown[-1].rpartition(" ")[0]
            told = [*shown[:-1], f"{words} …"]
        lines += told
    return "\n".join(lines)


def _kind(figure: Mapping[str, Any]) -> str:
    return str(figure.get("kind") or "").replace("_", " ")


def _customer(answer: Mapping[str, Any], number: int) -> str:
    """An answer by its number: terminals are logged, so the id stands on the customer's page."""
    lines = [f"Customer {number}, profile of {answer.get('as_of')}"]
    told = in_language(answer.get("profile_summary"))
    if told:
        lines += _wrapped(told, "  ")
    strategies = answer.get("strategies") or []
    for strategy in strategies:
        title, title_zh = (in_language(strategy.get("title"), lang) for lang in ("en", "zh"))
        title = title or str(strategy.get("strategy"))
        both = f"{title} · {title_zh}" if title_zh and title_zh != title else title
        channel = f" by {strategy['channel']}" if strategy.get("channel") else ""
        lines += _wrapped(f"{both}{channel}", f"  {strategy.get('rank', '-')}. ", "     ")
        worth = worth_text(strategy, answer)
        texts = [in_language(strategy.get("text")), f"worth {worth}" if worth else ""]
        for text in filter(None, texts):
            lines += _wrapped(text, "     ")
        for reason in strategy.get("reasons") or []:
            lines += _wrapped(in_language(reason), "     - ", "       ")
    if not strategies:
        lines.append("  no strategy; nothing is sent")
    left = left_out(answer)
    for reason, candidates in list(left.items())[:REASONS_SHOWN]:
        named = candidates[:CANDIDATES_SHOWN]
        if len(candidates) > CANDIDATES_SHOWN:
            named.append(f"{len(candidates) - CANDIDATES_SHOWN} more")
        lines += _wrapped(f"left out, {reason}: {_listed(named)}", "  ", "      ")
    if len(left) > REASONS_SHOWN:
        others = len(left) - REASONS_SHOWN
        lines.append(f"  and for {others} more {'reason' if others == 1 else 'reasons'}")
    return "\n".join(lines)


def _listed(names: list[str]) -> str:
    """Names in a sentence: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _wrapped(text: str, first: str, rest: str | None = None) -> list[str]:
    """Lines of at most WIDTH columns, broken at blanks only; none when there is no text."""
    lines: list[str] = []
    line, fresh = first, True
    for word in text.split():
        if not fresh and _columns(line) + 1 + _columns(word) > WIDTH:
            lines.append(line)
            line, fresh = first if rest is None else rest, True
        line += word if fresh else f" {word}"
        fresh = False
    return lines if fresh else [*lines, line]


def _columns(text: str) -> int:
    """How many terminal columns a text takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))
