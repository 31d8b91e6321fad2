"""Whether anything beside the attributes of the guard stands in for one of them: proxies.

A twin has other values of one class of attributes. Here it is the other way round: everybody is
given the *same* values of all classes, those of one customer to whom the strategy is shown, and
keeps all else: the other columns of the profile, coupons and what they take off, items and their
prices, what models predict of them. If customers with more of an attribute are offered other terms
even so, something that goes with it decides in its place (proxy discrimination; Prince and Schwarcz
2020).

Only customers with the same coupons and risk tier are compared, by the test of Cochran, Mantel and
Haenszel for mean scores (Landis, Heyman and Koch 1978): within strata, who has the terms is a draw
if nothing goes with the attribute. Levels are divided by the number of tests (Bonferroni), so that
a run accuses equal terms as often as the confidence says at most. What rests on a *ground*, a
column that the parameters name for a strategy with a reason, is made equal too, and so excused.
Module of the notebooks: it needs pandas.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import NumberKind, Verdict
from mkt_models.decisions.question import Context, Customer, Policy
from mkt_models.decisions.terms import MORE_IS_BETTER, Value
from mkt_models.decisions.terms_replay import EPSILON, asked, everybody, opened_gates, terms_shown
from mkt_models.decisions.terms_verdicts import undecided
from mkt_models.decisions.twins import COLUMNS, SCORES, STAGE, lead
from mkt_models.profiles.described import PROFILE_COLUMNS
from mkt_models.sections import nearest
from mkt_models.terms_params import LEADS, ORDERED, AttributeClass, Term, Terms

COMPARED = 600
"""So many customers are compared per strategy; those who have coupons go first."""

REFERENCES = 2
"""So many customers, to whom a strategy is shown, lend their values to everybody in turn."""

LEAST = 20
"""A side of a comparison with fewer customers is not evaluated."""

TOO_FEW = "too_few"
"""What is said of a device or sensitive value of too few customers; it withholds nothing."""

MATCHED = "risk_tier"
_MOST_VALUES = 12
_FIELDS = ("attribute", "group", "term", "strategy", "n", "gap", "gap_lower", "gap_upper", "mean")

Floats = npt.NDArray[np.float64]


def proxied_terms(
    customers: Sequence[Customer], context: Context, policy: Policy, settings: Terms
) -> pd.DataFrame:
    """Terms of customers who are alike in every class, by how much of each class they have.

    Parameters
    ----------
    customers
        Those of the replay's pool.
    context, policy, settings
        As :func:`mkt_models.decisions.terms_guard.replay_terms` has them.

    Returns
    -------
    DataFrame
        One row per attribute class, group, ordered term and strategy whose terms differ between
        anybody: ``group`` (the upper half of the lead column against the lower, or one value
        against the others), ``n`` (customers with a match), ``gap`` with its interval at the level
        divided by the number of rows, ``mean`` of the term, ``verdict``, ``why`` and ``kind``. A
        gap fails that is shown, goes no declared way, and lies beyond the tolerance with its whole
        interval; fewer than 20 customers on a side are not evaluated, and where they have a device
        or sensitive value that is rare, ``too_few``, which withholds nothing.

    Raises
    ------
    ValueError
        When a ground names a column that is unknown, or belongs to a class.

    """
    _check(settings)
    values = _values(customers, context, policy, settings)
    found = [
        (attribute, group, term, strategy, table, x)
        for (strategy, term), table in values.items()
        if np.ptp(table["y"].to_numpy(dtype=float)) > EPSILON
        for attribute, group, x in _groups(table["customer"].to_list())
    ]
    level = 1 - (1 - settings.confidence) / max(len(found), 1)
    rows = []
    for attribute, group, term, strategy, table, x in found:
        row = dict(zip(_FIELDS, (attribute.value, group, term.value, strategy), strict=False))
        row |= _compared(table, x, level)
        said = _judge(attribute, term, strategy, row, settings)
        rows.append(row | said | {"kind": NumberKind.OBSERVED.value})
    return pd.DataFrame(rows, columns=[*_FIELDS, "verdict", "why", "undecided", "kind"])


def equalised(customer: Customer, reference: Customer, grounds: Sequence[str] = ()) -> Customer:
    """The customer with the reference's values of every class and ground; all else is as it was."""
    names = {name for columns in COLUMNS.values() for name in columns} | {STAGE, *grounds}
    told = {name: reference.profile.get(name) for name in names}
    scores = {
        name: score
        for name, score in customer.scores.items()
        if not any(name in some for some in SCORES.values())
    }
    lent = {n: s for some in SCORES.values() for n in some if (s := reference.scores.get(n))}
    return replace(customer, profile={**customer.profile, **told}, scores={**scores, **lent})


