"""What docs/off_policy.md says runs, and the numbers it gives are so."""

import re
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from evaluation.logs import drawn

from mkt_models.decisions.exploration import Option, choose
from mkt_models.evaluation.decision_log import read_log
from mkt_models.evaluation.support import NEEDS
from mkt_models.exploration_params import Exploration

matplotlib.use("Agg")
PAGE = (Path(__file__).parents[1] / "docs" / "off_policy.md").read_text()


def test_the_example_runs() -> None:
    import matplotlib.pyplot as plt

    (_, code) = re.findall(
        r"```python\n(.*?)```", PAGE, flags=re.DOTALL
    )  # the first: test_served_log
    log, actions = drawn(2000)
    exec(code, {"log": log, "actions": actions})
    plt.close("all")


def test_the_limits_are_those_of_the_code() -> None:
    assert f"more than {NEEDS.max_unsupported:.0%}".replace("%", " %") in PAGE
    assert f"fewer than {NEEDS.min_effective:.0f} effective customers" in PAGE
    assert f"more than {NEEDS.max_largest_share:.0%}".replace("%", " %") in PAGE
    assert f"fewer than {NEEDS.min_different} customers had another reward" in PAGE
    assert f"fewer than {NEEDS.min_expected_different:.0f} such rewards" in PAGE


@pytest.mark.parametrize(("wanted", "amounts_to"), [("e", 200), ("a", 9200)])
def test_what_ten_thousand_decisions_amount_to(wanted: str, amounts_to: int) -> None:
    options = [Option(key, 9.0 - i) for i, key in enumerate("abcde")]
    how = Exploration(method="epsilon", epsilon=0.1)
    choices = [choose(options, str(i), how) for i in range(10_000)]
    log = pd.DataFrame(
        {
            "decision_id": range(10_000),
            "customer_id": range(10_000),
            "action": [one.key for one in choices],
            "probability": [one.probability for one in choices],
            "reward": 1.0,
        }
    )
    actions = pd.DataFrame(
        {"decision_id": np.repeat(range(10_000), 5), "action": list("abcde") * 10_000}
    )
    actions["policy"] = (actions["action"] == wanted).astype(float)
    weights = read_log(log, actions, ["policy"]).weights("policy")
    effective = weights.sum() ** 2 / (weights**2).sum()
    # A count of 10,000 draws: within four standard errors.
    p = amounts_to / 10_000
    assert abs(effective - amounts_to) < 4 * np.sqrt(10_000 * p * (1 - p))
