import math

import pytest

from mkt_models.columns import Verdict
from mkt_models.experiments.fixed_horizon import Contrast
from mkt_models.experiments.guardrails import guardrail, margin_of
from mkt_models.experiments.metrics import Metric
from mkt_models.experiments.said import Said

VISITS = Metric(name="visits", kind="mean", role="guardrail", column="visits")
NONE = Contrast(0, math.nan, math.nan, math.nan, math.nan, 0.95)


def ends(lower, upper):
    return Contrast((lower + upper) / 2, 0.01, lower, upper, 0.5, 0.95)


@pytest.mark.parametrize(
    ("lower", "upper", "more", "less"),
    [
        (-0.01, 0.03, Verdict.PASS, Verdict.NOT_EVALUATED),
        (-0.03, 0.01, Verdict.NOT_EVALUATED, Verdict.PASS),
        (-0.05, -0.03, Verdict.FAIL, Verdict.PASS),
        (0.03, 0.05, Verdict.PASS, Verdict.FAIL),
        (-0.03, 0.03, Verdict.NOT_EVALUATED, Verdict.NOT_EVALUATED),
    ],
)
def test_a_margin_of_two_per_cent_in_either_direction(lower, upper, more, less):
    complaints = VISITS.model_copy(update={"better": "less"})
    assert guardrail(VISITS, NONE, ends(lower, upper), 0.02)[0] is more
    assert guardrail(complaints, NONE, ends(lower, upper), 0.02)[0] is less


def test_no_harm_shown_is_no_pass():
    verdict, why = guardrail(VISITS, NONE, ends(-0.3, 0.3), 0.02)
    assert verdict is Verdict.NOT_EVALUATED
    assert why.en == "a loss beyond 2.00% is neither shown nor ruled out, [-30.00%, +30.00%]"
    assert why.zh == "既未证实、也未排除超过 2.00% 的损失，[-30.00%, +30.00%]"


def test_a_margin_in_the_unit_of_the_metric():
    metric = VISITS.model_copy(update={"margin": 0.5, "margin_of": "unit"})
    assert margin_of(metric, 0.02) == 0.5
    assert margin_of(VISITS, 0.02) == 0.02
    verdict, why = guardrail(metric, ends(-0.4, 0.1), NONE, 0.5)
    assert verdict is Verdict.PASS
    assert why.en == "a loss beyond 0.5 is ruled out, [-0.4, +0.1]"


def test_what_cannot_be_judged_has_not_passed():
    assert guardrail(VISITS, ends(0, 1), NONE, 0.02)[0] is Verdict.NOT_EVALUATED
    verdict, why = guardrail(VISITS, ends(0, 1), ends(0, 1), 0.02, Said("too few", "太少"))
    assert (verdict, why.en) == (Verdict.NOT_EVALUATED, "too few")
