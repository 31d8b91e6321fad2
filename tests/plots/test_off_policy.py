import numpy as np
import pandas as pd
from plots.tables import caption, texts, ticks, title

from mkt_models import plots


def table() -> pd.DataFrame:
    rows = [("logged", "observed", 0.2, 0.19, 0.21, True, 0.0)]
    for policy, value, judged, lost in (("good", 0.3, True, 0.0), ("far", np.nan, False, 0.4)):
        rows += [
            (policy, "ips", value, value - 0.05, value + 0.05, judged, lost),
            (policy, "snips", value, value - 0.03, value + 0.03, judged, lost),
            (policy, "dm", value, np.nan, np.nan, judged, lost),
        ]
    names = ["policy", "estimator", "value", "value_lower", "value_upper", "judged", "unsupported"]
    found = pd.DataFrame(rows, columns=names)
    return found.assign(n=900, n_customers=300, effective_n=[900, *[450] * 3, *[80] * 3])


def test_policies_stand_with_their_support() -> None:
    ax = plots.off_policy(table())
    assert ticks(ax) == ["far\n80 effective, 40% without support", "good\n450 effective"]
    assert texts(ax) == ["not evaluated: the log does not support it"]
    assert title(ax) == "1 of 2 policies can be evaluated; good: 0.3"
    assert caption(ax).startswith("900 decisions of 300 customers.")
    fills = [container.lines[0].get_markerfacecolor() for container in ax.containers]
    assert [fill == "white" for fill in fills] == [False, False, True]


def test_the_title_counts_the_intervals_that_hold_the_truth() -> None:
    ax = plots.off_policy(table(), {"good": 0.32, "far": 0.5})
    assert (
        title(ax) == "The true value lies in the SNIPS interval of 1 of 1 policies; 1 not evaluated"
    )
    off = plots.off_policy(table(), {"good": 0.34}, by="snips", truth_name="on-policy mean")
    assert title(off).startswith("The on-policy mean lies in the SNIPS interval of 0 of 1")


def test_the_title_says_what_is_better() -> None:
    found = table().assign(difference_lower=0.05, difference_upper=0.15)
    assert title(plots.off_policy(found)) == (
        "1 of 2 policies are shown to be better than the reference, 0 to be worse; 1 not evaluated"
    )


def test_nothing_to_evaluate_is_said() -> None:
    found = table()
    found = found[found["policy"] != "good"]
    assert title(plots.off_policy(found)) == "No policy can be evaluated from this log"
