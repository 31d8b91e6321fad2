"""The terms guard: would a like customer have been offered other terms (大数据杀熟)?

Decisions are taken again for twins that differ in one class of attributes only, and the terms in
the two answers are compared; and again for everybody with the same attributes, to see whether
something else stands in for one. What differs without being declared is a breach, and a strategy in
breach is not served (PIPL art. 24); nor is one that could not be judged, unless the parameters say
so (``terms.undecided``), and then the replay says of which.

Module of the notebooks: it needs pandas, which the service does not carry.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import NumberKind, Verdict
from mkt_models.decisions.question import Context, Customer, Policy
from mkt_models.decisions.terms import MORE_IS_BETTER
from mkt_models.decisions.terms_gate import TERMS, terms_key
from mkt_models.decisions.terms_proxies import proxied_terms
from mkt_models.decisions.terms_replay import EPSILON, pool_of, replay
from mkt_models.decisions.terms_verdicts import told, undecided, verdicts_of
from mkt_models.evaluation.bootstrap import ClusterBootstrap, percentile_interval, wilson_interval
from mkt_models.terms_params import LEADS, AllowedDifference, AttributeClass, Term, Terms


@dataclass(frozen=True)
class TermsReplay:
    """What the replay found.

    Attributes
    ----------
    table
        One row per attribute class, term and strategy, as :func:`judged` gives it.
    verdicts
        Per personalised strategy of the catalogue pass, fail or not_evaluated.
    reasons
        Per strategy that did not pass, why, in a sentence; and per strategy without terms, or let
        through undecided.
    undecided
        Strategies that could not be judged, and pass by ``terms.undecided`` alone.
    not_available
        Attribute classes of which no customer has a value: no decision can have looked at them.
    n_replays
        Decisions that were taken again.
    proxies
        What is left of gaps when everybody has the same attributes, as
        :func:`~mkt_models.decisions.terms_proxies.proxied_terms` gives it; it counts for the
        verdicts as the table does.

    """

    table: pd.DataFrame
    verdicts: Mapping[str, Verdict]
    reasons: Mapping[str, str]
    undecided: tuple[str, ...]
    not_available: tuple[AttributeClass, ...]
    n_replays: int
    proxies: pd.DataFrame

    @property
    def verdict(self) -> Verdict:
        """Of all strategies: fail if one fails, pass only if all pass."""
        said = set(self.verdicts.values())
        for worst in (Verdict.FAIL, Verdict.NOT_EVALUATED):
            if worst in said:
                return worst
        return Verdict.PASS if said else Verdict.NOT_EVALUATED

    @property
    def told(self) -> str:
        """How many strategies were judged, let through undecided, and withheld."""
        return told(self.verdicts, self.reasons, self.undecided)

    def for_snapshot(self) -> dict[str, str]:
        """The verdicts as a snapshot carries them, beside those of the models."""
        return {
            TERMS: self.verdict.value,
            **{terms_key(name): verdict.value for name, verdict in self.verdicts.items()},
        }

    def as_dict(self) -> dict[str, Any]:
        """JSON-able: verdicts, reasons and the table's rows."""
        return {
            "verdict": self.verdict.value,
            "strategies": {name: verdict.value for name, verdict in self.verdicts.items()},
            "reasons": dict(self.reasons),
            "undecided": list(self.undecided),
            "not_available": [one.value for one in self.not_available],
            "n_replays": self.n_replays,
            "rows": self.table,
            "proxies": self.proxies,
        }


