"""Terms in decisions that were made, compared among customers who might have had the same.

A replay says what the policy would do; this says what customers were in fact offered. Only
customers who could have been offered the same are compared: exact matching (Rosenbaum and Rubin
1983 speak of balancing scores; here the covariates themselves are few and discrete) on the coupons
open to them, the channels that they agreed to, their arm, and whatever else the caller names as
legitimate. What they differ in besides, and nobody recorded, is not excluded: a gap here is a
question, the replay is the judgement. Module of the notebooks: it needs pandas.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import ConsentStatus, NumberKind
from mkt_models.decisions.question import Customer
from mkt_models.decisions.terms import MORE_IS_BETTER, terms_of
from mkt_models.decisions.twins import lead
from mkt_models.evaluation.bootstrap import ClusterBootstrap, percentile_interval
from mkt_models.terms_params import LEADS, Term, Terms

MATCHED = ("lifecycle_stage", "risk_tier")
"""Columns of the profile that matched customers share, beside their coupons, consents and arm."""

_MIN_MATCHED = 20


def observed_terms(
    pairs: Iterable[tuple[Customer, Mapping[str, Any]]],
    settings: Terms,
    seed: int,
    matched: Sequence[str] = MATCHED,
) -> pd.DataFrame:
    """Gaps between the upper and the lower half of an attribute, within strata of like customers.

    Parameters
    ----------
    pairs
        Every customer with the answer that it was given (``Decision.as_dict()``).
    settings
        Draws and level of the intervals.
    seed
        Of the bootstrap.
    matched
        Columns of the profile that must be equal.

    Returns
    -------
    DataFrame
        One row per attribute class with a lead column, term that is a number, and strategy shown
        to anybody: ``n`` (customers in strata that have both halves), ``strata``, ``gap`` (mean of
        the upper half minus the lower, strata weighed by their customers) with the cluster
        bootstrap's interval, ``note``, and ``kind``, observed. With fewer than 20 such customers
        it is not evaluated: no gap is given.

    """
    rows = [_row(customer, answer, matched) for customer, answer in pairs]
    table = pd.DataFrame(rows)
    strategies = sorted({(name, term) for row in rows for name, term in row["terms"]})
    found = []
    for attribute in LEADS:
        for strategy, term in strategies:
            values = table.assign(
                value=[row["terms"].get((strategy, term), _absent(term)) for row in rows],
                lead=[row["leads"][attribute] for row in rows],
            ).dropna(subset=["value", "lead"])
            found.append(
                {"attribute": attribute.value, "term": term.value, "strategy": strategy}
                | _gap(values, settings, seed)
                | {"kind": NumberKind.OBSERVED.value}
            )
    columns = ("attribute", "term", "strategy", "n", "strata", "gap", "gap_lower", "gap_upper")
    return pd.DataFrame(found, columns=[*columns, "note", "kind"])


def _gap(values: pd.DataFrame, settings: Terms, seed: int) -> dict[str, Any]:
    middle = values.groupby("stratum")["lead"].transform("median")
    upper = (values["lead"] > middle).to_numpy()
    both = values.assign(upper=upper).groupby("stratum")["upper"].transform("nunique") == 2
    kept, upper = values[both], upper[both.to_numpy()]
    told: dict[str, Any] = {"n": len(kept), "strata": int(kept["stratum"].nunique())}
    empty = dict.fromkeys(("gap", "gap_lower", "gap_upper"), np.nan)
    if len(kept) < _MIN_MATCHED:
        few = f"not evaluated: {len(kept)} customers have a match, needs {_MIN_MATCHED}"
        return {**told, **empty, "note": few}
    codes = pd.factorize(kept["stratum"])[0]
    value = kept["value"].to_numpy(dtype=float)
    member = (codes[:, None] == np.arange(codes.max() + 1)).astype(float)

    def statistic(weights: Any) -> Any:
        high, low = weights * upper, weights * ~upper
        n_high, n_low = high @ member, low @ member
        with np.errstate(divide="ignore", invalid="ignore"):
            gap = (high * value) @ member / n_high - (low * value) @ member / n_low
        share = np.where(np.isfinite(gap), n_high + n_low, 0.0)
        return (np.nan_to_num(gap) * share).sum(axis=1) / share.sum(axis=1)

    draws = ClusterBootstrap.of(kept["customer_id"], settings.n_bootstrap, seed)
    gap = float(draws.estimate(statistic))
    lower, top = percentile_interval(draws.replicates(statistic), settings.confidence)
    return {**told, "gap": gap, "gap_lower": lower, "gap_upper": top, "note": ""}


def _row(customer: Customer, answer: Mapping[str, Any], matched: Sequence[str]) -> dict[str, Any]:
    agreed = sorted(
        {one.channel for one in customer.consents if one.status == ConsentStatus.GRANTED}
    )
    offers = sorted(str(one.get("campaign_id") or one.get("offer_id")) for one in customer.offers)
    like = [*(str(customer.profile.get(name)) for name in matched), *agreed, "|", *offers]
    return {
        "customer_id": customer.customer_id,
        "stratum": "/".join([*like, str(answer["experiment"]["arm"])]),
        "leads": {attribute: lead(customer, attribute) for attribute in LEADS},
        "terms": {
            (strategy, term): value
            for strategy, terms in terms_of(answer).items()
            for term, value in terms.items()
            if term in MORE_IS_BETTER and isinstance(value, float)
        },
    }


def _absent(term: Term) -> float:
    """A strategy that is not shown is shown 0; its other terms are unknown."""
    return 0.0 if term is Term.SHOWN else np.nan