def _values(
    customers: Sequence[Customer], context: Context, policy: Policy, settings: Terms
) -> dict[tuple[str, Term], pd.DataFrame]:
    """Per strategy and term, each customer's value, mean over the references: customer, y."""
    told: dict[tuple[str, Term], dict[str, list[float]]] = {}
    people: dict[str, Customer] = {}
    grounds = {one.strategy: one.columns for one in settings.grounds}
    policy = opened_gates(policy)
    for moment, question, together in asked(context, policy):
        if together:
            continue
        ready = everybody(customers, moment, policy)
        ready = sorted(ready, key=lambda one: not one.offers)[:COMPARED]
        people |= {one.customer_id: one for one in ready}
        base = {one.customer_id: terms_shown(one, moment, question, settings.k) for one in ready}
        names = {n for terms in base.values() for n, some in terms.items() if Term.SHOWN in some}
        for columns in sorted({grounds.get(name, ()) for name in names}):
            alike = {name for name in names if grounds.get(name, ()) == columns}
            for reference in _references(ready, base, alike):
                answers = {
                    one.customer_id: terms_shown(
                        equalised(one, reference, columns), moment, question, settings.k
                    )
                    for one in ready
                }
                for name in alike & base[reference.customer_id].keys():
                    for term, by_customer in _by_term(name, answers).items():
                        kept = told.setdefault((name, term), {})
                        for who, value in by_customer.items():
                            kept.setdefault(who, []).append(value)
    return {
        key: pd.DataFrame(
            [(people[who], float(np.mean(some))) for who, some in sorted(kept.items())],
            columns=["customer", "y"],
        )
        for key, kept in told.items()
    }


def _references(
    ready: Sequence[Customer], base: Mapping[str, Mapping[str, Any]], names: set[str]
) -> list[Customer]:
    found: dict[str, Customer] = {}
    for name in sorted(names):
        there = [one for one in ready if name in base[one.customer_id]]
        found |= {one.customer_id: one for one in there[:REFERENCES]}
    return list(found.values())


def _by_term(
    name: str, answers: Mapping[str, Mapping[str, Mapping[Term, Value]]]
) -> dict[Term, dict[str, float]]:
    """The ordered terms of a strategy by customer.

    Not prices: what a purchase of a product costs a customer is a mean of the customer's own.
    """
    found: dict[Term, dict[str, float]] = {
        Term.SHOWN: {who: float(name in terms) for who, terms in answers.items()}
    }
    shown = {who: terms[name] for who, terms in answers.items() if name in terms}
    for term in ORDERED:
        if term in (Term.SHOWN, Term.PRICE):
            continue
        of_term = {who: float(t[term]) for who, t in shown.items() if term in t}  # type: ignore[arg-type]
        if of_term:
            found[term] = of_term
    return found


def _groups(customers: Sequence[Customer]) -> Iterator[tuple[AttributeClass, str, Floats]]:
    """Who has more of a class, or one of its values, as 1 and 0; NaN where nobody knows."""
    for attribute, name in LEADS.items():
        leads = np.array([lead(one, attribute) for one in customers])
        if np.isfinite(leads).any() and np.nanmin(leads) < np.nanmax(leads):
            upper = (leads > np.nanmedian(leads)).astype(float)
            yield attribute, f"{name}: upper half", np.where(np.isfinite(leads), upper, np.nan)
    for attribute in (AttributeClass.DEVICE, AttributeClass.SENSITIVE):
        for name in COLUMNS[attribute]:
            texts = [one.profile.get(name) for one in customers]
            known = sorted({one for one in texts if isinstance(one, str)})
            if not 2 <= len(known) <= _MOST_VALUES:
                continue
            for value in known if len(known) > 2 else known[:1]:
                x = [float(one == value) if isinstance(one, str) else np.nan for one in texts]
                yield attribute, f"{name}: {value}", np.array(x)