def replay_terms(
    customers: Iterable[Customer], context: Context, policy: Policy, settings: Terms, seed: int
) -> TermsReplay:
    """Replay decisions for twins and judge every personalised strategy.

    Parameters
    ----------
    customers
        Everybody; read once. Those are replayed to whom a strategy is shown, up to
        ``settings.customers`` per strategy.
    context
        When the batch decides. A strategy that waits for another occasion is replayed on the next
        such day within a year.
    policy
        Its verdicts of the terms do not matter: they are what is to be found.
    settings
        Tolerance, sizes, and the declared differences.
    seed
        Of the random donors and the bootstrap.

    Raises
    ------
    ValueError
        When a declared difference names an unknown strategy.

    """
    entries = [one for one in policy.catalogue.strategies if one.personalised]
    settings.check(tuple(one.id for one in policy.catalogue.strategies))
    pool = pool_of(customers)
    replayed = replay(pool, context, policy, settings, np.random.default_rng(seed))
    table = judged(replayed.pairs, settings, seed)
    proxies = proxied_terms(pool, context, policy, settings)
    both = pd.concat([table, proxies]) if len(proxies) else table
    judgement = verdicts_of(both, [one.id for one in entries], replayed.shown, settings)
    return TermsReplay(table, *judgement, replayed.not_available, replayed.n_replays, proxies)


def judged(pairs: pd.DataFrame, settings: Terms, seed: int) -> pd.DataFrame:
    """One row per attribute class, term and strategy: how far the twins' terms differ.

    Parameters
    ----------
    pairs
        One row per customer, twin, strategy and term.

    Returns
    -------
    DataFrame
        ``n`` (customers), ``pairs``; ``changed``: share of the customers to whom at least one twin
        has another term, with Wilson's interval; ``gap``: mean difference of the term, of the twin
        with more of the attribute's lead column to the one with less (of both, in absolute terms,
        where the class has no lead), in currency units or shares, with the cluster bootstrap's
        interval by customer, null for terms that are no numbers; ``mean`` of the term;
        ``direction`` in words; ``verdict`` (``allowed`` where the difference is declared and goes
        the declared way) and ``why``; ``undecided``: too few to judge, whatever became of it;
        ``kind``.

    """
    keys = ["attribute", "term", "strategy"]
    rows = []
    for (attribute, term, strategy), part in pairs.groupby(keys, sort=True):
        named = AttributeClass(str(attribute)), Term(str(term)), str(strategy)
        rows.append(_row(*named, part, settings, seed))
    columns = (
        *("attribute", "term", "strategy", "n", "pairs", "changed", "changed_lower"),
        *("changed_upper", "gap", "gap_lower", "gap_upper", "mean", "direction", "verdict"),
        *("why", "undecided", "kind"),
    )
    return pd.DataFrame(rows, columns=list(columns))


def _row(
    attribute: AttributeClass,
    term: Term,
    strategy: str,
    part: pd.DataFrame,
    settings: Terms,
    seed: int,
) -> dict[str, Any]:
    by_customer = part.groupby("customer_id")["changed"].any()
    n, changed = len(by_customer), float(by_customer.mean())
    lower, upper = wilson_interval(changed, n, settings.confidence)
    row: dict[str, Any] = {
        "attribute": attribute.value,
        "term": term.value,
        "strategy": strategy,
        "n": n,
        "pairs": len(part),
        "changed": changed,
        "changed_lower": lower,
        "changed_upper": upper,
        **_gap(part, settings, seed),
        "undecided": False,
        "kind": NumberKind.OBSERVED.value,
    }
    row["direction"] = _direction(attribute, term, row)
    declared = settings.declared(attribute, term, strategy)
    if declared is not None and _excused(declared, part, settings, seed):
        return row | {"verdict": "allowed", "why": declared.reason}
    found = _judge(row, settings)
    if declared is not None and found["why"]:
        lead = LEADS[attribute]
        found["why"] += f"; better terms are declared for {declared.more_for} {lead} alone"
    return row | found


