"""How often every rule on a service cries wolf, and how soon it sees a planted fault.

**Drawn services.** 1,000 customers who ask at rates of their own (gamma), come and go, prefer
strategies of their own, and are a fifth held out, over 16 weeks: caps of a week and a month, a gap,
a monthly budget, consents, public holidays, an app that does not report on everything, purchases
that contacts neither raise nor lower. They are drawn as the tables and rows that the rules read
(``served_judged``, ``served_effect``), not through the store: that takes 14 ms per decision.
One is looked at every week: as a young service (weeks 2 to 8), and as one that has run in (weeks
13 to 16). A fault begins on a day of its own of week 13 and stays; the harm by contacts and a
holdout that does not turn up also from the first day on.

On stable services: the share of looks that alarm, and of services that alarm at any look, with
Wilson's 95% intervals. With a fault: the share that is seen at the first look, and within four; the
median of the days until then (looks are weekly, so that 3.5 are lost on average).

    python benchmarks/served.py --seeds 60 --planted 10
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property, lru_cache
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.decisions.catalogue import Catalogue, load_catalogue
from mkt_models.decisions.holdout import holdout_experiment
from mkt_models.decisions.occasions import Occasion, occasions
from mkt_models.decisions.served_tables import CONTACTS, DECISIONS, OUTCOMES, ServedTables
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.experiments.assignment import assign
from mkt_models.loading import load_params
from mkt_models.monitoring import served as counts
from mkt_models.monitoring import served_rules as rules
from mkt_models.monitoring.alarms import Alarm, Outcome, by_rule
from mkt_models.params import Params
from mkt_models.served_compared import changed, reach
from mkt_models.served_effect import judged_effect
from mkt_models.served_judged import (
    Seen,
    cap_alarms,
    cap_table,
    contact_alarms,
    decision_alarms,
)
from mkt_models.served_params import ServedRule

HERE = Path(__file__).resolve().parent
FIRST = datetime(2018, 1, 2, tzinfo=UTC)
N, WEEKS, HOLDOUT = 1000, 16, 0.2
YOUNG, MATURE = (2, 4, 6, 7, 8), range(13, 17)
EFFECT = (ServedRule.SAMPLE_RATIO, ServedRule.HOLDOUT_EFFECT)
CHANGES = {ServedRule.STRATEGY_MIX, ServedRule.SUPPRESSION}
COST = 18.0  # limit of a week
LETTERS = 40  # of a budget's period of 30 days
# id, channel, whether an offer, cap of how many in how many days, cost; as in the catalogue.
STRATEGIES = {
    "personalised_recommendation": ("app", False, (3, 1), 0.001),
    "membership_tier": ("app", False, (1, 7), 0.001),
    "personalised_content": ("app", False, (2, 7), 0.001),
    "personalised_promotion": ("email", True, (2, 7), 0.01),
    "service_care": ("mail", False, (1, 30), 0.6),
    "scenario_holiday": ("app", False, (2, 1), 0.001),
}
PUSH = {"personalised_promotion", "service_care"}
# days, most, and the reason beyond: of all push channels.
PUSH_CAPS = ((2, 1, "min_gap"), (7, 2, "cap_customer"), (30, 6, "cap_customer"))
# What changes decisions, so that the service is drawn anew; all else is put into a stable one.
DECIDED = ("a strategy", "consents", "caps no longer", "a group")
LIKED = np.array([1.0, 2.0, 0.2, 1.2, 0.2, 5.0])  # on a holiday its own scene comes first
# The rule that should see it comes first; what is planted; sizes; from the first day on.
CASES: list[tuple[ServedRule, str, list[float], bool]] = [
    (ServedRule.SAMPLE_RATIO, "holdout that does not turn up, share", [0.2, 0.4], True),
    (ServedRule.SAMPLE_RATIO, "holdout that stops asking, share", [0.4, 0.8], False),
    (ServedRule.SAMPLE_RATIO, "another salt, share of customers", [1.0], False),
    (
        ServedRule.HOLDOUT_EFFECT,
        "purchases lost to contacts, share, from the start",
        [0.25, 0.5],
        True,
    ),
    (
        ServedRule.HOLDOUT_EFFECT,
        "purchases lost to contacts, share, later",
        [0.25, 0.5, 1.0],
        False,
    ),
    (ServedRule.CONTACT_POLICY, "contacts sent after they were withdrawn", [1, 10], False),
    (ServedRule.CAPS, "customers contacted beyond a cap", [1, 10], False),
    (ServedRule.BUDGETS, "letters beyond the budget, a week", [5, 50], False),
    (ServedRule.COST, "contacts dearer, as a share", [0.5, 1.0], False),
    (ServedRule.REPORTS, "contacts no longer reported on, share", [0.3, 1.0], False),
    (ServedRule.COMPLAINTS, "complaints per push contact", [0.03, 0.1], False),
    (ServedRule.STALE_PROFILES, "customers with a stale profile, share", [0.02, 0.2], False),
    (
        ServedRule.STRATEGY_MIX,
        "a strategy that vanishes, for a share of customers",
        [0.25, 0.5, 1.0],
        False,
    ),
    (ServedRule.SUPPRESSION, "consents that expire, share of customers", [0.2, 0.4], False),
    (
        ServedRule.SUPPRESSION,
        "consents no longer asked for, share of customers",
        [0.25, 0.5, 1.0],
        False,
    ),
    (ServedRule.SUPPRESSION, "caps no longer kept, share of customers", [0.5, 1.0], False),
    (
        ServedRule.FAIRNESS,
        "a group of a fifth no longer reached, share of it",
        [0.25, 0.5, 1.0],
        False,
    ),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=60, help="stable services")
    parser.add_argument("--planted", type=int, default=10, help="services per planted size")
    parser.add_argument("--draws", type=int, default=199)
    parser.add_argument("--only", nargs="*", help="rules whose faults are planted; all")
    parser.add_argument("--out", type=Path, default=HERE / "served.json")
    a = parser.parse_args()
    found: dict[str, Any] = {}
    if a.out.exists():
        found = json.loads(a.out.read_text())
    watch = Watch.of(a.draws)
    if a.seeds:
        for found["stable"] in _stable(a.seeds, watch):
            a.out.write_text(json.dumps(found, indent=1) + "\n")
    rows = []
    for rule, what, sizes, early in CASES if a.planted else []:
        for size in sizes if not a.only or rule.value in a.only else []:
            rows.append(_planted(rule, what, size, early, a.planted, watch))
            print(f"{process_time():5.0f} CPU s", rows[-1], flush=True)
            found["planted"] = rows
            a.out.write_text(json.dumps(found, indent=1) + "\n")
    found["cpu_s"] = round(process_time())
    a.out.write_text(json.dumps(found, indent=1) + "\n")


@dataclass(frozen=True)
class Service:
    """Sixteen weeks of a drawn service; something may be planted."""

    seed: int
    planted: str = ""
    size: float = 0.0
    early: bool = False

    @cached_property
    def begins(self) -> float:
        """The day on which the fault begins."""
        phase = np.random.default_rng([self.seed, 20]).uniform(0, 7)
        return 0.0 if self.early else 7.0 * (MATURE[0] - 1) + float(phase)

    def of(self, what: str, day: float) -> float:
        """How strongly something is planted on a day."""
        return self.size if self.planted.startswith(what) and day >= self.begins else 0.0

    @cached_property
    def people(self) -> pd.DataFrame:
        """One row per customer."""
        rng = np.random.default_rng([self.seed, 21])
        came = np.where(rng.random(N) < 0.7, 0.0, rng.uniform(0, 7 * WEEKS, N))
        return pd.DataFrame(
            {
                "customer_id": [f"{self.seed}-{number:04d}" for number in range(N)],
                "rate": rng.gamma(2.0, 0.1, N).clip(0.02, 1.0),
                "came": came,
                "gone": came + rng.exponential(200, N),
                "age_band": rng.choice(["19-34", "35-54", "55+"], N, p=[0.5, 0.3, 0.2]),
                "consents": rng.random(N) < 0.6,
                "buys": rng.gamma(1.0, 0.05, N),
                "silent": np.where(rng.random(N) < 0.05, 0.4, 0.005),
                "hit": rng.random(N),  # whom a fault of a share of the customers hits
            }
        )

    @cached_property
    def columns(self) -> dict[str, list[Any]]:
        """The same by column, which is faster to look into."""
        return {str(name): column.tolist() for name, column in self.people.items()}

    @cached_property
    def arms(self) -> tuple[list[str], list[float]]:
        """The arm of every customer and its probability, drawn as the service draws it."""
        experiment = holdout_experiment(HOLDOUT, f"salt-{self.seed}")
        drawn = [assign(experiment, name) for name in self.people["customer_id"]]
        return [str(one.arm) for one in drawn if one], [one.probability for one in drawn if one]

    @cached_property
    def asked(self) -> list[tuple[float, int]]:
        """Day and number of the customer of every question, in the order of time."""
        rng = np.random.default_rng([self.seed, 22])
        found = []
        people = self.people
        for i, (rate, came, gone) in enumerate(
            zip(people["rate"], people["came"], people["gone"], strict=True)
        ):
            end = min(gone, 7.0 * WEEKS)
            days = came + np.cumsum(rng.exponential(1 / rate, int(7 * WEEKS * rate * 2) + 20))
            for day in days[days < end]:
                found.append((float(day), i))
        return sorted(found)

    @cached_property
    def tables(self) -> ServedTables:
        """What the service did, all of it."""
        if self.planted.startswith(DECIDED) or not self.planted:
            return self._drawn()
        return self._changed(_stable_tables(self.seed))

    def _drawn(self) -> ServedTables:
        rng = np.random.default_rng([self.seed, 23])
        people, arms, names = self.columns, self.arms, list(STRATEGIES)
        liked = LIKED + rng.gumbel(0, 1.0, (N, len(names)))
        active = rng.random(N) < 0.85  # nothing is worth its cost to the others, mostly
        had: dict[tuple[int, str], list[float]] = {}
        pushed: dict[int, list[float]] = {}
        decided, contacts, outcomes = [], [], []
        letters: dict[int, int] = {}
        for number, (day, i) in enumerate(self.asked):
            who, at = people["customer_id"][i], FIRST + timedelta(days=day)
            reasons, first = {"outranked"}, None
            holiday = _holiday(at.date())
            scores = liked[i] + rng.normal(0, 0.3, len(names))
            arm, p_arm = arms[0][i], arms[1][i]
            order = np.argsort(-scores)
            if not active[i] and rng.random() < 0.9:
                reasons.add("worth_not_positive")
                order = order[:0]
            for k in order:
                name = names[k]
                code = self._why_not(name, i, day, holiday, had, pushed, letters)
                if code is not None:
                    reasons.add(code)
                    continue
                first = name
                break
            if arm == "holdout" or (
                people["age_band"][i] == "55+" and rng.random() < self.of("a group", day)
            ):
                reasons.add("holdout" if arm == "holdout" else "not_eligible")
                first = None
            channel = STRATEGIES[first][0] if first else None
            offer = bool(first and STRATEGIES[first][1])
            row = (f"d{number}", who, at, _midnight(at), arm, p_arm, first or "no_action", channel)
            row += (None, 1.0, False, False, False, offer, tuple(sorted(reasons)))
            decided.append(row)
            if first is not None:
                had.setdefault((i, first), []).append(day)
                if first in PUSH:
                    pushed.setdefault(i, []).append(day)
                if first == "service_care":
                    letters[int(day // 30)] = letters.get(int(day // 30), 0) + 1
                silent = people["silent"][i]
                made = self._contact(first, who, f"d{number}", day, rng, silent)
                contacts.append(made)
                if first in PUSH and made[6] == "sent" and rng.random() < 0.0005:
                    then = at + timedelta(days=1.5)
                    angry = (who, f"d{number}", first, "complaint", None, then, _midnight(then))
                    outcomes.append(angry)
        outcomes += self._purchases(rng)
        return ServedTables(
            _table(decided, DECISIONS, ("at",)),
            _table(contacts, CONTACTS, ("sent_on", "until")).astype(
                {"cost": "float64", "push": "bool", "within_policy": "boolean"}
            ),
            _table(outcomes, OUTCOMES, ("at",)).astype({"amount": "float64"}),
        )

    def _why_not(
        self, name: str, i: int, day: float, holiday: bool, had: Any, pushed: Any, letters: Any
    ) -> str | None:
        """The reason against a strategy, or None."""
        people, (_, _, (most, days), _) = self.columns, STRATEGIES[name]
        hit = people["hit"][i]
        if name == "scenario_holiday" and not holiday:
            return "not_the_occasion"
        if name == "membership_tier" and hit < self.of("a strategy that vanishes", day):
            return "model_not_released"
        if name in PUSH:
            agreed = people["consents"][i] or hit < self.of("consents no longer", day)
            if not agreed:
                return "consent_unknown"
            if hit < self.of("consents that expire", day):
                return "consent_expired"
            if holiday and name != "service_care":
                return "quiet_day"
        if hit >= self.of("caps no longer", day):
            for within, at_most, code in PUSH_CAPS if name in PUSH else ():
                if sum(day - one < within for one in pushed.get(i, ())) >= at_most:
                    return code
            if sum(day - one < days for one in had.get((i, name), ())) >= most:
                return "cap_strategy"
        if name == "service_care" and letters.get(int(day // 30), 0) >= LETTERS:
            return "budget_spent"
        return None

    def _contact(
        self, name: str, who: str, decision: str, day: float, rng: Any, silent: float
    ) -> tuple[Any, ...]:
        channel, _, _, cost = STRATEGIES[name]
        at, fate = FIRST + timedelta(days=day), rng.random()
        head = (who, decision, name, channel, None, name in PUSH)
        if fate < silent:
            return (*head, "planned", None, at, at + timedelta(days=1), _midnight(at), cost)
        if fate < silent + 0.04:
            until = at + timedelta(days=1)
            return (*head, "not_sent", None, at, until, _midnight(at), cost)
        return (*head, "sent", True, at, None, _midnight(at), cost)

    def _changed(self, stable: ServedTables) -> ServedTables:
        """A stable service with a fault that changes no decision, from its day on."""
        rng, what = np.random.default_rng([self.seed, 24]), self.planted
        begins = pd.Timestamp(FIRST + timedelta(days=self.begins))
        decisions, contacts, outcomes = stable.decisions, stable.contacts.copy(), stable.outcomes
        who = self.people.set_index("customer_id")["hit"]
        treated = dict(zip(self.people["customer_id"], self.arms[0], strict=True))
        hit = decisions["customer_id"].map(who).lt(self.size) & (decisions["at"] >= begins)
        new = contacts["sent_on"] >= begins
        sent, some = new & (contacts["status"] == "sent"), int(self.size)
        if what.startswith("holdout"):
            decisions = decisions[~(hit & (decisions["arm"] == "holdout"))]
        elif what.startswith("another salt"):
            other = decisions["arm"].map({"holdout": "treatment", "treatment": "holdout"})
            decisions = decisions.assign(arm=decisions["arm"].mask(hit, other))
        elif what.startswith("customers with a stale"):
            decisions = decisions.assign(stale=hit)
        elif what.startswith("purchases lost"):
            arm = outcomes["customer_id"].map(treated)
            lost = (outcomes["at"] >= begins) & (arm == "treatment")
            outcomes = outcomes[~(lost & (rng.random(len(outcomes)) < self.size))]
        elif what.startswith("contacts dearer"):
            contacts["cost"] = contacts["cost"].where(~new, contacts["cost"] * (1 + self.size))
        elif what.startswith("contacts no longer"):
            lost = new & (rng.random(len(contacts)) < self.size)
            contacts.loc[lost, ["status", "within_policy"]] = ["planned", pd.NA]
            contacts.loc[lost, "until"] = contacts.loc[lost, "sent_on"] + timedelta(days=1)
        elif what.startswith("contacts sent after"):
            contacts.loc[contacts.index[sent][:some], "within_policy"] = False
        elif what.startswith("customers contacted"):
            tiers = contacts[sent & (contacts["strategy"] == "membership_tier")].head(some)
            again = tiers.assign(sent_on=tiers["sent_on"] + timedelta(hours=9))
            contacts = pd.concat([contacts, again], ignore_index=True)
        elif what.startswith("complaints"):
            angry = contacts[sent & contacts["push"] & (rng.random(len(contacts)) < self.size)]
            at = angry["sent_on"] + timedelta(days=1.5)
            more = angry[["customer_id", "decision_id", "strategy", "day"]].assign(at=at)
            more = more.assign(kind="complaint", amount=np.nan)
            outcomes = pd.concat([outcomes, more], ignore_index=True)
        elif not what.startswith("letters"):
            raise ValueError(f"{what!r}: nothing of this name can be planted")
        return ServedTables(decisions, contacts, outcomes)

    def _purchases(self, rng: Any) -> list[Any]:
        found = []
        for who, buys in zip(self.people["customer_id"], self.people["buys"], strict=True):
            n = rng.poisson(buys * 7 * WEEKS)
            for day, amount in zip(
                rng.uniform(0, 7 * WEEKS, n), rng.exponential(30, n), strict=True
            ):
                at = FIRST + timedelta(days=float(day))
                found.append((who, None, None, "purchase", amount, at, _midnight(at)))
        return found

    def budgets(self, until: datetime) -> list[dict[str, Any]]:
        """The budget of letters as a store counts it, by period."""
        contacts, found = self.tables.contacts, []
        letters = contacts[(contacts["strategy"] == "service_care") & (contacts["sent_on"] < until)]
        day = (letters["sent_on"] - FIRST).dt.total_seconds() / 86400
        today = (until - FIRST).total_seconds() / 86400
        for period in range(int(today // 30) + 1):
            used = int((day // 30 == period).sum())
            if self.planted.startswith("letters") and today >= self.begins:
                since = (
                    min(today - self.begins, today - 30 * period)
                    if 30 * (period + 1) > self.begins
                    else 0.0
                )
                used += int(self.size * since / 7) if since > 0 else 0
            starts, ends = (FIRST + timedelta(days=30 * (period + n)) for n in (0, 1))
            row = {"budget": "letters", "starts_on": f"{starts:%Y-%m-%d}", "used": float(used)}
            row |= {"ends_on": f"{ends:%Y-%m-%d}", "amount": float(LETTERS), "sent": float(used)}
            row |= {"contacts": {"sent": used}}
            found.append(row | {"reserved": 0.0, "sent_without_leave": 0.0})
        return found


@dataclass(frozen=True)
class Watch:
    """By what services are watched, and the alarms of a look."""

    params: Params
    catalogue: Catalogue

    @classmethod
    def of(cls, draws: int) -> "Watch":
        """The shipped limits and catalogue, with fewer draws, and a limit for the cost."""
        root = HERE.parent / "params"
        params = load_params(root / "complete_journey.yaml")
        limits = params.served.limits.model_copy(update={"cost": COST})
        served = params.served.model_copy(update={"n_bootstrap": draws, "limits": limits})
        audit = params.audit.model_copy(update={"attributes": ("age_band",)})
        parts = {"served": served, "audit": audit, "seed": 1}
        return cls(params.model_copy(update=parts), load_catalogue(root / "catalogue.yaml"))

    def alarms(self, one: Service, week: int, only: ServedRule | None = None) -> list[Alarm]:
        """The alarms of the report at the end of a week."""
        until = FIRST + timedelta(weeks=week)
        drawn = self.params.decisions.model_copy(
            update={"holdout_share": HOLDOUT, "holdout_salt": f"salt-{one.seed}"}
        )
        params = self.params.model_copy(update={"decisions": drawn})
        found: list[Alarm] = []
        if only not in EFFECT:
            told = _period(one.tables, until, params.served.days)
            seen = Seen(told, params, self.catalogue, until, FIRST)
            found = self._found(seen, one, until, only)
        if only is None or only in EFFECT:
            found += self._effect(one, params, until)
        return found

    def _found(
        self, seen: Seen, one: Service, until: datetime, only: ServedRule | None
    ) -> list[Alarm]:
        people = one.people[["customer_id", "age_band"]]
        parts: list[tuple[set[ServedRule], Callable[[], list[Alarm]]]] = [
            (CHANGES, lambda: changed(seen)[1]),
            ({ServedRule.FAIRNESS}, lambda: reach(seen, people)[2]),
            (
                {ServedRule.BUDGETS},
                lambda: rules.of_budgets(counts.budget_table(one.budgets(until))),
            ),
        ]
        rest = set(ServedRule) - {*EFFECT, *CHANGES, ServedRule.FAIRNESS, ServedRule.BUDGETS}
        rest -= {ServedRule.CAPS, ServedRule.STALE_PROFILES}
        parts += [
            ({ServedRule.CAPS}, lambda: cap_alarms(seen, cap_table(seen))),
            ({ServedRule.STALE_PROFILES}, lambda: decision_alarms(seen)),
            (rest, lambda: contact_alarms(seen)),
        ]
        return [a for mine, work in parts if only is None or only in mine for a in work()]

    def _effect(self, one: Service, params: Params, until: datetime) -> list[Alarm]:
        # Of a customer the first decision tells when the days begin, and any the arm.
        asked = one.tables.decisions
        asked = asked[asked["at"] < until].drop_duplicates(["customer_id", "arm"])
        done = one.tables.outcomes
        done = done[done["at"] < until]
        decided = [row | {"asked_for": row["at"].isoformat()} for row in asked.to_dict("records")]
        outcomes = [row | {"occurred_at": row["at"].isoformat()} for row in done.to_dict("records")]
        return judged_effect(decided, outcomes, params, until)[1]


def _period(tables: ServedTables, until: datetime, days: int) -> ServedTables:
    """What a store has on record of a period, as known at its end."""
    since = until - timedelta(days=days)
    parts = []
    for table, at in (
        (tables.decisions, "at"),
        (tables.contacts, "sent_on"),
        (tables.outcomes, "at"),
    ):
        parts.append(table[(table[at] >= since) & (table[at] < until)].reset_index(drop=True))
    return ServedTables(*parts)


def _stable(seeds: int, watch: Watch) -> Iterator[list[dict[str, Any]]]:
    """Alarms on services of which nothing is planted, at each look and at any; every five anew."""
    hits: dict[tuple[str, str], dict[int, list[str]]] = {}
    for seed in range(seeds):
        one = Service(seed)
        for age, weeks in (("young", YOUNG), ("run in", MATURE)):
            for week in weeks:
                outcomes = by_rule(watch.alarms(one, week), ServedRule)
                for rule, outcome in outcomes.items():
                    kept = hits.setdefault((rule.value, age), {}).setdefault(week, [])
                    kept.append(outcome.value)
        if seed % 5 == 4 or seed == seeds - 1:
            print(f"{process_time():5.0f} CPU s, {seed + 1} stable services", flush=True)
            yield _alarmed(hits, seed + 1)


def _alarmed(hits: dict[tuple[str, str], dict[int, list[str]]], seeds: int) -> list[dict[str, Any]]:
    found = []
    for (rule, age), looks in hits.items():
        told = [one for week in looks.values() for one in week if one != "not_evaluated"]
        alarmed = np.array([[one == "alarm" for one in week] for week in looks.values()])
        row = {"rule": rule, "service": age, "services": seeds, "looks": len(told)}
        row |= _share("alarms", int(alarmed.sum()), len(told)) if told else {}
        row["first_look"] = float(alarmed[0].mean())
        row["by_week"] = {week: float(a.mean()) for week, a in zip(looks, alarmed, strict=True)}
        found.append(row | _share("at_any", int(alarmed.any(axis=0).sum()), seeds))
    return found


def _planted(
    rule: ServedRule, what: str, size: float, early: bool, services: int, watch: Watch
) -> dict[str, Any]:
    """How many services alarm of what is planted in them, and when."""
    delays, at_first = [], 0
    for seed in range(1000, 1000 + services):
        one = Service(seed, what, float(size), early)
        weeks = (2, 4, 6, 8, 12, 16) if early else MATURE
        delay = np.inf
        for week in weeks:
            told = watch.alarms(one, week, rule)
            if by_rule(told, ServedRule)[rule] in _seen(what):
                delay = 7 * week - one.begins
                at_first += week == weeks[0]
                break
        delays.append(delay)
    row: dict[str, Any] = {"rule": rule.value, "planted": what, "size": size, "early": early}
    row |= {"services": services} | _share("at_first", at_first, services)
    row |= _share("seen", int(np.isfinite(delays).sum()), services)
    middle = float(np.median(delays))
    return row | {"median_days": round(middle, 1) if np.isfinite(middle) else None}


def _seen(what: str) -> tuple[Outcome, ...]:
    """A holdout of another salt is told as not evaluated, which the exit code says too."""
    if what.startswith("another salt"):
        return (Outcome.ALARM, Outcome.NOT_EVALUATED)
    return (Outcome.ALARM,)


@lru_cache(maxsize=16)
def _stable_tables(seed: int) -> ServedTables:
    return Service(seed).tables


@cache
def _holiday(day: date) -> bool:
    return Occasion.PUBLIC_HOLIDAY in occasions("US", day)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def _table(rows: list[Any], columns: tuple[str, ...], times: tuple[str, ...]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=list(columns))
    for name in times:
        table[name] = pd.to_datetime(table[name], utc=True)
    return table.sort_values(times[0], kind="stable", ignore_index=True)


def _share(name: str, count: int, n: int) -> dict[str, float]:
    lower, upper = wilson_interval(count / n, n, 0.95)
    return {name: float(count) / n, f"{name}_lower": lower, f"{name}_upper": upper}


if __name__ == "__main__":
    main()
