"""The report of a run: its index, and what leads from it."""

import ast
from pathlib import Path

import nbformat
import pytest

from mkt_models.manifest import manifest
from mkt_models.notebook_pages import outside_links
from mkt_models.reporting import KINDS, about_numbers, render_index
from mkt_models.stages import STAGES, Run
from mkt_models.story import Story


def test_the_index_tells_figures_strategies_and_stages(project: Path) -> None:
    run = Run.open(project / "params" / "sample.yaml", {})
    for stage in STAGES[:2]:
        run.executed(stage).parent.mkdir(parents=True, exist_ok=True)
        run.executed(stage).write_text(run.notebook(stage).read_text())
    figure = {"name": "AUC <56 days>", "value": 0.857, "lower": 0.83, "upper": 0.88, "n": 2304}
    answer = {
        "customer_id": "17",
        "as_of": "2018-01-01",
        "strategies": [
            {
                "rank": 1,
                "strategy": "scenario",
                "channel": "app",
                "title": {"en": "For the weekend", "zh": "周末优选"},
                "text": {"en": "Things you buy on Saturdays", "zh": "您周六常买的商品"},
                "worth": 0.0126,
                "worth_kind": "propensity_weighted",
                "reasons": [{"en": "shops on weekends", "zh": "周末购物"}],
            }
        ],
        "suppressed": [{"strategy": "scenario", "channel": "sms", "code": "quiet_hours"}],
    }
    story = Story("sample", "reports/sample/index.html", (figure,), (answer,))
    made_of = {
        "params_file": "sample.yaml",
        "overrides": {"seed": 3},
        "params_digest": "abc",
        "parameters": {"seed": 3},
        "data": "not recorded",
        "git": {"commit": "unknown", "dirty": None},
        "python": "3.11",
        "packages": {"doit": "0.37"},
        "stages": {"01_explore": {"seconds": 2.5}},
        "ended": "2026-11-23T07:00:00",
    }
    page = render_index(run, story, made_of)
    assert "AUC &lt;56 days&gt;" in page
    assert "0.857 [0.830, 0.880]" in page
    for words in ("周末优选", "shops on weekends", "quiet hours", "seed=3", "2.5 s"):
        assert words in page
    assert page.count('<a href="0') == 2
    assert outside_links(page) == []


def test_the_index_says_which_version_decides_and_leads_to_the_cards(project: Path) -> None:
    run = Run.open(project / "params" / "sample.yaml", {})
    decided = {"model": "churn", "trained": "1f0c", "outcome": "kept", "released": "a1b2"}
    decided |= {"audit": "pass", "calibration": "holds", "why": "gain +0.0004 [-0.0002, 0.001]"}
    none = {**decided, "model": "value", "outcome": "refused", "released": None}
    story = Story("sample", "i", (), (), (decided, none))
    made_of = manifest(run)
    page = render_index(run, story, made_of)
    for words in (
        'href="card_churn.html"><code>1f0c',
        'href="card_churn_champion.html"><code>a1b2',
        "not released, the champion stays",
        "<td>refused</td>",
        "<td>none</td>",
        "gain +0.0004 [-0.0002, 0.001]",
    ):
        assert words in page
    assert outside_links(page) == []


def kinds(measured):
    return about_numbers(measured, 0.95, 5)["kinds"]


def test_a_part_of_no_known_kind_is_refused_and_not_guessed() -> None:
    with pytest.raises(KeyError, match=r"churn\.oracle has numbers of no known kind"):
        kinds({"churn": {"oracle": [{"auc": 0.9}]}})
    words = {"churn": {"headline": [{"value": 1, "kind": "backtested"}], "oracle": ["a", True]}}
    assert kinds(words) == {}


def test_a_part_that_mixes_kinds_is_named_by_what_is_in_it() -> None:
    found = kinds({"mining": {"variety": {"ranking": [{"value": 0.1}], "weights": {"share": 2.0}}}})
    assert found == {"mining.variety.ranking": "backtested", "mining.variety.weights": "observed"}


@pytest.mark.parametrize(
    ("simulated", "totals", "effects", "policies"),
    [
        (True, "simulated", "simulated", "simulated"),
        (False, "observed", "randomised", "by_row"),
    ],
)
def test_what_a_service_did_is_of_the_kind_that_it_is(simulated, totals, effects, policies) -> None:
    of = "simulated" if simulated else ""
    served = {
        "simulated": simulated,
        "exit_code": 3,
        "totals": {"decisions": 600},
        "effects": [{"effect": 2.5, "kind": of or "randomised"}],
        "policies": [
            {"value": 9.6, "kind": of or "observed"},
            {"value": 9.1, "kind": of or "off_policy"},
        ],
    }
    assert kinds({"served": served}) == {
        "served.totals": totals,
        "served.effects": effects,
        "served.policies": policies,
    }


def test_a_column_named_kind_that_says_something_else_is_no_number_kind() -> None:
    found = kinds({"audit": {"proxies": [{"auc": 0.6, "kind": "feature"}]}})
    assert found == {"audit.proxies": "observed"}


NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
WORDS = {"audit.headline", "audit.verdicts", "audit.reasons"}


@pytest.mark.parametrize("stage", ["05_churn", "06_value", "07_propensity", "08_bias_audit"])
def test_every_part_that_a_notebook_measures_has_its_kind(stage: str) -> None:
    cells = nbformat.read(NOTEBOOKS / f"{stage}.ipynb", as_version=4).cells
    found = {
        key.value
        for cell in cells
        if cell.cell_type == "code"
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.Dict)
        and any(isinstance(key, ast.Constant) and key.value == "headline" for key in node.keys)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    assert len(found) > 4
    folder = stage.partition("_")[2].replace("bias_", "")
    assert {f"{folder}.{part}" for part in found - {"headline"}} - WORDS <= set(KINDS)
