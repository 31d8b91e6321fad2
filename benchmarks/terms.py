# ruff: noqa: E402 (the toy shops are those of the tests)
"""How often the terms guard sees unequal terms, and how often it accuses equal ones.

Toy shops of like customers, into which discrimination of many kinds is planted: by the catalogue,
by a column that only goes with an attribute, by what a model predicts, by the documents of the
customers. The guard is that of the notebook of strategies, with the default tolerance. A plant
counts as seen when the guard says fail; whatever it does not pass is not served.

    python benchmarks/terms.py --seeds 5
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
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
from mkt_models.decisions.question import Context, Customer, Policy
from mkt_models.decisions.terms_guard import replay_terms
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.loading import load_params
from mkt_models.store.records import SnapshotMeta
from mkt_models.terms_params import Terms

SATURDAY = Context(datetime(2018, 1, 6, 15, tzinfo=UTC))
Shop = list[Customer]
Planted = tuple[Shop, Catalogue, Mapping[str, Any]]
"""The customers, the catalogue, and what of the guard's parameters is not its default."""

WHY = "planted to see whether the guard sees it"
DEAR = [{"column": "price_index", "reason": WHY}]
PLAIN_WORTH = {
    "outcome": "fixed",
    "margin_rate": {"value": 1.0, "reason": WHY},
    "amount": {"value": 100.0, "reason": WHY},
    "credited_share": {"value": 0.01, "reason": WHY},
}
PAST_WORTH = {
    "outcome": "past_spend",
    "margin_rate": {"value": 1.0, "reason": WHY},
    "credited_share": {"value": 0.001, "reason": WHY},
}
SERVICE = {
    "family": "personalised_service",
    "purpose": "service",
    "needs": "service",
    "worth": PLAIN_WORTH,
    "title": {"en": "{services}", "zh": "{services}"},
    "text": {"en": "{services}", "zh": "{services}"},
}


def prices(shop: Shop) -> np.ndarray:
    return np.array([one.profile["price_index"] for one in shop])


def profiled(shop: Shop, name: str, values: Any) -> Shop:
    return [
        replace(one, profile={**one.profile, name: value})
        for one, value in zip(shop, values, strict=True)
    ]


def rule(column: str, op: str, value: Any) -> dict[str, Any]:
    return {"column": column, "op": op, "value": value}


