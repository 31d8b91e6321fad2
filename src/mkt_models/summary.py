"""What a run found, as plain text for a terminal: reports, headline figures, strategies."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from mkt_models.standing import Standing
from mkt_models.story import (
    OUTCOMES,
    Story,
    figure_text,
    in_language,
    left_out,
    listed,
    number_text,
    worth_text,
)
from mkt_models.workspace import MADE_BY

WIDTH = 92
LONG_NAME = 40
REASONS_SHOWN = 3
CANDIDATES_SHOWN = 3
MODEL_LINES = 3
STALE = "* "


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
        lines += _wrapped(f"left out, {reason}: {listed(named)}", "  ", "      ")
    if len(left) > REASONS_SHOWN:
        others = len(left) - REASONS_SHOWN
        lines.append(f"  and for {others} more {'reason' if others == 1 else 'reasons'}")
    return "\n".join(lines)


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
