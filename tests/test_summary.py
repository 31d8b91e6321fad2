"""The story of a run in a terminal."""

import re

from toy_story import FIGURE, answer

from mkt_models.standing import Standing
from mkt_models.story import Story, left_out
from mkt_models.summary import WIDTH, summary


def test_figures_come_with_interval_n_and_kind() -> None:
    told = summary(Story("sample", "reports/sample/index.html", (FIGURE,), ()))
    assert told.splitlines() == [
        "Reports    reports/sample/index.html",
        "",
        "Headline figures (backtested)",
        "  Churn AUC, 56 days      0.857 [0.830, 0.881]  n 2,304",
        "    beside recency alone  0.752",
        "    beside last 90 days   0.700",
        "",
        "No strategies: the service has not been asked yet.",
    ]


def test_figures_of_different_kinds_name_theirs_and_long_names_are_broken() -> None:
    other = {
        "name": "Value bias (predicted over actual sum, minus 1)",
        "value": -0.0091,
        "unit": "share",
        "kind": "observed",
        "beside": "nothing to speak of",
    }
    told = summary(Story("sample", "i", (FIGURE, other), ()))
    assert "Headline figures\n" in told
    assert re.search(r"Churn AUC, 56 days .* n 2,304  backtested\n", told)
    assert re.search(r"  Value bias  +-0.9%  +observed\n    \(predicted over actual", told)
    assert "    beside nothing to speak of\n" in told


DECIDED = {
    "model": "churn",
    "trained": "1f0c",
    "outcome": "kept",
    "released": "a1b2",
    "audit": "pass",
    "calibration": "holds",
    "why": "not shown to be better than a1b2, which stays",
}


def test_what_became_of_each_model_is_told_and_long_reasons_are_cut() -> None:
    refused = {**DECIDED, "model": "value", "outcome": "refused", "released": None}
    refused["why"] = "its audit could not be evaluated: " + "no group is large enough; " * 20
    told = summary(Story("sample", "i", (FIGURE,), (), (DECIDED, refused)))
    lines = told.split("Models\n")[1].split("\n\n")[0].splitlines()
    assert lines[0] == (
        "  churn 1f0c: not released, the champion stays; a1b2 decides. Not shown to be better than"
    )
    assert lines[1] == "    a1b2, which stays"
    assert lines[2].startswith("  value 1f0c: refused; no version is released.")
    assert len(lines) == 5
    assert lines[-1].endswith(" …")
    assert max(map(len, lines)) <= WIDTH


def test_strategies_come_ranked_with_their_reasons() -> None:
    told = summary(Story("sample", "i", (), (answer(),)))
    assert "Customer 1, profile of 2018-01-01" in told
    assert "1. Your regulars · 您常买的商品 by app" in told
    assert "worth 1.50 USD (propensity weighted)" in told
    assert "- bought 9 times in 90 days" in told
    assert max(map(len, told.splitlines())) <= WIDTH


def test_doing_nothing_is_an_answer_and_says_what_was_left_out() -> None:
    refused = {"strategy": "scenario", "channel": "mail", "code": "consent_refused"}
    told = summary(Story("s", "i", (), (answer(strategies=[], suppressed=[refused]),)))
    assert "no strategy; nothing is sent" in told
    assert "left out, consent refused: scenario by mail" in told


def test_the_most_telling_reasons_are_named_and_the_others_counted() -> None:
    codes = [
        "beyond_k",
        "no_such_code",
        "not_eligible",
        "not_eligible",
        "not_eligible",
        "not_eligible",
        "model_not_released",
        "consent_unknown",
    ]
    lost = [
        {"strategy": f"tier_{i}", "channel": "app", "code": code} for i, code in enumerate(codes)
    ]
    told = summary(Story("s", "i", (), (answer(suppressed=lost),)))
    assert [line for line in told.splitlines() if "left out" in line or "more" in line] == [
        "  left out, model not released: tier 6 by app",
        "  left out, consent unknown: tier 7 by app",
        "  left out, not eligible: tier 2 by app, tier 3 by app, tier 4 by app and 1 more",
        "  and for 2 more reasons",
    ]
    assert list(left_out({"suppressed": lost}))[-2:] == ["beyond k", "no such code"]


def test_wide_characters_count_twice() -> None:
    zh = "这是一个很长的标题，用来检查换行 " * 9
    told = summary(Story("s", "i", (), (answer(profile_summary=zh),)))
    widths = [sum(2 if ord(c) > 0x2E80 else 1 for c in line) for line in told.splitlines()]
    assert max(widths) <= WIDTH
    assert told.count("这是") == 9


def test_what_is_stale_is_named_and_marked() -> None:
    why = "made with other parameters, or of other data, and it needs 03_profile"
    found = (
        Standing("04_mine", "current"),
        Standing("05_churn", "stale", why),
        Standing("08_bias_audit", "not run"),
        Standing("10_package", "stale", "it needs 08_bias_audit"),
        Standing("report", "stale", "not made of these stages"),
    )
    figures = ({**FIGURE, "stage": "churn"}, {**FIGURE, "stage": "mining", "name": "Recall"})
    story = Story("sample", "index.html", figures, (answer(),), (DECIDED,), standings=found)
    told = summary(story)
    assert told.splitlines()[:10] == [
        "Reports    index.html (of an earlier run)",
        "",
        "Stale, or not run yet; the next run does these",
        "  05_churn       stale: made with other parameters, or of other data, and it needs",
        "                   03_profile",
        "  08_bias_audit  has not run",
        "  10_package     stale: it needs 08_bias_audit",
        "",
        "Headline figures (backtested); * of a stale stage",
        "  * Churn AUC, 56 days    0.857 [0.830, 0.881]  n 2,304",
    ]
    assert "\n  Recall  " in told
    assert "Models (08_bias_audit is stale)\n" in told
    assert "What follows was answered before: 10_package is stale.\n\nCustomer 1" in told
    assert max(map(len, told.splitlines())) <= WIDTH


def test_sparse_answers_do_not_break_it() -> None:
    sparse = {"customer_id": "1", "strategies": [{"strategy": "scenario", "text": "plain"}]}
    told = summary(Story("s", "i", ({"name": "bare", "value": None},), (sparse, {})))
    assert "-. scenario" in told
    assert "bare  not available" in told
