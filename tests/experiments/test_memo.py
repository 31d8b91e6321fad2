import itertools

import numpy as np
import pandas as pd
import pytest
from experiments.trials import ABC

from mkt_models.columns import Verdict
from mkt_models.experiment_params import Experiments
from mkt_models.experiments.heterogeneity import COLUMNS
from mkt_models.experiments.memo import Decision, memo
from mkt_models.experiments.said import Said
from mkt_models.experiments.sample_ratio import SampleRatio

NO_SEGMENTS = pd.DataFrame(columns=COLUMNS)


def ratio(verdict=Verdict.PASS):
    table = pd.DataFrame([{"stratum": "all units", "n_control": 500, "n_a": 250, "n_b": 250}])
    return SampleRatio(verdict, 0.4, Said("why", "为何"), table)


def effect(arm="a", verdict="", note="", role="primary", metric="orders", value=0.02, **more):
    nothing = bool(note)
    ends = [np.nan] * 3 if nothing else [value, value - 0.03, value + 0.03]
    row = dict(zip(("effect", "effect_lower", "effect_upper"), ends, strict=True))
    row |= {"lift": np.nan, "lift_lower": np.nan, "lift_upper": np.nan}
    row |= {"metric": metric, "metric_zh": "下单率", "metric_kind": "proportion", "role": role}
    row |= {"arm": arm, "control": "control", "n": 250, "n_control": 500, "kind": "randomised"}
    row |= {"effect_error": np.nan if nothing else 0.01, "p_adjusted": 0.03, "level": 0.95}
    row |= {"correction": "holm", "shown": bool(verdict), "verdict": verdict, "shown_at": None}
    row |= {"normal_from": 0.0, "test": "t", "note": note, "note_zh": "未评估" if note else ""}
    return row | more


def guard(arm="a", verdict=Verdict.PASS):
    row = {"metric": "visits", "metric_zh": "访问", "arm": arm, "verdict": verdict, "n": 250}
    return row | {"n_control": 500, "kind": "randomised", "why": "because", "why_zh": "因为"}


def told(effects, guards=(), *, verdict=Verdict.PASS, n=1000, planned=1000, **settings):
    return memo(
        ABC,
        Experiments(**settings),
        ratio(verdict),
        pd.DataFrame(effects),
        pd.DataFrame(list(guards)),
        NO_SEGMENTS,
        n,
        planned,
    )


BETTER, WORSE, NOTHING = effect(verdict="better"), effect(verdict="worse"), effect()
FAILED, DOUBTED = guard(verdict=Verdict.FAIL), guard(verdict=Verdict.NOT_EVALUATED)
TOO_FEW = effect(note="not judged: too few")
EARLY = {"n": 400, "method": "sequential"}


@pytest.mark.parametrize(
    ("effects", "guards", "how", "decision", "title"),
    [
        ([BETTER], [], {}, Decision.SHIP, "Ship a: orders is shown to be better than in control"),
        ([BETTER], [guard()], {}, Decision.SHIP, "Ship a"),
        ([NOTHING], [guard()], {}, Decision.DO_NOT_SHIP, "Do not ship: no gain is shown."),
        ([WORSE], [], {}, Decision.DO_NOT_SHIP, "Do not ship: a primary metric is shown to be"),
        ([BETTER], [DOUBTED], {}, Decision.DO_NOT_SHIP, "Do not ship: a gain is shown, but a gu"),
        ([BETTER], [FAILED], {}, Decision.DO_NOT_SHIP, "Do not ship: a gain is shown, but a gu"),
        ([NOTHING], [FAILED], {}, Decision.DO_NOT_SHIP, "Do not ship: a guardrail is broken, and"),
        ([TOO_FEW], [], {}, Decision.NOT_EVALUATED, "Not evaluated"),
        ([BETTER], [], {"verdict": Verdict.NOT_EVALUATED}, Decision.NOT_EVALUATED, "Not evaluated"),
        ([BETTER], [], {"verdict": Verdict.FAIL}, Decision.INVALID, "Invalid: the arms do not"),
        ([BETTER], [], {"n": 400}, Decision.KEEP_RUNNING, "Keep running"),
        ([NOTHING], [], EARLY, Decision.KEEP_RUNNING, "Keep running"),
        ([TOO_FEW], [], EARLY, Decision.KEEP_RUNNING, "Keep running"),
        ([BETTER], [], EARLY, Decision.SHIP, "Ship a"),
        ([BETTER], [DOUBTED], EARLY, Decision.KEEP_RUNNING, "Keep running"),
        ([WORSE], [], EARLY, Decision.DO_NOT_SHIP, "Do not ship"),
        ([NOTHING], [FAILED], EARLY, Decision.DO_NOT_SHIP, "Do not ship"),
        ([WORSE, effect("b")], [], EARLY, Decision.KEEP_RUNNING, "Keep running"),
        ([BETTER, effect(verdict="worse", metric="spend")], [], {}, Decision.DO_NOT_SHIP, "Do not"),
    ],
)
def test_decisions(effects, guards, how, decision, title):
    found = told(effects, guards, **how)
    assert found.decision is decision
    assert found.title.en.startswith(title)
    assert (found.arm is not None) == (decision is Decision.SHIP)
    assert found.title.zh
    assert found.change.en
    assert found.change.zh


