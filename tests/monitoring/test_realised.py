"""Labels that arrived, held against a promise: worse, as good, better, and not evaluated."""

import numpy as np
import pytest
from monitoring.worlds import SMALL, halves, panel

from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring.realised import calibration_table, figures, judged, realised_table
from mkt_models.monitoring_params import PerformanceLimits
from mkt_models.release_params import CalibrationLimits

LIMITS = PerformanceLimits(max_auc_loss=0.02, max_error_rise=0.1)
KIND = "classification"


def promise(rows):
    return figures(rows, "score", KIND, 199, 0.95, 3)


def realised(now, promised):
    return realised_table(
        now, "score", KIND, promised, LIMITS, false_alarms=0.05, **SMALL
    ).set_index("metric")


def test_a_model_that_does_what_it_promised_raises_no_alarm():
    before, now = halves(panel())
    table = realised(now, promise(before))
    assert table["evaluated"].all()
    assert not table["lost"].any()
    assert (table["level"] == 1 - 0.1 / 2).all()
    assert table.loc["brier", "allowed"] == pytest.approx(0.1 * promise(before)["brier"].value)


def test_labels_that_the_scores_no_longer_tell_are_a_loss_by_both_metrics():
    before, now = halves(panel())
    tossed = now.assign(target=np.arange(len(now)) % 2)
    table = realised(tossed, promise(before))
    assert table["lost"].all()
    assert table.loc["auc", "loss"] > 0.02
    assert table.loc["brier", "loss"] > 0


def test_to_do_better_is_no_loss():
    before, now = halves(panel())
    table = realised(now.assign(target=(now["score"] > 0.5).astype(int)), promise(before))
    assert not table["lost"].any()
    assert (table["loss_upper"] < 0).all()


def test_a_loss_needs_to_be_shown_and_to_matter():
    promised = Figure(0.80, 0.79, 0.81, 1000)
    assert judged("auc", promised, Figure(0.75, 0.74, 0.76, 1000), LIMITS, 0.95)["lost"]
    assert not judged("auc", promised, Figure(0.75, 0.60, 0.90, 30), LIMITS, 0.95)["lost"]
    assert not judged("auc", promised, Figure(0.785, 0.784, 0.786, 1000), LIMITS, 0.95)["lost"]
    # By hand: the loss is .05, its lower end .05 - hypot(.01, .01)
    loss = judged("auc", promised, Figure(0.75, 0.74, 0.76, 1000), LIMITS, 0.95)["loss_lower"]
    assert loss == pytest.approx(0.05 - np.hypot(0.01, 0.01))


def test_without_a_promise_or_customers_nothing_is_evaluated():
    before, now = halves(panel())
    table = realised(now, {})
    assert not table["evaluated"].any()
    assert table["note"].tolist() == [
        "no auc with an interval was promised",
        "no brier with an interval was promised",
    ]
    few = realised(now[now["customer_id"] < 15], promise(before))
    assert not few["evaluated"].any()
    assert few.loc["auc", "note"] == "only 15 customers, needs 20"


def test_calibration_by_period():
    rows = panel(n=800)
    errors = {"false_alarms": 0.05, **SMALL}
    limits = CalibrationLimits(max_factor=1.6)
    table = calibration_table(rows, "score", KIND, limits, **errors)
    assert table["state"].tolist() == ["holds", "holds"]
    doubled = rows.assign(score=rows["score"] / 3)
    assert (calibration_table(doubled, "score", KIND, limits, **errors)["state"] == "broken").all()
    few = calibration_table(rows[rows["customer_id"] < 15], "score", KIND, limits, **errors)
    assert few["why"].unique().tolist() == ["only 15 customers, needs 20"]
    assert few["why_zh"].unique().tolist() == ["仅 15 位客户，至少需要 20 位"]