def _gap(part: pd.DataFrame, settings: Terms, seed: int) -> dict[str, float]:
    empty = dict.fromkeys(("gap", "gap_lower", "gap_upper", "mean"), np.nan)
    rows = part.dropna(subset=["gap"])
    if rows.empty:
        return empty
    values = rows["gap"].to_numpy(dtype=float)
    level = float(np.nanmean(rows[["more", "less"]].to_numpy(dtype=float)))
    gap = float(values.mean())
    if not np.abs(values).max() > EPSILON:
        return {**empty, "gap": 0.0, "mean": level}
    draws = ClusterBootstrap.of(rows["customer_id"], settings.n_bootstrap, seed)
    replicates = draws.replicates(lambda weights: weights @ values / weights.sum(axis=1))
    lower, upper = percentile_interval(replicates, settings.confidence)
    return {"gap": gap, "gap_lower": lower, "gap_upper": upper, "mean": level}


MOST_AGAINST = 1 / 3
"""Of a declared difference, how much may go the other way, as a share of what goes as declared."""


def _excused(declared: AllowedDifference, part: pd.DataFrame, settings: Terms, seed: int) -> bool:
    """Whether the difference goes the declared way, and is not shown to go the other way as well.

    Judged on twins of whom one has more of the lead column. A mean gap in the declared direction is
    not enough: where the middle gets most, some pairs go one way and some the other.
    """
    if declared.more_for == "any" or not part["changed"].any():
        return True
    lost = part.assign(lost=part["changed"] & part["gap"].isna())
    by_customer = lost.groupby("customer_id")["lost"].any()
    lower, _ = wilson_interval(float(by_customer.mean()), len(by_customer), settings.confidence)
    rows = part[part["ordered"].astype(bool)].dropna(subset=["gap"])
    if lower > settings.tolerance or rows.empty:
        return False
    side = 1 if MORE_IS_BETTER[declared.term] == (declared.more_for == "higher") else -1
    towards = side * rows["gap"].to_numpy(dtype=float)
    against = np.maximum(-towards, 0.0)
    draws = ClusterBootstrap.of(rows["customer_id"], settings.n_bootstrap, seed)

    def least(values: np.ndarray) -> float:
        means = draws.replicates(lambda weights: weights @ values / weights.sum(axis=1))
        return percentile_interval(means, settings.confidence)[0]

    level = float(np.nanmean(rows[["more", "less"]].to_numpy(dtype=float)))
    if least(towards) <= EPSILON:
        return False
    # A few go the other way where something else takes the place of what is shown: k is limited.
    few = against.mean() <= MOST_AGAINST * np.maximum(towards, 0.0).mean()
    return bool(few) or least(against) <= settings.tolerance * level


def _judge(row: Mapping[str, Any], settings: Terms) -> dict[str, Any]:
    limit = settings.tolerance
    if row["changed_lower"] > limit:
        why = f"twins of {row['changed']:.0%} of the customers have other terms"
        return {"verdict": Verdict.FAIL.value, "why": why}
    ends = [abs(row[end]) for end in ("gap_lower", "gap_upper") if np.isfinite(row[end])]
    same_side = np.isfinite(row["gap_lower"]) and row["gap_lower"] * row["gap_upper"] > 0
    if ends and same_side and row["mean"] > 0 and min(ends) > limit * row["mean"]:
        why = f"a mean gap of {row['gap']:.3g} on {row['mean']:.3g}"
        return {"verdict": Verdict.FAIL.value, "why": why}
    if row["changed_upper"] <= limit:
        return {"verdict": Verdict.PASS.value, "why": ""}
    return undecided(
        f"{row['n']} customers do not show that at most {limit:.0%} are treated differently",
        settings,
    )


def _direction(attribute: AttributeClass, term: Term, row: Mapping[str, Any]) -> str:
    if term not in MORE_IS_BETTER or not np.isfinite(row["gap_lower"]):
        return ""
    if row["gap_lower"] <= 0 <= row["gap_upper"]:
        return "no direction shown"
    better = (row["gap"] > 0) == MORE_IS_BETTER[term]
    words = attribute.value.replace("_", " ")
    if attribute not in LEADS:
        return "differs"
    return f"more {words}: {'better' if better else 'worse'} terms"
