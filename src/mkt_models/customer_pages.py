"""One page per showcase customer: who they are, why we think so, and what would be done.

The profile and its tags in both languages, the scores with their reasons, and the strategies as the
service answered them. Everything is read from what the stages left; nothing is computed here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NOT_AVAILABLE, Model, Verdict
from mkt_models.decisions.words import KINDS, VERDICTS
from mkt_models.params import Params
from mkt_models.profiles.in_words import profile_in_words, tags_in_words
from mkt_models.profiles.tag_catalogue import TagCatalogue, load_tag_catalogue
from mkt_models.serving.answers import meaning_of
from mkt_models.stages import Run
from mkt_models.story import Story, figure_text, in_language, left_out, worth_text

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")


@dataclass(frozen=True)
class Side:
    """A customer's page in one language: rows of text, ready to be shown.

    ``tags`` are rows of dimension, tag, why, strength and day under ``tag_head``; ``dimensions``
    maps a dimension's name to rows of what and value.
    """

    language: Language
    tag_head: tuple[str, ...]
    tags: tuple[tuple[str, ...], ...]
    dimensions: Mapping[str, tuple[tuple[str, str], ...]]


def page_name(number: int) -> str:
    """The file of the n-th showcase customer, from 1: an id might not do as a file's name."""
    return f"customer_{number}.html"


def customer_side(
    profile: pd.Series,
    tags: pd.DataFrame,
    catalogue: TagCatalogue,
    language: Language,
    currency: str,
) -> Side:
    """Put a profile (a row of ``build_profiles``) and its tags into words of one language."""
    said = tags_in_words(tags, catalogue, language, currency)
    words = profile_in_words(profile, catalogue, language, currency=currency, short=True)
    dimensions: dict[str, list[tuple[str, str]]] = {}
    for dimension, what, value in words.itertuples(index=False, name=None):
        dimensions.setdefault(str(dimension), []).append((str(what), str(value)))
    rows = [tuple(str(cell) for cell in row) for row in said.itertuples(index=False, name=None)]
    return Side(
        language,
        tuple(map(str, said.columns)),
        tuple(rows),
        {name: tuple(lines) for name, lines in dimensions.items()},
    )


def render_customers(run: Run, story: Story, css: str, templates: Path) -> dict[str, str]:
    """Render the page of every showcase customer: file name to HTML, in the order of the story.

    A customer whose profile is not there has no page.
    """
    import jinja2

    ws = run.workspace
    if not story.answers or not ws.path("profile", "tags.parquet").is_file():
        return {}
    shown = [str(answer["customer_id"]) for answer in story.answers]
    profiles = ws.read_table("profile", "profiles")
    profiles = profiles[profiles[CUSTOMER_ID].isin(shown)]
    found = {str(row[CUSTOMER_ID]): row for _, row in profiles.iterrows()}
    tags = ws.read_table("profile", "tags")
    catalogue = load_tag_catalogue(run.params_file.parent / ws.params.profile.tags)
    described = {str(one["customer_id"]): one for one in ws.read_json("package", "profiles")}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(say=in_language, worth=worth_text, left_out=left_out)
    template = environment.get_template("customer.html.j2")
    pages = {}
    for number, answer in enumerate(story.answers, start=1):
        customer = str(answer["customer_id"])
        if customer not in found:
            continue
        own = tags[tags[CUSTOMER_ID] == customer]
        currency = ws.params.source.currency
        pages[page_name(number)] = template.render(
            css=css,
            run=ws.params.run,
            customer=customer,
            answer=answer,
            computed_at=str(found[customer]["computed_at"]),
            scores=_scores(described.get(customer, {}), ws.params, story.cards),
            unscored=_unscored(described.get(customer, {}), ws.params),
            sides=[
                customer_side(found[customer], own, catalogue, language, currency)
                for language in LANGUAGES
            ],
        )
    return pages


def _scores(
    profile: Mapping[str, Any], params: Params, cards: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Meaning, value, kind, audit and reasons of each score of a ``/v1/profile``.

    The audit is the verdict and all that it rests on, as the card of the version has it: a pass
    that the parameters allow, while groups are undecided, is not the pass of a model that was shown
    to treat them alike.
    """
    verdicts = profile.get("verdicts") or {}
    grounds = {
        f"{card['facts']['model']}:{card['version']}": card["standing"].get("verdict_reasons") or ()
        for card in cards
    }
    return [
        {
            "meaning": meaning_of(Model(name), params)[1],
            "value": NOT_AVAILABLE
            if score.get("value") is None
            else figure_text(
                {**score, "unit": params.source.currency if name == Model.VALUE else "share"}
            ),
            "kind": _kind(str(score.get("kind") or ""), score.get("confidence")),
            "verdict": dict(
                zip(LANGUAGES, VERDICTS[verdicts.get(name, Verdict.NOT_EVALUATED)], strict=True)
            ),
            "grounds": [
                {side: one[side].replace("_", " ") for side in LANGUAGES}
                for one in grounds.get(str(score.get("model")), ())
            ],
            "reasons": score.get("reasons") or [],
        }
        for name, score in (profile.get("scores") or {}).items()
    ]


def _unscored(profile: Mapping[str, Any], params: Params) -> list[dict[str, Any]]:
    """Meaning and why of each model that was not released, and so says nothing of the customer."""
    return [
        {"meaning": meaning_of(Model(name), params)[1], "why": str(why).replace("_", " ")}
        for name, why in (profile.get("not_released") or {}).items()
    ]


def _kind(word: str, confidence: float | None) -> dict[str, str]:
    en, zh = KINDS.get(word, (word, word))
    if confidence is None:
        return {"en": en, "zh": zh}
    share = f"{confidence:.0%}"
    return {"en": f"{en}, {share} prediction interval", "zh": f"{zh}，{share} 预测区间"}