def equal(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """The same coupon for everybody."""
    return shop, with_rules(catalogue, {"id": "coupon"}), {}


def unrelated(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """A coupon for half of the customers, by a column that goes with nothing."""
    by = [rule("weekend_share", ">=", 0.5)]
    return shop, with_rules(catalogue, {"id": "coupon", "eligibility": by}), {}


def top(share: float) -> Callable[..., Planted]:
    """The coupon to all but a share of the dearest, who get another one."""

    def plant(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
        at = float(np.quantile(prices(shop), 1 - share))
        two = [
            {"id": name, "eligibility": [rule("price_index", op, at)], "allow_sensitive": DEAR}
            for name, op in (("big_coupon", "<"), ("small_coupon", ">="))
        ]
        return shop, with_rules(catalogue, *two), {}

    return plant


def band(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """A coupon for a tenth of the customers in the middle of the price index alone."""
    low, high = (float(np.quantile(prices(shop), q)) for q in (0.45, 0.55))
    by = [rule("price_index", ">=", low), rule("price_index", "<", high)]
    other = {"id": "coupon", "eligibility": by, "allow_sensitive": DEAR}
    return shop, with_rules(catalogue, other), {}


def subgroup(below: float) -> Callable[..., Planted]:
    """The dearer half has no coupon, but only where the share of orders at weekends is small."""

    def plant(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
        middle = float(np.median(prices(shop)))
        rest = {"id": "rest", "eligibility": [rule("weekend_share", ">=", below)]}
        few = [rule("weekend_share", "<", below), rule("price_index", "<", middle)]
        cheap = {"id": "cheap", "eligibility": few, "allow_sensitive": DEAR}
        return shop, with_rules(catalogue, rest, cheap), {}

    return plant


def evening(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """At night only, the dearer half has no coupon."""
    by = [rule("price_index", "<", float(np.median(prices(shop))))]
    night = {"when": {"day_parts": ["night"]}, "eligibility": by, "allow_sensitive": DEAR}
    return shop, with_rules(catalogue, {"id": "coupon"}, {"id": "at_night", **night}), {}


def by_mail(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """The same service for everybody in the app; by mail only for who spends much."""
    channels = [{"channel": "app", "cost": 0.0}, {"channel": "mail", "cost": 1.0}]
    service = {**SERVICE, "id": "service", "channels": channels, "worth": PAST_WORTH}
    named = {**service, "services": ["dedicated_agent"]}
    spent = rng.uniform(500, 1500, len(shop))
    return profiled(shop, "amount_365d", spent), with_services(catalogue, named), {}


def with_services(catalogue: Catalogue, *entries: dict[str, Any]) -> Catalogue:
    """Services that everybody has, so that only the strategies tell who gets which."""
    raw = with_rules(catalogue, *entries).model_dump(mode="json")
    for one in raw["services"]:
        one["given_for"] = [[rule("orders_365d", ">=", 0)]]
    return Catalogue.model_validate(raw)


def family(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """Two services for who spends little, one for who spends much: by worth, within a family."""
    app = [{"channel": "app", "cost": 0.001}]
    one = {**SERVICE, "id": "one", "channels": app, "worth": PAST_WORTH}
    two = {**SERVICE, "id": "two", "channels": app, "worth": PLAIN_WORTH}
    some = {"services": ["dedicated_agent"]}, {"services": ["dedicated_agent", "fast_returns"]}
    spent = rng.uniform(500, 1500, len(shop))
    found = with_services(catalogue, {**one, **some[0]}, {**two, **some[1]})
    return profiled(shop, "amount_365d", spent), found, {}


def excused(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """A second service for whom discounts move; `any` is declared for which service it is."""
    middle = float(np.median([one.profile["discount_share"] for one in shop]))
    entry = {**SERVICE, "id": "service", "services": ["dedicated_agent", "fast_returns"]}
    raw = with_services(catalogue, entry).model_dump(mode="json")
    (second,) = (one for one in raw["services"] if one["id"] == "fast_returns")
    second["given_for"] = [[rule("discount_share", ">=", middle)]]
    allowed = {"attribute": "willingness_to_pay", "term": "service", "strategy": "service"}
    declared = {"allowed": [allowed | {"more_for": "any", "reason": WHY}]}
    return shop, Catalogue.model_validate(raw), declared


def proxy(correlation: float) -> Callable[..., Planted]:
    """The coupon for who buys in few categories, a column of no class that goes with the price."""

    def plant(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
        z = _goes_with(prices(shop), correlation, rng)
        shop = profiled(shop, "categories_90d", [int(v) for v in np.round(20 + 5 * z)])
        by = [rule("categories_90d", "<=", 20)]
        return shop, with_rules(catalogue, {"id": "coupon", "eligibility": by}), {}

    return plant


def _goes_with(values: np.ndarray, correlation: float, rng: np.random.Generator) -> np.ndarray:
    z = np.log(values)
    z = (z - z.mean()) / z.std()
    return correlation * z + np.sqrt(1 - correlation**2) * rng.normal(size=len(z))


def store(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """The coupon in two of four stores, where three in four of the young shop, of others half."""
    young = np.array([one.profile["age_band"] == "18-24" for one in shop])
    good = rng.uniform(size=len(shop)) < np.where(young, 0.75, 0.5)
    pairs = np.where(good[:, None], ["s1", "s2"], ["s3", "s4"])
    shops = [str(pair[i]) for pair, i in zip(pairs, rng.integers(0, 2, len(shop)), strict=True)]
    by = [rule("main_store", "in", ["s1", "s2"])]
    found = with_rules(catalogue, {"id": "coupon", "eligibility": by})
    return profiled(shop, "main_store", shops), found, {}


def offered(shop: Shop, change: Callable[[int], Mapping[str, Any]]) -> Shop:
    return [
        replace(one, offers=tuple({**offer, **change(i)} for offer in one.offers))
        for i, one in enumerate(shop)
    ]


def model(correlation: float) -> Callable[..., Planted]:
    """The predicted chance of redemption falls with the price index, and the worth with it."""

    def plant(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
        z = _goes_with(prices(shop), correlation, rng)
        shop = offered(shop, lambda i: {"probability": float(0.15 * np.exp(-0.5 * z[i]))})
        # 0.15 x 8 x margin x credited share: what the middle is worth is what the contact costs
        cost = 0.15 * 8 * 0.25 * 0.3
        entry = {"id": "coupon", "channels": [{"channel": "app", "cost": cost}]}
        return shop, with_rules(catalogue, entry), {}

    return plant


def document(less: float) -> Callable[..., Planted]:
    """The dearer half has a coupon of the same campaign that takes a share less off."""

    def plant(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
        dear = prices(shop) > np.median(prices(shop))
        noise = rng.normal(0, 0.01, len(shop))
        shop = offered(
            shop,
            lambda i: {
                "campaign_id": "c1",
                "discount_share": float(0.2 * (1 - less * dear[i]) + noise[i]),
            },
        )
        return shop, with_rules(catalogue, {"id": "coupon"}), {}

    return plant


def priced(shop: Shop, catalogue: Catalogue, rng: np.random.Generator) -> Planted:
    """The same product costs a tenth more on one kind of device, as the documents have it."""
    more = [0.1 * (one.profile["preferred_device"] == "ios") for one in shop]
    shop = [
        replace(one, recommendations=({**one.recommendations[0], "price": round(2 * (1 + m), 2)},))
        for one, m in zip(shop, more, strict=True)
    ]
    raw = catalogue.model_dump(mode="json")
    (entry,) = (s for s in raw["strategies"] if s["id"] == "personalised_recommendation")
    return shop, with_rules(catalogue, {**entry, "eligibility": []}), {}


PLANTS: Mapping[str, tuple[Callable[..., Planted], int]] = {
    "nothing": (equal, 80),
    "nothing, few customers": (equal, 40),
    "a column that goes with nothing": (unrelated, 300),
    "price index, top 2%": (top(0.02), 80),
    "price index, top 50%": (top(0.5), 80),
    "price index, a band of 10%": (band, 300),
    "price index, in a subgroup of 20%": (subgroup(0.2), 160),
    "price index, in a subgroup of 3%": (subgroup(0.03), 160),
    "price index, at night": (evening, 80),
    "spend, by mail alone": (by_mail, 80),
    "spend, which of a family": (family, 80),
    "share of discounts, behind `any`": (excused, 80),
    "proxy, correlation 0.8": (proxy(0.8), 300),
    "proxy, correlation 0.5": (proxy(0.5), 300),
    "proxy, correlation 0.3": (proxy(0.3), 300),
    "store, for age": (store, 300),
    "model, correlation 0.8": (model(0.8), 300),
    "model, correlation 0.3": (model(0.3), 300),
    "documents, 25% less off": (document(0.25), 300),
    "documents, 3% less off": (document(0.03), 300),
    "documents, price by device": (priced, 300),
}


def verdict(policy: Policy, name: str, seed: int) -> Verdict:
    """The guard's answer for one shop."""
    plant, n = PLANTS[name]
    shop, catalogue, extra = plant(
        customers(n, seed), policy.catalogue, np.random.default_rng(seed)
    )
    settings = Terms.model_validate({"n_bootstrap": 50, **extra})
    return replay_terms(
        shop, SATURDAY, replace(policy, catalogue=catalogue), settings, seed
    ).verdict


def main() -> None:
    """Count verdicts per plant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="", help="plants whose name contains this; others stay")
    asked = parser.parse_args()
    seeds = asked.seeds
    params = load_params(HERE.parent / "params" / "sample.yaml")
    meta = SnapshotMeta(as_of="2018-01-01", verdicts=dict.fromkeys(Model, "pass"))
    catalogue = load_catalogue(HERE.parent / "params" / "catalogue.yaml")
    policy = Policy.of(params, catalogue, meta)
    file = HERE / "terms.json"
    rows = {row["planted"]: row for row in json.loads(file.read_text(encoding="utf-8"))}
    rows = {name: rows[name] for name in PLANTS if name in rows}
    for name, (_, n) in PLANTS.items():
        if asked.only not in name:
            continue
        begun = time.process_time()
        said = [verdict(policy, name, seed) for seed in range(seeds)]
        failed = sum(one is Verdict.FAIL for one in said)
        passed = sum(one is Verdict.PASS for one in said)
        lower, upper = wilson_interval(failed / seeds, seeds, 0.95)
        rows[name] = {
            "planted": name,
            "customers": n,
            "seeds": seeds,
            "fail": failed,
            "pass": passed,
            "not_evaluated": seeds - failed - passed,
            "fail_lower": round(lower, 3),
            "fail_upper": round(upper, 3),
            "cpu_seconds": round((time.process_time() - begun) / seeds, 1),
        }
        print(rows[name], flush=True)
        told = [rows[one] for one in PLANTS if one in rows]
        file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