def _stratum(one: Customer) -> str:
    coupons = sorted(str(o.get("campaign_id") or o.get("offer_id")) for o in one.offers)
    return "/".join([str(one.profile.get(MATCHED)), *coupons])


def _compared(table: pd.DataFrame, x: Floats, level: float) -> dict[str, Any]:
    """The gap within strata, weighed by how well each tells; nothing where a side is too small."""
    rows = pd.DataFrame({"x": x, "y": table["y"], "s": [_stratum(c) for c in table["customer"]]})
    rows = rows.dropna()
    both = rows.groupby("s")["x"].transform("nunique") == 2
    rows = rows[both]
    sides = rows["x"].value_counts()
    told: dict[str, Any] = {"n": len(rows), "mean": float(rows["y"].mean())}
    empty = dict.fromkeys(("gap", "gap_lower", "gap_upper", "p"), np.nan)
    if len(sides) < 2 or sides.min() < LEAST:
        return told | empty
    by = rows.groupby("s")
    x0 = (rows["x"] - by["x"].transform("mean")).to_numpy()
    y0 = (rows["y"] - by["y"].transform("mean")).to_numpy()
    size = by["x"].transform("size").to_numpy()
    total = float(x0 @ x0)
    gap = float(x0 @ y0) / total
    spread = float(np.sqrt(np.square(x0 * (y0 - gap * x0)).sum())) / total
    # Under the null, within a stratum: var(sum x y) = Sxx Syy / (n - 1).
    terms = pd.DataFrame({"s": rows["s"], "xx": x0**2, "yy": y0**2, "n": size}).groupby("s")
    variance = float((terms["xx"].sum() * terms["yy"].sum() / (terms["n"].first() - 1)).sum())
    z = abs(float(x0 @ y0)) / np.sqrt(variance) if variance > EPSILON else 0.0
    reach = NormalDist().inv_cdf(1 - (1 - level) / 2)
    ends = {"gap_lower": gap - reach * spread, "gap_upper": gap + reach * spread}
    return told | {"gap": gap, **ends, "p": float(z > reach)}


def _judge(
    attribute: AttributeClass, term: Term, strategy: str, row: dict[str, Any], settings: Terms
) -> dict[str, Any]:
    def said(verdict: str, why: str = "") -> dict[str, Any]:
        return {"verdict": verdict, "why": why, "undecided": False}

    shown = row.pop("p")
    if not np.isfinite(row["gap"]):
        why = f"fewer than {LEAST} customers on a side"
        if attribute not in LEADS:  # a rare value never has enough: twins alone judge it
            return said(TOO_FEW, why)
        return undecided(why, settings)
    least = min(abs(row["gap_lower"]), abs(row["gap_upper"]))
    same_side = row["gap_lower"] * row["gap_upper"] > 0
    if not (shown and same_side and least > settings.tolerance * abs(row["mean"])):
        return said(Verdict.PASS.value)
    declared = settings.declared(attribute, term, strategy)
    better = (row["gap"] > 0) == MORE_IS_BETTER[term]
    if declared is not None and (declared.more_for == "higher") == better:
        return said("allowed", declared.reason)
    return said(
        Verdict.FAIL.value,
        f"{row['group']} has {'better' if better else 'worse'} terms by what goes with it: "
        f"a mean gap of {row['gap']:.3g} on {row['mean']:.3g} among customers made alike",
    )


def _check(settings: Terms) -> None:
    classes = {name: one.value for one, columns in COLUMNS.items() for name in columns}
    for ground in settings.grounds:
        for name in ground.columns:
            told = f"terms.grounds: {name!r} of {ground.strategy}"
            if name in classes:
                raise ValueError(f"{told} is of the class {classes[name]}: declare it as allowed")
            if name not in PROFILE_COLUMNS:
                raise ValueError(f"{told} is no column{nearest(name, PROFILE_COLUMNS)}")