def test_nothing_ships_without_a_gain_or_past_a_guardrail():
    """All combinations of two arms: an arm ships only if it gains, harms nothing and is safe."""
    verdicts, gates = ("better", "worse", ""), tuple(Verdict)
    for one, two, first, second in itertools.product(verdicts, verdicts, gates, gates):
        effects = [effect("a", one), effect("b", two, value=0.03)]
        found = told(effects, [guard("a", first), guard("b", second)])
        good = {
            arm
            for arm, verdict, gate in (("a", one, first), ("b", two, second))
            if verdict == "better" and gate is Verdict.PASS
        }
        assert (found.arm in good) if good else found.arm is None


def test_the_larger_gain_ships_and_the_other_is_named():
    found = told([effect("a", "better", value=0.02), effect("b", "better", value=0.05)])
    assert found.arm == "b"
    assert "a gain is shown in a too; these arms were not compared" in found.title.en
    less = told([effect("a", "better", value=-0.05), effect("b", "better", value=-0.02)])
    assert less.arm == "a"


def test_sentences_say_n_interval_and_kind():
    text = told([NOTHING, TOO_FEW], [DOUBTED]).markdown("en")
    assert "n = 1,000 complete units of 1,000 planned; assigned: control 500, a 250, b 250" in text
    assert (
        "orders, a against control: no difference is shown: +2 points [-1, +5]; n = 250 + 500, "
        "p = 0.03 (Holm), intervals at 0.95, randomised." in text
    )
    assert "orders, a against control: not judged: too few." in text
    assert "Guardrail visits, a: not shown to hold: because; n = 250 + 500, randomised." in text
    # (1.96 from the interval as it is, and .84 for the power) errors: 3 + .84 points.
    assert "an effect of ±3.84 points on orders would have been shown with a chance of 80%" in text


def test_both_languages_say_the_same_numbers():
    found = told([BETTER, effect("b", role="secondary", verdict="better")], [guard()])
    for one in found.evidence:
        assert sorted(filter(str.isdigit, one.en)) == sorted(filter(str.isdigit, one.zh))
    assert "下单率，a 组对 control 组：确实更好：+2 个百分点" in found.markdown("zh")
    assert "什么情况会改变此结论：" in found.markdown("zh")


def test_conditions_of_the_intervals_are_said():
    assert "only if this is the first and only look" in told([NOTHING], planned=None).markdown("en")
    assert "more units than planned" in told([NOTHING], n=1200).markdown("en")
    assert "more units" not in told([NOTHING], n=1050).markdown("en")
    assert "hold at every look" in told([NOTHING], method="sequential").markdown("en")


def test_skew_and_the_day_are_said():
    row = effect(verdict="better", normal_from=9000.0, shown_at=pd.Timestamp("2026-03-02"))
    text = told([row]).markdown("en")
    assert "shown from 2026-03-02 on" in text
    assert "the interval of an effect is rough below 9,000 units per arm" in text
    for at, said in ((7, "7"), (10.0, "10"), (1_000_000.0, "1000000"), (2.5, "2.5")):
        assert f"shown from {said} on" in told([row | {"shown_at": at}]).markdown("en")


def test_a_claim_whose_interval_reaches_0_says_what_it_goes_by():
    """Holm goes on to the next p-value with less correction; the intervals hold all at once."""
    found = told([effect(verdict="better", level=0.975)])
    assert "intervals at 0.975 (widened for all comparisons at once" in found.markdown("en")
    assert "结论依据校正后的 p 值" in found.markdown("zh")
    for row in (effect(), effect(verdict="better", value=0.05)):
        assert "widened" not in told([row]).markdown("en")
        assert "放宽" not in told([row]).markdown("zh")


def test_secondary_comparisons_are_counted():
    rows = [effect(), effect(role="secondary"), effect(role="secondary", note="not judged")]
    text = told(rows).markdown("en")
    assert "Secondary comparisons that show no difference: 1 of 1." in text
    assert "Secondary comparisons that are not judged: 1." in text


def test_segments_that_differ_are_named_and_the_rest_is_counted():
    row = dict.fromkeys(COLUMNS, np.nan) | {"metric": "orders", "arm": "a"}
    row |= {"interaction_adjusted": 0.01}
    table = pd.DataFrame(
        [
            row | {"segment": "region", "status": "declared", "differs": True},
            row | {"segment": "tier", "status": "declared", "differs": False},
            row | {"segment": "age", "status": "exploratory", "differs": False},
        ]
    )
    frame = pd.DataFrame([NOTHING])
    found = memo(ABC, Experiments(), ratio(), frame, pd.DataFrame(), table, 1000, 1000)
    text = found.markdown("en")
    assert "is shown to differ between the groups of region (declared before; p = 0.01" in text
    assert "Declared comparisons of segments that show no difference: 1." in text
    assert "Exploratory comparisons of segments, which claim nothing: 1." in text
