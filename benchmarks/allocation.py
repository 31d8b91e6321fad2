"""Allocation of actions within budgets, at the size of a large company: how near, how long.

    .venv/bin/python benchmarks/allocation.py

Customers of lognormal size have 20 actions each, whose worths are lognormal too, less a cost; a
part of them is worth less than nothing. Actions take money, push contacts, coupons and agents'
hours; the budgets bind. A small problem is solved by HiGHS as it stands and by the dual alone, on
the same rows; the large one by the dual alone, held against its bound, which no allocation exceeds
(weak duality). Beside it stand two greedy ways: the highest worth first, and the highest worth per
share that it takes of the budgets.
"""

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from measuring import measured

from mkt_models.decisions import allocation
from mkt_models.decisions.allocation import Allocation, allocate
from mkt_models.decisions.options import Floats, Ints, Options

HERE = Path(__file__).resolve().parent
BUDGETS = ("money", "push contacts", "coupons", "agent hours")
PER_CUSTOMER = (0.10, 0.25, 0.10, 0.01)
WITHIN = 1 + 1e-9


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--exact-customers", type=int, default=20_000)
    parser.add_argument("--actions", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=HERE / "allocation.json")
    arguments = parser.parse_args()
    found: dict[str, Any] = {"actions": arguments.actions, "seed": arguments.seed}
    small, amounts = drawn(arguments.exact_customers, arguments.actions, arguments.seed)
    usual = allocation.EXACT_ROWS
    allocation.EXACT_ROWS = len(small.worth)
    found["highs"] = one("HiGHS", small, amounts)
    allocation.EXACT_ROWS = 0
    found["dual_small"] = one("the dual, same rows", small, amounts)
    allocation.EXACT_ROWS = usual
    optimum = found["highs"]["bound"]
    found["dual_small"]["of_highs"] = found["dual_small"]["worth"] / optimum
    found["dual_small"]["bound_over_highs"] = found["dual_small"]["bound"] / optimum - 1
    large, amounts = drawn(arguments.customers, arguments.actions, arguments.seed)
    found["dual_large"] = one("the dual, large", large, amounts)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    share = (large.uses / amounts).sum(axis=1)[large.use]
    ways = {"by_worth": large.worth, "by_worth_per_share_of_budgets": large.worth / (share + 1e-3)}
    for name, key in ways.items():
        found[f"greedy_{name}_of_bound"] = (
            greedy(large, amounts, np.argsort(-key, kind="stable")) / found["dual_large"]["bound"]
        )
    arguments.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


def drawn(customers: int, actions: int, seed: int) -> tuple[Options, Floats]:
    """Draw customers and actions, and budgets for them."""
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0, 1, customers)[:, None]
    worth = size * rng.lognormal(-1, 0.7, (customers, actions))
    worth *= rng.uniform(0.5, 1.5, actions)
    worth -= 0.2
    uses = np.column_stack(
        [
            rng.choice([0.01, 0.05, 0.8, 1.5], actions),
            rng.random(actions) < 0.5,
            rng.random(actions) < 0.3,
            np.where(rng.random(actions) < 0.2, 0.25, 0.0),
        ]
    ).astype(np.float64)
    options = Options(
        customer=np.repeat(np.arange(customers), actions),
        family=np.zeros(customers * actions, dtype=np.intp),
        worth=worth.ravel(),
        uses=uses,
        use=np.tile(np.arange(actions), customers),
    )
    return options, np.array(PER_CUSTOMER) * customers


def one(name: str, options: Options, amounts: Floats) -> dict[str, Any]:
    """Allocate, and say what it took and how near it is."""
    result, cost = measured(lambda: allocate(options, amounts))
    assert isinstance(result, Allocation)
    by_price = options.used(result.by_price)
    assert (result.used <= amounts * WITHIN).all()
    assert (by_price <= amounts * WITHIN).all()
    row = {
        "customers": options.customers,
        "options": len(options.worth),
        "worth_positive": int((options.worth > 0).sum()),
        "bound": result.bound,
        "worth": result.worth,
        "of_bound": result.worth / result.bound,
        "by_price_of_bound": result.worth_by_price / result.bound,
        "marginal_customers": result.marginal,
        "prices": dict(zip(BUDGETS, result.prices.tolist(), strict=True)),
        "used_share": dict(zip(BUDGETS, (result.used / amounts).tolist(), strict=True)),
        **asdict(cost),
    }
    print(name, {key: row[key] for key in ("of_bound", "wall_s", "cpu_s", "peak_gb")}, flush=True)
    return row


def greedy(options: Options, amounts: Floats, order: Ints) -> float:
    """One option after the other, one for a customer, as long as all budgets hold."""
    left, served, worth = amounts.copy(), np.zeros(options.customers, dtype=bool), 0.0
    uses = options.uses
    for row in order.tolist():
        value, who = options.worth[row], options.customer[row]
        if value <= 0:
            continue
        if served[who]:
            continue
        more = uses[options.use[row]]
        if (more <= left).all():
            left = left - more
            served[who] = True
            worth += value
    return float(worth)


if __name__ == "__main__":
    main()
