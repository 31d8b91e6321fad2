import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mkt_models.audit_params import Gate
from mkt_models.columns import Verdict
from mkt_models.evaluation import gate as gates
from mkt_models.evaluation.fairness import group_table
from mkt_models.evaluation.gate import (
    Finding,
    Limit,
    findings,
    limits,
    marked,
    verdict,
    widest,
    widest_gap,
)
from mkt_models.evaluation.gate_words import in_english

GATE = Gate(max_calibration_gap=0.1, max_gap_of_rate=0.5, max_gap_of_amount=0.2)
LENIENT = GATE.model_copy(update={"undecided": "pass"})
GAP = [Limit("calibration_gap", 0.0, 0.1)]


def table(*rows, attribute="age_band", pair=False):
    """Groups of many customers: (name, gap, standard error, judged); the level is 1 - .05."""
    names = ["group", "calibration_gap", "calibration_gap_error", "judged"]
    out = pd.DataFrame(rows, columns=names).assign(attribute=attribute, pair=pair)
    return out.assign(
        n_customers=100_000,
        n_known=100_000 * len(rows),
        mean_target_all=0.4,
        calibration_gap_all=0.0,
        level=0.95,
        note="not judged: too few",
    )


def found(gap, error):
    return findings(table(("a", gap, error, True)), GAP, 0.95).iloc[0]


@pytest.mark.parametrize(
    ("gap", "error", "finding"),
    [
        (0.0, 0.05, "within"),  # .0 + 1.645 * .05 = .082
        (0.0, 0.07, "undecided"),  # .115, and nothing is shown
        (0.05, 0.02, "within"),  # a gap, but one of at most .083
        (0.08, 0.02, "suspected"),  # from .041 to .119
        (-0.08, 0.02, "suspected"),
        (0.08, 0.05, "undecided"),
        (0.15, 0.02, "beyond"),  # from .111
        (-0.15, 0.02, "beyond"),
        (0.13, 0.02, "suspected"),
        (0.0, np.nan, "undecided"),
    ],
)
def test_findings_by_hand(gap, error, finding):
    assert found(gap, error)["finding"] == finding


def test_the_smallest_gap_that_would_be_shown():
    # 1.96 + .8416 standard errors.
    assert found(0.0, 0.01)["smallest"] == pytest.approx(0.028016, abs=1e-5)


def test_more_limits_share_the_error():
    rows = table(("a", 0.0, 0.01, True)).assign(ability_gap=0.02, ability_gap_error=0.01)
    both = findings(rows, [*GAP, Limit("ability_gap", 0.0, 0.1, 1)], 0.95)
    assert both["upper"].iloc[0] == pytest.approx(0.01 * 2.2414, abs=1e-4)  # 1 - .05 / 4
    assert both["measure"].tolist() == ["calibration_gap", "ability_gap"]


def test_only_the_harmful_side_counts():
    less_selected = Limit("selection_ratio", 1.0, 0.2, -1)
    rows = table(("a", 0.0, 0.01, True)).assign(selection_ratio_error=0.02)
    for ratio, finding in [(0.5, "beyond"), (0.9, "within"), (1.9, "within"), (0.77, "suspected")]:
        one = findings(rows.assign(selection_ratio=ratio), [less_selected], 0.95)
        assert one["finding"].tolist() == [finding], ratio
    assert less_selected.words == "at least 0.8"


@given(gap=st.floats(-0.5, 0.5), error=st.floats(1e-4, 0.5), more=st.floats(1.01, 5))
def test_more_doubt_never_shows_more(gap, error, more):
    few, many = found(gap, error * more)["finding"], found(gap, error)["finding"]
    if many == Finding.UNDECIDED:
        assert few == Finding.UNDECIDED
    if few in (Finding.WITHIN, Finding.BEYOND):
        assert many == few


