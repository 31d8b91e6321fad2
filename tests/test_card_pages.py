"""The page of a card: complete, in two languages, and without a way out."""

import json
from datetime import date

import pytest
from toy_models import RELEASED, toy, toy_facts

from mkt_models.card_pages import card_side, render_cards
from mkt_models.columns import ModelStatus, Verdict
from mkt_models.models.card import Group, ModelCard, Mover, Standing, Words
from mkt_models.notebook_pages import TEMPLATES, outside_links

SCORER = toy()


def card(standing: Standing = RELEASED) -> ModelCard:
    return ModelCard(
        version="1f0c2a3b4c5d", signature="1f" * 32, facts=toy_facts(SCORER), standing=standing
    )


REFUSED = Standing(
    status=ModelStatus.REFUSED,
    reason=Words(en="not better <than> a1b2", zh="未优于 a1b2"),
    decided_at="2018-01-02T03:04:05+00:00",
    verdict=Verdict.PASS,
    verdict_reasons=(Words(en="age band: shown within", zh="年龄段：确认在限值内"),),
    groups=(
        Group(
            attribute="age_band",
            group="19-34",
            n_customers=1200,
            calibration_gap=0.012,
            lower=-0.01,
            upper=None,
            judged=True,
            finding="within",
        ),
    ),
    movers=(Mover(feature="orders_90d", en="orders", zh="订单数", share=0.25),),
    calibration={"state": "holds", "why": "slope 1.02 [0.95, 1.09]"},
    champion="a1b2",
    comparison={
        "metric": "auc",
        "gain": 0.0004,
        "lower": -0.0002,
        "upper": 0.001,
        "n": 5000,
        "basis": "unseen",
        "basis_zh": "双方均未见过",
        "note": "",
    },
)


def test_a_page_stands_alone_and_its_json_is_the_card() -> None:
    found = render_cards([card(REFUSED)], "sample", "body {}", TEMPLATES)
    assert list(found) == ["card_churn.html", "card_churn.json"]
    page = found["card_churn.html"]
    assert outside_links(page) == []
    assert "<script" not in page
    assert "not better &lt;than&gt; a1b2" in page
    for text in (
        "1f0c2a3b4c5d",
        "0.857",
        "1,200",
        "25.0%",
        "年龄段：确认在限值内",
        "Not for",
        "不适用",
        "1f" * 32,
    ):
        assert text in page
    assert ModelCard.model_validate(json.loads(found["card_churn.json"])) == card(REFUSED)


def test_tests_and_selection_are_explained() -> None:
    tested = (date(2017, 9, 11), date(2017, 11, 6))
    facts = toy_facts(SCORER).model_copy(update={"tested": tested})
    told = card(REFUSED).model_copy(update={"facts": facts})
    english, chinese = (card_side(told, language)["figures_note"] for language in ("en", "zh"))
    assert english.endswith("paired. Tested on 2017-09-11, 2017-11-06.")
    assert chinese.endswith("测试日期：2017-09-11, 2017-11-06。")
    assert "Tested on" not in card_side(card(REFUSED), "en")["figures_note"]
    page = render_cards([told], "sample", "", TEMPLATES)["card_churn.html"]
    for text in (
        "Selection ratio: how often the group",
        "入选率比：该群体",
        "<th>selection ratio<",
    ):
        assert text in page


def test_the_champion_of_before_has_a_page_of_its_own() -> None:
    found = render_cards([card(REFUSED), card()], "sample", "", TEMPLATES)
    pages = [name for name in found if name.endswith(".html")]
    assert pages == ["card_churn.html", "card_churn_champion.html"]
    assert "released: this version decides" in found[pages[1]]
    assert 'href="card_churn_champion.json"' in found[pages[1]]


@pytest.mark.parametrize("standing", [RELEASED, REFUSED, Standing()])
def test_both_languages_say_the_same_things(standing: Standing) -> None:
    english, chinese = (card_side(card(standing), language) for language in ("en", "zh"))
    assert english.keys() == chinese.keys()
    for name, value in english.items():
        assert bool(value) == bool(chinese[name])
        if isinstance(value, list):
            assert len(value) == len(chinese[name])


def test_what_is_not_known_is_said() -> None:
    side = card_side(card(Standing()), "en")
    assert side["status"] == "candidate: not judged yet"
    assert side["calibration"] == "candidate: not judged yet"
    assert side["comparison"] == "There was no champion before it."
    assert side["figures"] == [("this model", "–", "0.857")]  # its interval is not known
    sides = [card_side(card(REFUSED), language)["comparison"] for language in ("en", "zh")]
    assert [told.rpartition("0; ")[2] for told in sides[:1]] == ["unseen"]
    assert sides[1].endswith("；双方均未见过")
    alone = REFUSED.model_copy(update={"comparison": {"gain": None, "note": "no row"}})
    told = card_side(card(alone), "en")["comparison"]
    assert told == "Not comparable with a1b2: no row"
