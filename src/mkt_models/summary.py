"""What a run found, as plain text for a terminal: reports, headline figures, strategies."""

import json
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WIDTH = 92


@dataclass(frozen=True)
class Story:
    """What a run found, ready to be told.

    ``figures`` has one mapping per headline figure, with the stage that measured it; ``answers``
    has one service answer per showcase household.
    """

    run: str
    index: str
    figures: tuple[Mapping[str, Any], ...]
    answers: tuple[Mapping[str, Any], ...]


def read_story(root: Path, run: str) -> Story:
    """Gather what a run left; a file that is missing leaves its part empty."""
    metrics = read_json(root / "reports" / run / "metrics.json") or {}
    figures = [
        {"stage": stage, **figure}
        for stage, measured in metrics.items()
        for figure in (measured.get("headline") or [])
    ]
    answers = read_json(root / "build" / run / "package" / "answers.json") or []
    return Story(run, f"reports/{run}/index.html", tuple(figures), tuple(answers))


def summary(story: Story) -> str:
    """Tell a run's story in plain text, at most 92 columns wide."""
    parts = [f"Reports    {story.index}"]
    if story.figures:
        parts.append("Headline figures\n" + _table(_figure_cells(f) for f in story.figures))
    else:
        parts.append("No headline figures: no stage has measured anything yet.")
    parts += [_household(answer) for answer in story.answers]
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


def worth_text(strategy: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """What a strategy is worth, with the currency and the kind of the number."""
    worth = strategy.get("worth")
    if worth is None:
        return ""
    currency = strategy.get("currency") or answer.get("currency") or ""
    kind = str(strategy.get("worth_kind") or "").replace("_", " ")
    text = f"{worth:,.2f}" if abs(worth) >= 1 else f"{worth:.4f}"
    return f"{text} {currency}".strip() + (f" ({kind})" if kind else "")


def left_out(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """What was suppressed in an answer, by reason; ``no_action``, which only lost, is passed over.

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
    return dict(sorted(reasons.items()))


def in_language(text: Any, language: str = "en") -> str:
    """A text in one language, of a mapping of languages or of a plain text.

    >>> in_language({"en": "hello", "zh": "你好"}, "zh"), in_language("hello", "zh")
    ('你好', 'hello')
    """
    if isinstance(text, Mapping):
        return str(text.get(language) or text.get("en") or "")
    return str(text or "")


def _figure_cells(figure: Mapping[str, Any]) -> list[str]:
    beaten = figure.get("better_than")
    return [
        str(figure.get("name", "")),
        figure_text(figure),
        f"n {number_text(figure.get('n'))}",
        str(figure.get("kind", "")).replace("_", " "),
        f"beside {beaten}" if beaten else "",
    ]


def _table(rows: Iterable[list[str]]) -> str:
    """Columns side by side; what would pass the width goes on a line of its own."""
    cells = list(rows)
    widths = [max(_columns(row[i]) for row in cells) for i in range(len(cells[0]) - 1)]
    lines = []
    for row in cells:
        line = "  " + "  ".join(_pad(text, width) for text, width in zip(row, widths, strict=False))
        if row[-1] and _columns(line) + 2 + _columns(row[-1]) <= WIDTH:
            line += "  " + row[-1]
        elif row[-1]:
            line += "\n      " + row[-1]
        lines.append(line.rstrip())
    return "\n".join(lines)


def _household(answer: Mapping[str, Any]) -> str:
    lines = [f"Household {answer.get('customer_id')}, profile of {answer.get('as_of')}"]
    told = in_language(answer.get("profile_summary"))
    if told:
        lines += _wrapped(told, "  ")
    strategies = answer.get("strategies") or []
    for strategy in strategies:
        title, title_zh = (in_language(strategy.get("title"), lang) for lang in ("en", "zh"))
        title = title or str(strategy.get("strategy"))
        both = f"{title} · {title_zh}" if title_zh and title_zh != title else title
        channel = f" by {strategy['channel']}" if strategy.get("channel") else ""
        lines.append(f"  {strategy.get('rank', '-')}. {both}{channel}")
        worth = worth_text(strategy, answer)
        texts = [in_language(strategy.get("text")), f"worth {worth}" if worth else ""]
        for text in filter(None, texts):
            lines += _wrapped(text, "     ")
        for reason in strategy.get("reasons") or []:
            lines += _wrapped(in_language(reason), "     - ", "       ")
    if not strategies:
        lines.append("  no strategy; nothing is sent")
    for reason, candidates in left_out(answer).items():
        lines += _wrapped(f"left out, {reason}: {', '.join(candidates)}", "  ", "      ")
    return "\n".join(lines)


def _wrapped(text: str, first: str, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _columns(text: str) -> int:
    """How many terminal columns a text takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int) -> str:
    return text + " " * (width - _columns(text))
