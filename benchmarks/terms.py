# ruff: noqa: E402 (the toy shops are those of the tests)
"""How often the terms guard sees unequal terms, and how often it accuses equal ones.

Shops of like customers with the same coupon; the planted rule gives the smaller coupon to those
whose price index is among the highest, for different shares of them. The replay is that of the
notebook of strategies, with the default tolerance.

    python benchmarks/terms.py --seeds 20
"""

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from decisions.shops import customers, with_rules

from mkt_models.columns import Model, Verdict
from mkt_models.decisions.catalogue import Catalogue, load_catalogue
from mkt_models.decisions.question import Context, Policy
from mkt_models.decisions.terms_guard import replay_terms
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.loading import load_params
from mkt_models.store.records import SnapshotMeta
from mkt_models.terms_params import Terms

SATURDAY = Context(datetime(2018, 1, 6, 15, tzinfo=UTC))
SHARES = (0.0, 0.02, 0.1, 0.5)
SIZES = (40, 80)


def planted(catalogue: Catalogue, threshold: float) -> Catalogue:
    """Two coupons; from the threshold of the price index on, the smaller one."""
    allow = [{"column": "price_index", "reason": "planted to see whether the guard sees it"}]
    return with_rules(
        catalogue,
        *(
            {
                "id": name,
                "eligibility": [{"column": "price_index", "op": op, "value": threshold}],
                "allow_sensitive": allow,
            }
            for name, op in (("big_coupon", "<"), ("small_coupon", ">="))
        ),
    )


def verdict(policy: Policy, share: float, n: int, seed: int) -> Verdict:
    """The guard's answer for one shop."""
    shop = customers(n, seed)
    if share:
        prices = [one.profile["price_index"] for one in shop]
        catalogue = planted(policy.catalogue, float(np.quantile(prices, 1 - share)))
    else:
        catalogue = with_rules(policy.catalogue, {"id": "coupon"})
    settings = Terms(n_bootstrap=50, customers=n)
    return replay_terms(
        shop, SATURDAY, replace(policy, catalogue=catalogue), settings, seed
    ).verdict


def main() -> None:
    """Count verdicts per share of disadvantaged customers and size of the shop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    params = load_params(HERE.parent / "params" / "sample.yaml")
    meta = SnapshotMeta(as_of="2018-01-01", verdicts=dict.fromkeys(Model, "pass"))
    catalogue = load_catalogue(HERE.parent / "params" / "catalogue.yaml")
    policy = Policy.of(params, catalogue, meta)
    rows: list[dict[str, Any]] = []
    for n in SIZES:
        for share in SHARES:
            said = [verdict(policy, share, n, seed) for seed in range(seeds)]
            failed = sum(one is Verdict.FAIL for one in said)
            passed = sum(one is Verdict.PASS for one in said)
            lower, upper = wilson_interval(failed / seeds, seeds, 0.95)
            rows.append(
                {
                    "customers": n,
                    "disadvantaged": share,
                    "seeds": seeds,
                    "fail": failed,
                    "pass": passed,
                    "not_evaluated": seeds - failed - passed,
                    "fail_lower": round(lower, 3),
                    "fail_upper": round(upper, 3),
                }
            )
            print(rows[-1], flush=True)
    (HERE / "terms.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
