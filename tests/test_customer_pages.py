"""The pages of the showcase customers, from what the stages left."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from chain import ROOT, SIMULATED, SMALL, run_chain, sample

from mkt_models.customer_pages import customer_side, page_name, render_customers
from mkt_models.engine import connect
from mkt_models.notebook_pages import TEMPLATES, outside_links
from mkt_models.profiles.tag_catalogue import load_tag_catalogue
from mkt_models.story import Story
from mkt_models.workspace import Workspace

TAGS = load_tag_catalogue(ROOT / "params" / "tags.yaml")
ANSWER = {
    "as_of": "2025-07-01",
    "strategies": [
        {
            "rank": 1,
            "channel": "app",
            "title": {"en": "Your regulars", "zh": "您常买的"},
            "text": {"en": "Running low on <tea>?", "zh": "茶快用完了吗？"},
            "reasons": [{"en": "bought twice", "zh": "购买两次"}],
            "worth": 1.5,
        }
    ],
    "suppressed": [{"strategy": "scenario", "channel": "sms", "code": "quiet_hours"}],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run of a simulated shop that has described its customers and asked for two of them."""
    folder = tmp_path_factory.mktemp("run")
    params = sample(folder, SIMULATED)
    with connect(SMALL, folder / "spill") as con:
        made = run_chain(con, params, folder / "raw", folder)
    workspace = Workspace(params, folder, folder)
    workspace.write_table("profile", "profiles", made.profiles)
    workspace.write_table("profile", "tags", made.tags)
    shown = made.profiles["customer_id"].head(2).tolist()
    scores = {
        "churn": {"value": 0.25, "kind": "predicted", "reasons": [{"en": "late", "zh": "迟"}]}
    }
    workspace.write_json(
        "package",
        "profiles",
        [{"customer_id": c, "scores": scores, "verdicts": {"churn": "pass"}} for c in shown],
    )
    return SimpleNamespace(
        workspace=workspace, params_file=ROOT / "params" / "demo.yaml", shown=shown
    )


def pages(run: Any, customers: list[str]) -> dict[str, str]:
    answers = tuple({**ANSWER, "customer_id": customer} for customer in customers)
    story = Story("demo", "index.html", (), answers)
    return render_customers(run, story, "", Path(TEMPLATES))


def test_every_customer_has_a_page_in_both_languages(run: Any):
    found = pages(run, run.shown)
    assert list(found) == [page_name(1), page_name(2)]
    for customer, page in zip(run.shown, found.values(), strict=True):
        assert f"<h1>Customer {customer}</h1>" in page
        for said in (
            "Eight dimensions",
            "八个维度",
            "Your regulars",
            "您常买的",
            "迟",
            "25.0%",
            "Probability of no order in the next 56 days",
            "未来56天内不下单的概率",
            "audit: pass",
            "审计: 通过",
        ):
            assert said in page
        assert "audit: pass" in page
        assert "Left out, quiet hours: scenario by sms" in page
        assert "Running low on &lt;tea&gt;?" in page  # whatever a text holds, it is text
        assert outside_links(page) == []
        assert not re.search(
            r"\b[a-z]+_[a-z_]+\b", re.sub(r"<[^>]+>", " ", page)
        )  # words, no names


def test_the_audit_is_told_with_all_that_it_rests_on(run: Any):
    lenient = {"en": "passed by the parameter audit.gate.undecided: pass", "zh": "因参数而通过"}
    open_gap = {"en": "age_band 65+ (n = 12): undecided", "zh": "age_band 65+：无法判定"}
    card = {
        "facts": {"model": "churn"},
        "version": "abc",
        "standing": {"verdict_reasons": [lenient, open_gap]},
    }
    why = "value:def is not released: its audit could not be evaluated"
    customer = run.shown[0]
    score = {"value": 0.25, "kind": "predicted", "model": "churn:abc", "reasons": []}
    before = run.workspace.read_json("package", "profiles")
    described = {
        "customer_id": customer,
        "scores": {"churn": score},
        "verdicts": {"churn": "pass"},
        "not_released": {"value": why},
    }
    run.workspace.write_json("package", "profiles", [described])
    story = Story("demo", "index.html", (), ({**ANSWER, "customer_id": customer},), cards=(card,))
    (page,) = render_customers(run, story, "", Path(TEMPLATES)).values()
    run.workspace.write_json("package", "profiles", before)
    assert "audit: pass, passed by the parameter audit.gate.undecided: pass" in page
    assert "<li>age band 65+ (n = 12): undecided</li>" in page
    assert "审计: 通过, 因参数而通过" in page
    assert page.count(f"{why}</span>") == 2
    assert "no score." in page
    assert "无评分。" in page


def test_a_customer_without_a_profile_has_no_page(run: Any):
    assert list(pages(run, ["nobody", run.shown[0]])) == [page_name(2)]
    assert pages(run, []) == {}


def test_private_tags_are_on_no_page(run: Any):
    tags = run.workspace.read_table("profile", "tags")
    private = tags.loc[tags["private"], "customer_id"].unique()
    assert len(private)
    (page,) = pages(run, [str(private[0])]).values()
    assert "parenting topics" not in page
    assert "育儿" not in page


def test_a_side_has_every_dimension_and_the_why_of_every_tag(run: Any):
    profiles = run.workspace.read_table("profile", "profiles")
    tags = run.workspace.read_table("profile", "tags")
    row = profiles.iloc[0]
    own = tags[tags["customer_id"] == row["customer_id"]]
    side = customer_side(row, own, TAGS, "en", "CNY")
    assert len(side.dimensions) == 8
    assert len(side.tags) == int((~own["private"]).sum()) >= 3
    assert all(isinstance(cell, str) for line in side.tags for cell in line)
    assert pd.notna(row["computed_at"])
