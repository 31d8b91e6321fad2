"""Campaigns and decisions, watched: effect, cost, caps, suppressions, and who gets which strategy.

Tables in (what was known then, what is known now), tables and alarms out. What is not there is
``None`` or an empty table, and its rule is not evaluated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, Strategy
from mkt_models.evaluation.arms import TREATED
from mkt_models.monitoring import campaign_rules, rules
from mkt_models.monitoring.alarms import Alarm
from mkt_models.monitoring.campaign import (
    PERIOD,
    caps_over_time,
    cost_over_time,
    effect_over_time,
    share_changes,
)
from mkt_models.monitoring.fairness_over_time import gap_changes, gap_table
from mkt_models.monitoring.watch_models import NOW, How, Seen
from mkt_models.monitoring_params import Rule

SERVED = "served"


@dataclass(frozen=True)
class Batch:
    """One batch of decisions.

    Attributes
    ----------
    first
        one row per customer: customer_id, ``strategy`` that ranks first
    suppressed
        customers per reason against a candidate

    """

    first: pd.DataFrame
    suppressed: Mapping[str, int] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Customers that were decided for."""
        return int(self.first[CUSTOMER_ID].nunique())

    @property
    def strategies(self) -> dict[str, int]:
        """Customers per strategy that ranks first, doing nothing among them."""
        counts = self.first["strategy"].value_counts()
        return {str(name): int(n) for name, n in counts.items()} | (
            {} if Strategy.NO_ACTION.value in counts else {Strategy.NO_ACTION.value: 0}
        )


@dataclass(frozen=True)
class WatchedCampaigns:
    """What is known of campaigns and decisions.

    Attributes
    ----------
    trials
        assignments at random: customer_id, ``period``, treated, assignment_probability, the
        outcome, ``cost``
    reference
        periods of ``trials`` that are the reference; the others are current
    contacts
        contacts that were made: customer_id, ``period``, ``sent_on``
    caps
        (days, most contacts in so many days in a row)
    capped
        the periods whose contacts are held against the caps
    before, now
        two batches of decisions

    """

    trials: pd.DataFrame
    reference: tuple[Any, ...]
    outcome: str
    contacts: pd.DataFrame
    caps: Sequence[tuple[int, int]]
    capped: tuple[Any, ...]
    before: Batch | None
    now: Batch | None


def watch_campaigns(seen: WatchedCampaigns, how: How) -> Seen:
    """Watch effect, cost and caps: tables ``effects``, ``costs`` and ``caps``."""
    limits, draws = how.settings.campaign, how.settings.n_bootstrap
    tables: dict[str, pd.DataFrame] = {}
    alarms: list[Alarm] = []
    errors: dict[str, Any] = {"false_alarms": how.settings.false_alarms, "n_bootstrap": draws}
    errors["seed"] = how.seed
    if seen.trials.empty or seen.trials[PERIOD].nunique() < 2 or not seen.reference:
        why = ("nobody was assigned at random in two periods", "没有两个时期的随机分组")
        alarms += [rules.lacking(rule, "", NOW, *why) for rule in (Rule.CAMPAIGN_EFFECT, Rule.COST)]
    else:
        told = effect_over_time(seen.trials, seen.reference, seen.outcome, limits, **errors)
        alarms += campaign_rules.of_effect(told, f"campaigns, {seen.outcome}")
        made = seen.trials[seen.trials[TREATED] == 1]
        costs = cost_over_time(
            made,
            seen.reference,
            limits,
            min_customers=how.settings.min_customers,
            **errors,
        )
        alarms += campaign_rules.of_cost(costs, "campaigns")
        tables |= {"effects": told, "costs": costs}
    if seen.contacts.empty or not seen.caps:
        why = ("no contacts on record, or no caps", "没有触达记录，或没有频次上限")
        alarms.append(rules.lacking(Rule.CAPS, "", NOW, *why))
    else:
        tables["caps"] = caps_over_time(seen.contacts, seen.caps, seen.capped)
        alarms += campaign_rules.of_caps(tables["caps"], "contacts")
    return Seen(tables, alarms)


def watch_decisions(seen: WatchedCampaigns, people: pd.DataFrame, how: How) -> Seen:
    """Watch strategies, suppressions and who is served: tables ``shares`` and ``served``.

    ``people``: one row per customer with the attributes. A customer is served when something else
    than doing nothing ranks first.
    """
    before, now = seen.before, seen.now
    if before is None or now is None:
        why = (
            "there is one batch of decisions; compare with an earlier run (--against)",
            "只有一批决策；请与较早的运行比较（--against）",
        )
        watched = (Rule.SUPPRESSION, Rule.STRATEGY_MIX)
        return Seen({}, [rules.lacking(rule, "", NOW, *why) for rule in watched])
    parts, alarms = [], []
    for rule, subject, old, new in (
        (Rule.STRATEGY_MIX, "strategies", before.strategies, now.strategies),
        (Rule.SUPPRESSION, "suppressions", before.suppressed, now.suppressed),
    ):
        if not old and not new:
            why = (f"{subject}: none on record", f"{subject}：没有记录")
            alarms.append(rules.lacking(rule, subject, NOW, *why))
            continue
        table = share_changes(
            old,
            before.n,
            new,
            now.n,
            how.settings.campaign,
            min_customers=how.settings.min_customers,
            false_alarms=how.settings.false_alarms,
        )
        alarms += campaign_rules.of_shares(table, rule, subject, NOW)
        parts.append(table.assign(what=subject))
    tables = {"shares": pd.concat(parts, ignore_index=True)} if parts else {}
    known = [one for one in how.attributes if one in people and people[one].notna().any()]
    if known:
        gaps = [
            gap_table(
                _served(batch, people, known),
                [SERVED],
                known,
                min_group_size=how.min_group_size,
                n_bootstrap=how.settings.n_bootstrap,
                confidence=1 - how.settings.false_alarms,
                seed=how.seed,
            )
            for batch in (before, now)
        ]
        tables["served"] = gap_changes(gaps[0], gaps[1], how.settings.fairness)
        alarms += rules.of_fairness(tables["served"], "service", NOW)
    return Seen(tables, alarms)


def _served(batch: Batch, people: pd.DataFrame, attributes: list[str]) -> pd.DataFrame:
    served = (batch.first["strategy"] != Strategy.NO_ACTION.value).astype(float)
    rows = batch.first[[CUSTOMER_ID]].assign(**{SERVED: served})
    return rows.merge(people[[CUSTOMER_ID, *attributes]], on=CUSTOMER_ID, how="left")
