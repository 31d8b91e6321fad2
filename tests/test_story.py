"""What a run found, read from what it left, and said in words."""

import json
from pathlib import Path

import pytest
from toy_story import FIGURE, answer

from mkt_models.story import profile_text, read_story
from mkt_models.summary import summary

PROFILE = {
    "customer_id": "17",
    "dimensions": {
        "habit": {"orders_90d": 1, "amount_90d": 1618.891, "spending_habit": "careful_spender"},
        "lifecycle": {"lifecycle_stage": "active"},
        "value": {"value_tier": "middle"},
        "interests": {"top_categories": ["SOFT DRINKS", "BEEF"]},
        "social": "not available",
    },
}


@pytest.mark.parametrize(
    ("dimensions", "told"),
    [
        (
            PROFILE["dimensions"],
            "active, middle value, careful spender; 1 order and 1,618.89 USD in the last 90 days; "
            "likes soft drinks and beef",
        ),
        ({"interests": {"top_categories": ["BEEF"]}, "value": "not available"}, "likes beef"),
        ({"habit": {"orders_90d": 0, "amount_90d": None}}, "0 orders in the last 90 days"),
        ({"value": {"value_tier": "not available"}}, ""),
        (None, ""),
    ],
)
def test_a_profile_in_one_line(dimensions: object, told: str) -> None:
    assert profile_text({"dimensions": dimensions}, "USD") == told


def test_figures_are_those_of_the_stages_and_not_of_the_last_report(tmp_path: Path) -> None:
    churn, reports = tmp_path / "build/sample/churn", tmp_path / "reports/sample"
    for folder, value in ((churn, 0.9), (reports, 0.1)):
        folder.mkdir(parents=True)
        headline = {"headline": [{**FIGURE, "value": value}]}
        text = json.dumps(headline if folder == churn else {"churn": headline, "value": headline})
        (folder / "metrics.json").write_text(text)
    assert read_story(tmp_path, "sample").figures == ({"stage": "churn", **FIGURE, "value": 0.9},)


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
    assert story.answers[0]["profile_summary"] == ""
    profiles = [{"customer_id": "18"}, PROFILE]
    (package / "profiles.json").write_text(json.dumps(profiles))
    told = summary(read_story(tmp_path, "sample"))
    assert "2018-01-01\n  active, middle value, careful spender; 1 order" in told
