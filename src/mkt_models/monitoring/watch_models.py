"""One model, watched: drift, estimated and realised performance, calibration, groups.

Tables in (what was known then, what is known now), tables and alarms out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID
from mkt_models.evaluation.calibration import CalibrationCheck, calibration_check
from mkt_models.evaluation.inputs import Kind
from mkt_models.monitoring import rules
from mkt_models.monitoring.alarms import Alarm
from mkt_models.monitoring.cells import share_table
from mkt_models.monitoring.drift import drift_table
from mkt_models.monitoring.estimated_performance import (
    LIMIT,
    estimated_amounts,
    estimated_probabilities,
)
from mkt_models.monitoring.fairness_over_time import (
    SCORE,
    SELECTED,
    UNTRUE,
    gap_changes,
    gap_table,
    measured_rows,
)
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring.realised import (
    JUDGED,
    calibration_table,
    figures,
    judged,
    realised_table,
)
from mkt_models.monitoring_params import Monitoring, Rule
from mkt_models.release_params import CalibrationLimits

NOW = "now"  # the period of which there are no labels yet
EARLIER, LATER = "reference", "current"

# Campaigns of each period that drift between campaigns is told from.
MIN_CAMPAIGNS = 20
_BARS = 20  # of the histogram of scores


@dataclass(frozen=True)
class WatchedModel:
    """What is known of a model in the reference and in the current period.

    Attributes
    ----------
    name, kind, features
        the model, whether it gives probabilities or amounts, and the features it uses
    features_before, features_now
        rows with the unit and the features
    scores_before, scores_now
        rows with the unit, customer_id and ``score``
    labelled_before, labelled_now
        rows with customer_id, as_of, target and ``score``, of which the model had not learnt
    promised
        figures by metric as the card gives them; empty: those of ``labelled_before``
    unit
        what features and scores differ by: the customer, or the campaign, which has its own goods
        and its own customers

    """

    name: str
    kind: Kind
    features: tuple[str, ...]
    features_before: pd.DataFrame
    features_now: pd.DataFrame
    scores_before: pd.DataFrame
    scores_now: pd.DataFrame
    labelled_before: pd.DataFrame
    labelled_now: pd.DataFrame
    promised: Mapping[str, Figure] = field(default_factory=dict)
    unit: str = CUSTOMER_ID


@dataclass(frozen=True)
class How:
    """How models are watched: limits, the share of the errors that each has, draws and seed."""

    settings: Monitoring
    calibration: CalibrationLimits
    n_models: int
    selected_share: float
    min_group_size: int
    attributes: tuple[str, ...]
    seed: int

    @property
    def false_alarms(self) -> float:
        """Of a rule, for one model."""
        return self.settings.false_alarms / self.n_models

    @property
    def drawn(self) -> dict[str, Any]:
        """The arguments that most functions share."""
        return {
            "min_customers": self.settings.min_customers,
            "n_bootstrap": self.settings.n_bootstrap,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Seen:
    """Tables by name, and alarms."""

    tables: dict[str, pd.DataFrame]
    alarms: list[Alarm]


def watch_drift(model: WatchedModel, how: How) -> Seen:
    """Compare features and scores.

    Tables: ``drift`` (one row per feature, and one named score), ``scores`` (shares of both periods
    per bar of a histogram).
    """
    settings = how.settings
    found, alarms = [], []
    pairs = (
        (Rule.FEATURE_DRIFT, model.features_before, model.features_now, model.features),
        (Rule.SCORE_DRIFT, model.scores_before, model.scores_now, (SCORE,)),
    )
    for rule, before, now, columns in pairs:
        if before.empty or now.empty:
            why = (f"{model.name}: no rows to compare", f"{model.name}：没有可比较的数据")
            alarms.append(rules.lacking(rule, model.name, NOW, *why))
            continue
        drawn = how.drawn | {"false_alarms": how.false_alarms, "unit": model.unit}
        if model.unit != CUSTOMER_ID:
            drawn["min_customers"] = MIN_CAMPAIGNS
        table = drift_table(before, now, columns, settings.drift, **drawn)
        alarms += rules.of_drift(table, rule, model.name, NOW)
        table.insert(0, "what", "feature" if rule is Rule.FEATURE_DRIFT else "score")
        found.append(table)
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    tables = {"drift": _named(table, model.name)}
    if len(model.scores_before) and len(model.scores_now):
        shares = share_table(model.scores_before[SCORE], model.scores_now[SCORE], _BARS)
        tables["scores"] = _named(shares, model.name)
    return Seen(tables, alarms)


def watch_performance(model: WatchedModel, how: How) -> Seen:
    """Hold estimate, realised performance and calibration against the promise.

    Tables: ``performance`` (one row per period and metric: realised and estimated, with ends, and
    what was found of the current periods), ``calibration`` (per period).
    """
    settings, earlier = how.settings, model.labelled_before
    name = model.name
    if earlier.empty:
        why = (f"{name}: no labelled rows of before", f"{name}：没有此前的带标签数据")
        watched = (Rule.ESTIMATED_PERFORMANCE, Rule.REALISED_PERFORMANCE, Rule.CALIBRATION)
        return Seen({}, [rules.lacking(rule, name, NOW, *why) for rule in watched])
    level = 1 - 2 * how.false_alarms / len(JUDGED[model.kind])
    promised = dict(model.promised) or figures(
        earlier, SCORE, model.kind, settings.n_bootstrap, level, how.seed
    )
    check = _check(earlier, model.kind, how)
    estimated = _estimated(model.scores_now, model, check, level, how)
    rows: list[dict[str, Any]] = []
    for row in estimated.to_dict("records"):
        low, high = row["estimate_lower"], row["estimate_upper"]
        now = Figure(row["estimate"], low, high, int(row["n"]), level)
        told: dict[str, Any] = {"evaluated": False, "lost": False}
        if row["metric"] in JUDGED[model.kind]:
            told = judged(
                row["metric"], promised.get(row["metric"]), now, settings.performance, level
            )
            told["note"] = row["note"] or told["note"] or LIMIT
        rows.append({AS_OF: NOW, "role": LATER} | {str(k): v for k, v in row.items()} | told)
    table = pd.DataFrame(rows)
    mine = table[table["metric"].isin(JUDGED[model.kind])]
    alarms = rules.of_performance(mine, Rule.ESTIMATED_PERFORMANCE, name, "estimate", AS_OF)
    parts, tables = [table], {}
    for role, labelled in ((EARLIER, earlier), (LATER, model.labelled_now)):
        if labelled.empty:
            continue
        shared = {"false_alarms": how.false_alarms, **how.drawn}
        args = (labelled, SCORE, model.kind)
        found = realised_table(*args, promised, settings.performance, **shared)
        states = calibration_table(*args, how.calibration, **shared)
        if role == LATER:
            alarms += rules.of_performance(
                found, Rule.REALISED_PERFORMANCE, name, "realised", AS_OF
            )
            alarms += rules.of_calibration(states, name, AS_OF)
        by_period = [
            _estimated(part, model, check, level, how).assign(**{AS_OF: period})
            for period, part in labelled.groupby(AS_OF, sort=True)
        ]
        keep = [AS_OF, "metric", "estimate", "estimate_lower", "estimate_upper"]
        both = found.merge(pd.concat(by_period)[keep], on=[AS_OF, "metric"], how="left")
        parts.append(both.assign(role=role))
        tables[role] = _named(states.assign(role=role), name)
    if model.labelled_now.empty:
        why = (f"{name}: no labels after the reference", f"{name}：基准期之后尚无标签")
        alarms += [
            rules.lacking(rule, name, NOW, *why)
            for rule in (Rule.REALISED_PERFORMANCE, Rule.CALIBRATION)
        ]
    performance = pd.concat([part.dropna(axis=1, how="all") for part in parts], ignore_index=True)
    performance[AS_OF] = performance[AS_OF].map(rules.day)
    states = pd.concat(tables.values(), ignore_index=True) if tables else pd.DataFrame()
    return Seen({"performance": _named(performance, name), "calibration": states}, alarms)


def watch_groups(model: WatchedModel, people: pd.DataFrame, how: How) -> Seen:
    """Compare the gaps of groups, reference against current: ``gaps`` by period, ``gap_changes``.

    ``people``: one row per customer with the attributes.
    """
    name, rule = model.name, Rule.FAIRNESS
    known = [one for one in how.attributes if one in people and people[one].notna().any()]
    if not known or model.labelled_before.empty or model.labelled_now.empty:
        why = (f"{name}: no attribute is known", f"{name}：没有已知的属性")
        if known:
            why = (f"{name}: no labelled rows of both periods", f"{name}：缺少两个时期的带标签数据")
        return Seen({}, [rules.lacking(rule, name, NOW, *why)])
    measures = [SELECTED, SCORE, UNTRUE]
    args: dict[str, Any] = {"min_group_size": how.min_group_size, "seed": how.seed}
    args |= {"n_bootstrap": how.settings.n_bootstrap, "confidence": 1 - how.false_alarms}
    tables = {}
    for role, rows in ((EARLIER, model.labelled_before), (LATER, model.labelled_now)):
        measured = [
            measured_rows(part, SCORE, how.selected_share) for _, part in rows.groupby(AS_OF)
        ]
        merged = pd.concat(measured).merge(
            people[[CUSTOMER_ID, *known]], on=CUSTOMER_ID, how="left"
        )
        by_period = [
            gap_table(part, measures, known, **args).assign(**{AS_OF: rules.day(period)})
            for period, part in merged.groupby(AS_OF)
        ]
        tables[role] = pd.concat(by_period, ignore_index=True).assign(role=role)
        tables[f"all {role}"] = gap_table(merged, measures, known, **args)
    changes = gap_changes(tables[f"all {EARLIER}"], tables[f"all {LATER}"], how.settings.fairness)
    alarms = rules.of_fairness(changes, name, NOW)
    over_time = pd.concat([tables[EARLIER], tables[LATER]], ignore_index=True)
    return Seen({"gaps": _named(over_time, name), "gap_changes": _named(changes, name)}, alarms)


def _estimated(
    rows: pd.DataFrame, model: WatchedModel, check: CalibrationCheck, level: float, how: How
) -> pd.DataFrame:
    args = {"confidence": level, **how.drawn}
    # The rows themselves must not tell what is to be expected of them.
    earlier = model.labelled_before
    if AS_OF in rows and rows[AS_OF].max() <= earlier[AS_OF].max():
        others = earlier[~earlier[AS_OF].isin(rows[AS_OF].unique())]
        earlier = others if len(others) else earlier
    if model.kind == "classification":
        return estimated_probabilities(rows, SCORE, check, earlier, **args)
    return estimated_amounts(earlier, rows, SCORE, **args)


def _check(rows: pd.DataFrame, kind: Kind, how: How) -> CalibrationCheck:
    draws, level = how.settings.n_bootstrap, 1 - how.false_alarms / 2
    return calibration_check(rows, SCORE, kind, how.calibration, draws, level, how.seed)


def _named(table: pd.DataFrame, model: str) -> pd.DataFrame:
    out = table.copy()
    out.insert(0, "model", model)
    return out
