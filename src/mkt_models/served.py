"""What a service did, read off its live store: tables, effect, other policies, alarms.

Module of notebook 12 and of ``mkt monitor --served``. The period ends with the last record of the
store, so that the same store gives the same report. A run without a live store may show a
rehearsal in its place (:mod:`mkt_models.rehearsal`); all of its numbers are of the kind
``simulated``.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from mkt_models.columns import CUSTOMER_ID, NumberKind
from mkt_models.decisions.alternatives import alternatives
from mkt_models.decisions.catalogue import Catalogue, load_catalogue
from mkt_models.decisions.holdout_effect import HoldoutEffect
from mkt_models.decisions.served_log import served_log
from mkt_models.decisions.served_tables import ServedTables, served_tables
from mkt_models.evaluation.groups import in_bands
from mkt_models.evaluation.off_policy import off_policy_table
from mkt_models.evaluation.support import support_table
from mkt_models.monitoring import served as counts
from mkt_models.monitoring import served_rules as rules
from mkt_models.monitoring.alarms import (
    Alarm,
    Outcome,
    Words,
    alarm_table,
    by_rule,
    exit_code,
    in_words,
    overall,
    uncertain_in_words,
)
from mkt_models.params import Params
from mkt_models.rehearsal import rehearse, rehearsed_policy
from mkt_models.served_compared import compared
from mkt_models.served_effect import effect_since, in_all, judged_effect
from mkt_models.served_hidden import hide
from mkt_models.served_judged import Seen, counted
from mkt_models.served_params import Served, ServedRule
from mkt_models.serving.settings import report_address
from mkt_models.store.live import LiveStore
from mkt_models.store.reading import LiveReader, may_be_there
from mkt_models.store.snapshot import Store
from mkt_models.store.values import OutdatedStoreError
from mkt_models.workspace import NotAvailableError, Workspace

FOLDER = "served"
SIMULATED: Words = (
    "**Simulated.** There is no live store: customers are asked for by a rehearsal, the decisions "
    "are real, and what customers did is drawn. No number here says anything about customers.",
    "**模拟数据**。没有在线存储：由演练代替应用发问，决策真实，客户行为为随机生成，数字不代表真实客户。",
)


@dataclass(frozen=True)
class Report:
    """Everything that was found.

    Attributes
    ----------
    tables
        by name: days_answered, strategies, suppressions, contacts, contacts_by_day, caps, budgets,
        outcomes, costs, effects, support, policies, gaps, gaps_by_week, changes; one that could not
        be made is absent. Rows about fewer customers than ``privacy.min_cell`` are hidden.
    alarms
        one per rule and subject
    settings
        by which it was judged
    effect
        the analysis of the holdout; None where it could not be made
    store, simulated
        what was read, in words; whether it is a rehearsal
    since, until
        the period, aware; ``until`` is the last record
    totals
        decisions, customers, contacts and outcomes of the period; None for what is of fewer than
        ``min_cell`` customers
    later
        records (decisions, contacts sent, outcomes) about later moments, which are left out, and
        their customers: see ``store.period``
    min_cell
        counts of fewer customers are not told (``privacy.min_cell``)

    """

    tables: dict[str, pd.DataFrame]
    alarms: tuple[Alarm, ...]
    settings: Served
    effect: HoldoutEffect | None
    store: str
    simulated: bool
    since: datetime
    until: datetime
    totals: Mapping[str, int | None]
    min_cell: int
    later: tuple[int, int]

    @property
    def exit_code(self) -> int:
        """0 ok, 1 alarm, 3 not evaluated."""
        return exit_code(self.alarms, self.settings, ServedRule)

    def about(self) -> str:
        """Say what was read, of which time, and how much; a rehearsal says first that it is one."""
        few = f"fewer than {self.min_cell} customers"
        customers = self.totals["customers"]
        n = {
            name: f"{name} of {few}" if count is None else f"{count:,} {name}"
            for name, count in self.totals.items()
        }
        if "hidden" in self.tables.get("outcomes", ()) and self.totals["outcomes"] is not None:
            n["outcomes"] += f" (without the kinds of {few})"
        decisions = (
            n["decisions"] if customers is None else f"{n['decisions']} for {n['customers']}"
        )
        said = (
            f"{decisions}, {n['contacts']} and {n['outcomes']} from "
            f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC, from {self.store}."
        )
        records, people = self.later
        if records:
            told = f"{records:,} record" + "s" * (records > 1)
            told = f"records of {few}" if rules.few(people, self.min_cell) else told
            said += (
                f" Left out: {told} about moments after {self.until:%Y-%m-%d %H:%M} UTC, which are "
                "ahead of the clock or stand alone."
            )
        return f"{SIMULATED[0]} {SIMULATED[1]}\n\n{said}" if self.simulated else said

    def conclusion(self) -> str:
        """Tell the outcome in a few sentences, English and Chinese; the first says what counts."""
        outcomes = list(by_rule(self.alarms, ServedRule).values())
        n: dict[Outcome, int] = {one: outcomes.count(one) for one in Outcome}
        raised = [one for one in self.alarms if one.outcome is Outcome.ALARM]
        first = self.in_words().partition("\n")[0]
        first = first.partition(": ")[2]
        en = f"{first[:1].upper()}{first[1:]}"
        zh = self.in_words("zh").partition("\n")[0]
        if self.simulated:
            en, zh = f"Of a simulated service: {first}", f"模拟服务：{zh}"
        en += (
            f" Of {len(outcomes)} rules {n[Outcome.OK]} raise no alarm, {n[Outcome.ALARM]} do, and "
            f"{n[Outcome.NOT_EVALUATED]} could not be evaluated; the exit code is {self.exit_code}."
        )
        zh += (
            f"{len(outcomes)} 条规则中 {n[Outcome.OK]} 条无告警，{n[Outcome.ALARM]} 条告警，"
            f"{n[Outcome.NOT_EVALUATED]} 条无法评估。"
        )
        lines = [f"{en} {zh}"]
        if self.effect is not None:
            lines.append("- Holdout: {} {}".format(*in_all(self.effect)))
        lines += [f"- {one.what} {one.what_zh}" for one in raised]
        unsure = [uncertain_in_words(self.alarms, rules.RULES, one) for one in ("en", "zh")]
        if unsure[0]:
            lines.append(f"- {' '.join(unsure)}")
        return "\n".join([lines[0], "", *lines[1:]])

    def in_words(self, language: str = "en") -> str:
        """Tell the alarms, what to do, and what could not be evaluated, as text."""
        return in_words(self.alarms, self.settings, language, rules.RULES)


def live_address(ws: Workspace, environment: Mapping[str, str] = os.environ) -> str | Path:
    """Where the live store of a run is: see ``serving.settings.report_address``."""
    return report_address(environment, ws.params.served.store, ws.root, ws.bentoml_home)


def report(ws: Workspace, store: str | Path | None = None, *, may_rehearse: bool = False) -> Report:
    """Read a live store and judge it by the parameters.

    Parameters
    ----------
    ws
        The run: its parameters, its catalogue, its customers' attributes.
    store
        Address of the live store; None for :func:`live_address`.
    may_rehearse
        Whether a rehearsal may be shown where there is no live store; ``served.rehearsal`` says
        what is rehearsed.

    Raises
    ------
    mkt_models.workspace.NotAvailableError
        When there is no live store (and no rehearsal), nothing was decided in it, or it is of an
        older version: a run goes on, and the service that starts next brings it up to date.
    StoreError
        When there is one that cannot be read.

    """
    address = live_address(ws) if store is None else store
    how = ws.params.served.rehearsal
    catalogue = load_catalogue(ws.params_folder / ws.params.decisions.catalogue)
    people = in_bands(ws.read_table("profile", "profiles"), ws.params.audit.bands)
    if may_be_there(address):
        try:
            reader = LiveReader.open(address)
        except OutdatedStoreError as error:
            raise NotAvailableError(str(error)) from None
        with reader:
            return _report(reader, ws.params, catalogue, people, simulated=False)
    if how is None or not may_rehearse:
        raise NotAvailableError(
            f"there is no live store ({Path(address).name}): start the service with `mkt serve`, "
            "or name the store of one that runs, with MKT_STORE_URL or served.store"
        )
    with _rehearsed(ws, catalogue) as reader:
        params = rehearsed_policy(ws.params, how)
        return _report(reader, params, catalogue, people, simulated=True)


def write(ws: Workspace, found: Report) -> None:
    """Write every table, the alarms, and the metrics of the stage; no customer is in them."""
    for name, table in found.tables.items():
        ws.write_table(FOLDER, name, table)
    alarms = alarm_table(found.alarms)
    ws.write_table(FOLDER, "alarms", alarms)
    outcomes = by_rule(found.alarms, ServedRule)
    said = {str(rule): str(one) for rule, one in outcomes.items()}
    headline: list[dict[str, Any]] = []
    if found.effect is not None and not found.simulated:
        headline = found.effect.result.headline()
    metrics: dict[str, Any] = {"headline": headline, "simulated": found.simulated, "rules": said}
    metrics |= {"outcome": overall(found.alarms, found.settings, ServedRule).value}
    metrics |= {"since": found.since.isoformat(), "until": found.until.isoformat()}
    metrics |= {"exit_code": found.exit_code, "store": found.store, "totals": dict(found.totals)}
    metrics["alarms"] = alarms
    for name in ("effects", "policies"):
        if name in found.tables:
            metrics[name] = found.tables[name]
    ws.write_json(FOLDER, "metrics", metrics)


@contextmanager
def _rehearsed(ws: Workspace, catalogue: Catalogue) -> Iterator[LiveReader]:
    how = ws.params.served.rehearsal
    assert how is not None  # asked by the caller
    with tempfile.TemporaryDirectory(prefix="mkt-rehearsal-") as folder:
        path = Path(folder) / "live.sqlite"
        with (
            Store.open(ws.existing("decisions", "snapshot.sqlite")) as snapshot,
            LiveStore.open(path) as live,
        ):
            rehearse(snapshot, live, ws.params, catalogue, how, ws.params.seed)
        with LiveReader.open(path) as reader:
            yield reader


def _report(
    reader: LiveReader,
    params: Params,
    catalogue: Catalogue,
    people: pd.DataFrame,
    *,
    simulated: bool,
) -> Report:
    settings = params.served
    last = reader.last(timedelta(days=settings.recent_days))
    if last is None:
        raise NotAvailableError(f"{reader.name}: nothing was decided, sent or answered in it yet")
    until = last + timedelta(microseconds=1)
    since = until - timedelta(days=settings.days)
    begun = min(since, effect_since(params))
    log = reader.log(begun, until, answers_since=since)
    outcomes = reader.outcomes(begun, until)
    recent, done = _from(log, "asked_for", since), _from(outcomes, "occurred_at", since)
    told = served_tables(recent, reader.contacts(since, until), done, catalogue, params.source.zone)
    if told.decisions.empty:
        raise NotAvailableError(
            f"{reader.name}: no decision is about the {settings.days} days before its last record "
            f"at {last:%Y-%m-%d %H:%M} UTC"
        )
    seen = Seen(told, params, catalogue, until, reader.first())
    tables, alarms = counted(seen)
    others, more = compared(seen, people)
    tables, alarms = tables | others, alarms + more
    tables["budgets"] = counts.budget_table(reader.budgets())
    alarms += rules.of_budgets(tables["budgets"], params.privacy.min_cell) or [
        rules.lacking(ServedRule.BUDGETS, ("no budget is counted", "没有计数的预算"))
    ]
    effect, more = judged_effect(log, outcomes, params, until)
    if effect is not None:
        tables["effects"] = effect.result.effects
    alarms += more
    tables |= _policies(recent, done, seen)
    k = params.privacy.min_cell
    tables = hide(tables, told.contacts, params.budgets.resources, k)
    if simulated:
        alarms = [replace(one, kind=NumberKind.SIMULATED) for one in alarms]
        tables = {name: _simulated(table) for name, table in tables.items()}
    return Report(
        tables={name: table for name, table in tables.items() if len(table)},
        alarms=tuple(alarms),
        settings=settings,
        effect=effect,
        store="a rehearsal" if simulated else reader.name,
        simulated=simulated,
        since=max(since, told.decisions["at"].min().to_pydatetime()),
        until=until,
        totals=_totals(told, tables["outcomes"], k),
        min_cell=k,
        later=reader.later(until),
    )


def _totals(told: ServedTables, kinds: pd.DataFrame, k: int) -> dict[str, int | None]:
    """Sizes of the tables; None for one of fewer than ``k`` customers, though not of none."""
    people = told.decisions[CUSTOMER_ID].nunique()
    totals: dict[str, int | None] = {
        "decisions": len(told.decisions),
        "customers": None if rules.few(people, k) else people,
    }
    totals |= {"contacts": len(told.contacts), "outcomes": len(told.outcomes)}
    for name in ("decisions", "contacts", "outcomes"):
        table: pd.DataFrame = getattr(told, name)
        if rules.few(table[CUSTOMER_ID].nunique(), k):
            totals[name] = None
    if "hidden" in kinds and totals["outcomes"] is not None:
        totals["outcomes"] = int(kinds["outcomes"].sum())  # else the total gives the few away
    return totals


def _simulated(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(kind=NumberKind.SIMULATED.value) if "kind" in table else table


def _from(rows: Sequence[dict[str, Any]], at: str, since: datetime) -> list[dict[str, Any]]:
    return [row for row in rows if datetime.fromisoformat(row[at]) >= since]


def _policies(
    decided: Sequence[Mapping[str, Any]], outcomes: Sequence[Mapping[str, Any]], seen: Seen
) -> dict[str, pd.DataFrame]:
    """Ask the log what other policies would have brought: tables ``support`` and ``policies``."""
    log = served_log(decided, outcomes, seen.settings.reward_days, seen.until)
    if log.log.empty:
        return {}
    actions, names = alternatives(log)
    support = support_table(log.log, actions, names, seen.level)
    table = off_policy_table(log.log, actions, names, seen.level, reference="logged")
    return {"support": support.assign(kind=NumberKind.OFF_POLICY.value), "policies": table}