def test_limits_are_those_of_the_params():
    rows = table(("a", 0.0, 0.01, True))
    assert limits(rows, "classification", GATE) == [Limit("calibration_gap", 0.0, 0.1)]
    rare = rows.assign(mean_target_all=0.02)
    assert limits(rare, "classification", GATE)[0].allowed == pytest.approx(0.01)
    assert limits(rows, "regression", GATE)[0].allowed == 0.2
    asked = GATE.model_copy(update={"min_selection_ratio": 0.8, "max_ability_gap": 0.05})
    assert [(limit.measure, limit.side) for limit in limits(rows, "regression", asked)] == [
        ("calibration_gap", 0),
        ("selection_ratio", -1),
        ("ability_gap", 1),
    ]


def judge(rows, gate=GATE):
    answer, reasons = verdict(rows, "classification", gate, 0.95)
    for one in reasons:  # both languages, with the same figures
        assert re.search("[一-鿿]", one.zh)
        assert re.findall(r"[+-]\d\.\d{3}|\d+%", one.en) == re.findall(
            r"[+-]\d\.\d{3}|\d+%", one.zh
        )
    return answer, in_english(reasons)


FINE, WIDE = ("a", 0.0, 0.01, True), ("b", 0.05, 0.1, True)
SUSPECT, BAD = ("b", 0.08, 0.02, True), ("b", 0.2, 0.02, True)


def test_the_verdict_by_hand():
    answer, reasons = judge(table(FINE, ("b", -0.01, 0.01, True)))
    assert answer is Verdict.PASS
    assert reasons == [
        "age_band: calibration gap shown within ±0.1 for 2 of 2 groups, 100% of the customers it "
        "is known of"
    ]
    answer, reasons = judge(table(FINE, SUSPECT))
    assert answer is Verdict.NOT_EVALUATED
    assert reasons == [
        "age_band b (n = 100,000): calibration gap +0.080 [+0.041, +0.119] is shown, and may lie "
        "beyond ±0.1"
    ]
    answer, reasons = judge(table(FINE, BAD))
    assert answer is Verdict.FAIL
    assert reasons[0].endswith("+0.200 [+0.161, +0.239] lies beyond ±0.1")
    assert judge(table(BAD))[0] is Verdict.FAIL


def of_sizes(rows, *shares):
    """The same groups, of these shares of a million customers."""
    return rows.assign(n_customers=[int(1_000_000 * share) for share in shares], n_known=1_000_000)


def test_undecided_groups_do_not_carry_an_attribute():
    small = [("b", 0.0, 0.1, True), ("c", 0.0, 0.1, True), ("d", 0.0, 0.1, True)]
    # Half of the customers are in a group that is shown within: just enough.
    assert judge(of_sizes(table(FINE, *small), 0.5, 0.2, 0.2, 0.1))[0] is Verdict.PASS
    answer, reasons = judge(of_sizes(table(FINE, *small), 0.4, 0.2, 0.2, 0.2))
    assert answer is Verdict.NOT_EVALUATED
    assert reasons == [
        "age_band: calibration gap shown within ±0.1 for 1 of 4 groups, 40% of the customers it is "
        "known of, needs 50%; the least sure would show a gap 8 times in 10 from 0.28 on"
    ]


def test_nobody_stands_for_a_large_group_that_is_undecided():
    rows = of_sizes(table(FINE, WIDE), 0.55, 0.45)
    answer, reasons = judge(rows)
    assert answer is Verdict.NOT_EVALUATED
    assert reasons == [
        "age_band b (n = 450,000): calibration gap +0.050 [-0.146, +0.246] is undecided: neither a "
        "gap is shown nor ±0.1 ensured, of 45% of the customers; more than 25% are not carried by "
        "others"
    ]
    larger = GATE.model_copy(update={"max_undecided_share": 0.45})
    assert judge(rows, larger)[0] is Verdict.PASS
    assert judge(of_sizes(table(FINE, WIDE), 0.76, 0.24))[0] is Verdict.PASS


