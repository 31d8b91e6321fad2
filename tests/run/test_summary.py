"""The story of a run in a terminal."""

import json
from pathlib import Path

from mkt_models.summary import WIDTH, Story, read_story, summary

FIGURE = {
    "name": "Churn AUC, 56 days",
    "value": 0.8571,
    "lower": 0.83,
    "upper": 0.881,
    "n": 2304,
    "kind": "backtested",
    "unit": "",
    "better_than": "recency alone .752",
}


def answer(**more: object) -> dict[str, object]:
    strategy = {
        "rank": 1,
        "strategy": "personalised_recommendation",
        "channel": "app",
        "title": {"en": "Your regulars", "zh": "您常买的商品"},
        "text": {"en": "Bananas and milk are ready to add. " * 5, "zh": "香蕉和牛奶"},
        "worth": 1.5,
        "currency": "USD",
        "worth_kind": "propensity_weighted",
        "reasons": [{"en": "bought 9 times in 90 days", "zh": "90天内购买9次"}],
    }
    return {"customer_id": "17", "as_of": "2018-01-01", "strategies": [strategy], **more}


def test_figures_come_with_interval_n_and_kind() -> None:
    told = summary(Story("sample", "reports/sample/index.html", (FIGURE,), ()))
    assert "reports/sample/index.html" in told
    line = next(line for line in told.splitlines() if "Churn AUC" in line)
    assert "0.857 [0.830, 0.881]" in line
    assert "n 2,304" in line
    assert "backtested" in line
    assert "beside recency alone .752" in told


def test_strategies_come_ranked_with_their_reasons() -> None:
    told = summary(Story("sample", "i", (), (answer(),)))
    assert "Household 17, profile of 2018-01-01" in told
    assert "1. Your regulars · 您常买的商品 by app" in told
    assert "worth 1.50 USD (propensity weighted)" in told
    assert "- bought 9 times in 90 days" in told
    assert max(map(len, told.splitlines())) <= WIDTH


def test_doing_nothing_is_an_answer_and_says_what_was_left_out() -> None:
    refused = {"strategy": "scenario", "channel": "mail", "code": "consent_refused"}
    told = summary(Story("s", "i", (), (answer(strategies=[], suppressed=[refused]),)))
    assert "no strategy; nothing is sent" in told
    assert "left out, consent refused: scenario by mail" in told


def test_sparse_answers_do_not_break_it() -> None:
    sparse = {"customer_id": "1", "strategies": [{"strategy": "scenario", "text": "plain"}]}
    told = summary(Story("s", "i", ({"name": "bare", "value": None},), (sparse, {})))
    assert "-. scenario" in told
    assert "bare  not available" in told


def test_a_story_is_read_from_what_a_run_left(tmp_path: Path) -> None:
    assert read_story(tmp_path, "sample").figures == ()
    reports, package = tmp_path / "reports/sample", tmp_path / "build/sample/package"
    for folder in (reports, package):
        folder.mkdir(parents=True)
    metrics = {"churn": {"headline": [FIGURE], "auc": 1}, "value": {"mae": 2}}
    (reports / "metrics.json").write_text(json.dumps(metrics))
    (package / "answers.json").write_text(json.dumps([answer()]))
    story = read_story(tmp_path, "sample")
    assert story.figures == ({"stage": "churn", **FIGURE},)
    assert story.answers[0]["customer_id"] == "17"
