"""Who takes over: all cases of audit, calibration and comparison."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.columns import Verdict
from mkt_models.evaluation.calibration import CalibrationCheck
from mkt_models.evaluation.comparison import Comparison
from mkt_models.evaluation.gate_words import Reason
from mkt_models.models.ledger import Outcome
from mkt_models.models.promotion import judge

HOLDS = CalibrationCheck("holds", "slope 1.0 is within", "斜率", 900, 300)
BROKEN = CalibrationCheck("broken", "slope 0.4 is beyond", "斜率", 900, 300)
UNKNOWN = CalibrationCheck("not_evaluated", "only 3 customers", "仅 3 位", 9, 3)
BETTER = Comparison("auc", 900, 300, 0.8, 0.79, 0.01, 0.002, 0.018)
EQUAL = Comparison("auc", 900, 300, 0.8, 0.79, 0.01, -0.002, 0.018)


@pytest.mark.parametrize(
    ("champion", "comparison", "outcome", "says"),
    [
        (None, None, Outcome.FIRST, "no champion before it"),
        ("a1", BETTER, Outcome.REPLACED, "better than a1"),
        ("a1", EQUAL, Outcome.KEPT, "not shown to be better than a1, which stays: auc 0.8"),
        ("a1", None, Outcome.KEPT, "no comparison was made"),
        ("a1", Comparison("auc", 0, 0, note="no row"), Outcome.KEPT, "not comparable: no row"),
    ],
)
def test_a_fit_challenger(champion, comparison, outcome, says):
    found = judge(Verdict.PASS, (), HOLDS, champion, comparison)
    assert found.outcome is outcome
    assert says in found.reason.en
    assert found.reason.zh


@pytest.mark.parametrize("champion", [None, "a1"])
@pytest.mark.parametrize(
    ("verdict", "calibration", "says"),
    [
        (Verdict.FAIL, HOLDS, "its audit fails: age beyond"),
        (Verdict.NOT_EVALUATED, HOLDS, "its audit could not be evaluated: age beyond"),
        (Verdict.PASS, BROKEN, "its calibration is broken: slope 0.4"),
        (Verdict.PASS, UNKNOWN, "its calibration could not be evaluated: only 3 customers"),
    ],
)
def test_an_unfit_challenger_is_refused_however_good(champion, verdict, calibration, says):
    found = judge(verdict, (Reason("age beyond", "年龄超限"),), calibration, champion, BETTER)
    assert found.outcome is Outcome.REFUSED
    assert says in found.reason.en
    assert ("年龄超限" in found.reason.zh) == (verdict is not Verdict.PASS)
    assert "age beyond" not in found.reason.zh
    assert ("a1 stays" in found.reason.en) == (champion is not None)


@pytest.mark.parametrize(("champion", "outcome"), [(None, Outcome.FIRST), ("a1", Outcome.REPLACED)])
def test_what_passed_by_a_parameter_alone_is_said(champion, outcome):
    reasons = (
        Reason("by undecided: pass", "因参数放行", lenient=True),
        Reason("age within", "年龄"),
    )
    found = judge(Verdict.PASS, reasons, HOLDS, champion, BETTER)
    assert found.outcome is outcome
    assert "its audit passes (by undecided: pass), its calibration holds" in found.reason.en
    assert "审计通过（因参数放行），校准成立" in found.reason.zh
    assert "undecided" not in judge(Verdict.PASS, (), HOLDS, champion, BETTER).reason.en


@settings(deadline=None)
@given(
    verdict=st.sampled_from(Verdict),
    state=st.sampled_from(["holds", "broken", "not_evaluated"]),
    champion=st.sampled_from([None, "a1"]),
    gap=st.just((np.nan,) * 3) | st.tuples(*[st.floats(-1, 1)] * 3),
)
def test_nothing_is_released_without_pass_and_calibration(verdict, state, champion, gap):
    gain, *ends = gap
    comparison = Comparison("auc", 900, 300, 0.8, 0.8, gain, min(ends), max(ends))
    calibration = CalibrationCheck(state, "why", "原因", 900, 300)
    outcome = judge(verdict, (), calibration, champion, comparison).outcome
    if outcome in (Outcome.FIRST, Outcome.REPLACED):
        assert verdict is Verdict.PASS
        assert state == "holds"
    if outcome is Outcome.REPLACED:
        assert champion is not None
        assert min(gap[1:]) > 0
    if outcome is Outcome.FIRST:
        assert champion is None