def test_a_gap_that_is_measured_beyond_withholds_though_it_is_not_shown():
    over = ("b", -0.12, 0.1, True)
    answer, reasons = judge(of_sizes(table(FINE, over), 0.85, 0.15))
    assert answer is Verdict.NOT_EVALUATED
    assert reasons == [
        "age_band b (n = 150,000): calibration gap -0.120 [-0.316, +0.076] is measured beyond "
        "±0.1, though not shown, of 15% of the customers"
    ]
    assert judge(of_sizes(table(FINE, over), 0.91, 0.09))[0] is Verdict.PASS
    less = Limit("selection_ratio", 1.0, 0.2, -1)  # more than the others is no harm
    rows = of_sizes(table(FINE, over), 0.85, 0.15).assign(
        selection_ratio=[1.0, 1.3], selection_ratio_error=[0.01, 0.4]
    )
    assert gates.judge(rows, [less], GATE, 0.95)[0] is Verdict.PASS


def test_a_large_group_that_could_not_be_judged_withholds():
    rows = table(FINE, ("b", 0.0, 0.01, True), ("c", np.nan, np.nan, False))
    answer, reasons = judge(of_sizes(rows, 0.4, 0.3, 0.3))
    assert answer is Verdict.NOT_EVALUATED
    assert reasons == ["age_band c: 30% of the customers it is known of are not judged: too few"]
    # Groups too small to show have no size of their own; what is left of the known is theirs.
    hidden = of_sizes(rows, 0.4, 0.3, 0.3).astype({"n_customers": "Int64"})
    hidden.loc[2, "n_customers"] = None
    assert judge(hidden)[1] == reasons
    assert judge(of_sizes(rows, 0.5, 0.3, 0.2))[0] is Verdict.PASS
    unknown = of_sizes(rows, 0.5, 0.5, 0.9).assign(group=["a", "b", "not available"])
    assert judge(unknown)[0] is Verdict.PASS


@given(
    gaps=st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(0.001, 0.2)), min_size=2, max_size=5),
    undecided=st.floats(0, 1),
    measured=st.floats(0, 1),
)
def test_the_shares_only_withhold_more(gaps, undecided, measured):
    rows = table(*[(str(i), gap, error, True) for i, (gap, error) in enumerate(gaps)])
    free = {"max_undecided_share": 1.0, "max_measured_share": 1.0}
    shares = {"max_undecided_share": undecided, "max_measured_share": measured}
    before = judge(rows, GATE.model_copy(update=free))[0]
    after = judge(rows, GATE.model_copy(update=shares))[0]
    assert after is before or (before, after) == (Verdict.PASS, Verdict.NOT_EVALUATED)


def test_a_lenient_gate_withholds_only_what_is_shown_and_says_so():
    for rows, n in (
        (table(FINE, SUSPECT), "1 finding"),
        (table(WIDE, ("c", 0.0, 0.1, True)), "1 finding"),
        (table(FINE, SUSPECT, WIDE), "2 findings"),  # suspected, and only a third shown within
    ):
        assert judge(rows)[0] is Verdict.NOT_EVALUATED
        answer, reasons = judge(rows, LENIENT)
        assert answer is Verdict.PASS
        assert reasons[0] == (
            f"passed by the parameter audit.gate.undecided: pass, which lets {n} pass that would "
            "have withheld the model as not evaluated"
        )
        assert [one.lenient for one in verdict(rows, "classification", LENIENT, 0.95)[1]] == [
            True,
            *[False] * (len(reasons) - 1),
        ]
    # What passes on its own has nothing of the kind, and what fails, fails.
    alike = table(FINE, ("b", 0.0, 0.01, True))
    assert judge(alike, LENIENT) == judge(alike)
    assert judge(table(FINE, BAD), LENIENT)[0] is Verdict.FAIL


def test_what_cannot_be_compared_is_never_a_pass():
    one = table(FINE, ("b", 0.0, 0.01, False))
    for gate in (GATE, LENIENT):
        answer, reasons = judge(one, gate)
        assert answer is Verdict.NOT_EVALUATED
        assert reasons == ["age_band: 1 group is large enough to judge, needs 2"]
        assert judge(one.iloc[:0], gate)[0] is Verdict.NOT_EVALUATED
        none = table(("not available", 0.0, 0.01, False)).assign(n_known=0)
        assert judge(none, gate)[0] is Verdict.NOT_EVALUATED
        # One attribute that passes does not carry one that cannot be judged.
        both = pd.concat([one, table(FINE, FINE, attribute="income_band")])
        assert judge(both, gate)[0] is Verdict.NOT_EVALUATED


