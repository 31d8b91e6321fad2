"""How often every rule on a service alarms without a cause, and how soon it sees a planted fault.

Measured by ``benchmarks/served.py`` on drawn services of 1,000 customers that were looked at once a
week; a test holds these figures against ``benchmarks/served.json``.
"""

from collections.abc import Mapping

import pandas as pd

from mkt_models.columns import NumberKind
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.served_params import ServedRule

# Alarms and looks that were evaluated: of young services (weeks 2 to 8), and of those run in.
STABLE: Mapping[ServedRule, tuple[tuple[int, int], tuple[int, int]]] = {
    ServedRule.SAMPLE_RATIO: ((0, 300), (0, 240)),
    ServedRule.HOLDOUT_EFFECT: ((0, 177), (0, 240)),
    ServedRule.CONTACT_POLICY: ((0, 300), (0, 240)),
    ServedRule.CAPS: ((0, 300), (0, 240)),
    ServedRule.BUDGETS: ((0, 300), (0, 240)),
    ServedRule.COST: ((0, 300), (0, 240)),
    ServedRule.REPORTS: ((0, 300), (0, 240)),
    ServedRule.COMPLAINTS: ((0, 300), (0, 240)),
    ServedRule.STALE_PROFILES: ((0, 300), (0, 240)),
    ServedRule.STRATEGY_MIX: ((3, 119), (0, 240)),
    ServedRule.SUPPRESSION: ((0, 119), (0, 240)),
    ServedRule.FAIRNESS: ((4, 300), (1, 240)),
}
SERVICES = 30
# What was planted, in as many services per size: by size, in how many it was seen, and the median
# of the days until then, None where fewer than half saw it.
PLANTED: Mapping[tuple[ServedRule, str], Mapping[float, tuple[int, float | None]]] = {
    (ServedRule.SAMPLE_RATIO, "holdout that does not turn up, share"): {
        0.2: (7, None),
        0.4: (30, 14.0),
    },
    (ServedRule.SAMPLE_RATIO, "holdout that stops asking, share"): {0.4: (0, None), 0.8: (0, None)},
    (ServedRule.SAMPLE_RATIO, "another salt, share of customers"): {1.0: (30, 4.4)},
    (ServedRule.HOLDOUT_EFFECT, "purchases lost to contacts, share, from the start"): {
        0.25: (1, None),
        0.5: (20, 98.0),
    },
    (ServedRule.HOLDOUT_EFFECT, "purchases lost to contacts, share, later"): {
        0.25: (0, None),
        0.5: (0, None),
        1.0: (0, None),
    },
    (ServedRule.CONTACT_POLICY, "contacts sent after they were withdrawn"): {
        1: (30, 4.4),
        10: (30, 4.4),
    },
    (ServedRule.CAPS, "customers contacted beyond a cap"): {1: (30, 5.1), 10: (30, 5.1)},
    (ServedRule.BUDGETS, "letters beyond the budget, a week"): {5: (30, 6.1), 50: (30, 5.5)},
    (ServedRule.COST, "contacts dearer, as a share"): {0.5: (5, None), 1.0: (16, 24.8)},
    (ServedRule.REPORTS, "contacts no longer reported on, share"): {0.3: (30, 6.4), 1.0: (30, 5.8)},
    (ServedRule.COMPLAINTS, "complaints per push contact"): {0.03: (11, None), 0.1: (30, 12.4)},
    (ServedRule.STALE_PROFILES, "customers with a stale profile, share"): {
        0.02: (12, None),
        0.2: (30, 5.2),
    },
    (ServedRule.STRATEGY_MIX, "a strategy that vanishes, for a share of customers"): {
        0.25: (0, None),
        0.5: (2, None),
        1.0: (30, 6.4),
    },
    (ServedRule.SUPPRESSION, "consents that expire, share of customers"): {
        0.2: (0, None),
        0.4: (10, None),
    },
    (ServedRule.SUPPRESSION, "consents no longer asked for, share of customers"): {
        0.25: (0, None),
        0.5: (0, None),
        1.0: (27, 7.4),
    },
    (ServedRule.SUPPRESSION, "caps no longer kept, share of customers"): {
        0.5: (24, 11.1),
        1.0: (30, 5.9),
    },
    (ServedRule.FAIRNESS, "a group of a fifth no longer reached, share of it"): {
        0.25: (9, None),
        0.5: (29, 7.0),
        1.0: (30, 6.3),
    },
}


def measured() -> pd.DataFrame:
    """One row per rule: its false alarms on stable services, and its delay on planted faults.

    Columns: ``false_alarms`` per look, young services and others together, with Wilson's 95%
    interval and n; ``delay``: the faults by size, the share that was seen within four looks (from
    the first day on: six), and the median of the days until then; kind.
    """
    rows = {}
    for rule in ServedRule:
        looks = [STABLE[rule][i] for i in (0, 1)] if rule in STABLE else []
        alarms, n = (sum(one[i] for one in looks) for i in (0, 1))
        rows[rule.value] = {
            "false_alarms": _share(alarms, n) if n else "not measured",
            "delay": "; ".join(_faults(rule)) or "not measured",
            "kind": NumberKind.SIMULATED.value,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("rule")


def _share(count: int, n: int) -> str:
    low, high = wilson_interval(count / n, n, 0.95)
    return f"{count / n:.1%} [{low:.1%}, {high:.1%}], n = {n:,}"


def _faults(rule: ServedRule) -> list[str]:
    told = []
    for (mine, planted), found in PLANTED.items():
        sizes = [
            f"{size:g}: {seen} of {SERVICES}" + ("" if days is None else f", {days:g} days")
            for size, (seen, days) in found.items()
        ]
        told += [f"{planted} ({' | '.join(sizes)})"] if mine is rule else []
    return told