def test_pairs_can_fail_a_model_but_are_not_needed():
    singles = table(FINE, ("b", 0.0, 0.01, True))
    pairs = {"attribute": "age_band × gender", "pair": True}
    small = of_sizes(table(WIDE, **pairs), 0.2)
    assert judge(pd.concat([singles, small]))[0] is Verdict.PASS
    assert judge(pd.concat([singles, of_sizes(table(WIDE, **pairs), 0.3)]))[0] is (
        Verdict.NOT_EVALUATED
    )
    assert judge(pd.concat([singles, table(BAD, **pairs)]))[0] is Verdict.FAIL
    # A pair without figures is no reason: most are too small.
    unknown = of_sizes(table(("c", 0.0, 0.1, False), **pairs), 0.9)
    assert judge(pd.concat([singles, unknown]))[0] is Verdict.PASS


def test_a_small_shop_whose_large_group_is_served_badly_seldom_passes():
    audits = [small_shop(seed, 0.12) for seed in range(25)]
    assert sum(answer is Verdict.PASS for answer in audits) <= 1
    assert Verdict.FAIL not in [small_shop(seed, 0.0) for seed in range(10)]


def small_shop(seed, gap, n=200):
    """Judge 200 customers of two groups; the second, 45 in 100, is underrated by so much."""
    rng = np.random.default_rng([seed, 3])
    p = rng.uniform(0.1, 0.6, n)
    group = np.where(rng.random(n) < 0.45, "b", "a")
    rows = pd.DataFrame({"customer_id": np.arange(n), "group": group, "p": p})
    rows["target"] = (rng.random(n) < p + gap * (group == "b")).astype(int)
    found = group_table(
        rows,
        "p",
        "group",
        "classification",
        0.2,
        50,
        5,
        100,
        0.95,
        seed,
        measures=["calibration_gap"],
    )
    return judge(found)[0]


def predictions(shift=0.0, n=6000):
    rng = np.random.default_rng(0)
    p = rng.uniform(0.1, 0.5, n)
    age = np.array(["young", "old"])[np.arange(n) % 2]
    target = (rng.random(n) < p + shift * (age == "old")).astype(int)
    customers = np.arange(n).astype(str)
    return pd.DataFrame({"customer_id": customers, "age": age, "p": p, "target": target})


@pytest.mark.parametrize(("shift", "says"), [(0.0, Verdict.PASS), (0.3, Verdict.FAIL)])
def test_from_predictions_to_a_verdict(shift, says):
    rows = group_table(
        predictions(shift), "p", "age", "classification", 0.2, 50, 5, 200, 0.95, seed=1
    )
    assert judge(rows)[0] is says


def test_the_widest_gap_is_told_of_groups_that_are_large_enough():
    rows = group_table(predictions(0.3), "p", "age", "classification", 0.2, 50, 5, 200, 0.95, 1)
    told = widest_gap(rows.assign(model="churn"))
    assert told.startswith("; the widest calibration gap is +0.")
    assert "(churn, age old, 3,000 customers)" in told
    assert widest_gap(rows.assign(model="churn", judged=False)) == ""


def test_gaps_of_several_models_are_wide_by_their_limits():
    both = pd.concat([table(("a", 0.1, 0.01, True)), table(("b", 0.05, 0.01, True))])
    assert widest(both)["group"] == "a"
    assert widest(both.assign(limit=[0.2, 0.05]))["group"] == "b"
    assert widest(both.assign(judged=False)) is None


def test_what_is_drawn_of_a_finding():
    rows = table(FINE, ("b", 0.0, 0.01, False)).assign(group=["a", "b"])
    drawn = marked(rows, findings(rows, GAP, 0.95), "calibration_gap")
    assert drawn["finding"].tolist() == ["within", ""]
    assert drawn["inner_upper"].iloc[0] == pytest.approx(0.016449, abs=1e-5)
    assert drawn.loc[1, ["inner_lower", "inner_upper"]].isna().all()
