"""Whatever is decided, reported, erased and published, in whatever order: the money adds up.

The whole of the service without HTTP, three customers and two small budgets. After every step the
counters are summed anew from the contacts, and what the service has given leave for is held against
the amounts that were in force.
"""

import json
import tempfile
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from toy_snapshot import ITEM, OFFER, PROFILE

from mkt_models.columns import Model
from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.decisions.question import Policy
from mkt_models.loading import load_params
from mkt_models.serving.bodies import (
    ConsentReport,
    ExposureReport,
    ForgetRequest,
    OutcomeReport,
    StrategiesRequest,
)
from mkt_models.serving.reports import (
    forget,
    take_consent,
    take_exposure,
    take_outcome,
)
from mkt_models.serving.runtime import Runtime
from mkt_models.serving.wire import Fault
from mkt_models.store import live_tables as tables
from mkt_models.store.live import LiveStore
from mkt_models.store.records import Consent, SnapshotMeta
from mkt_models.store.snapshot import Store

ROOT = Path(__file__).parents[2]
START = datetime(2018, 1, 3, 15, tzinfo=UTC)
CUSTOMERS = ("1", "2", "3")
CHANNELS = ("app", "email", "mail", "sms")
SCORES = {
    name: {"value": value, "kind": "predicted", "model": f"{name}:1", "reasons": []}
    for name, value in (("churn", 0.6), ("value", 400.0))
}
CATALOGUE = load_catalogue(ROOT / "params" / "catalogue.yaml")
PARAMS = load_params(
    ROOT / "params" / "sample.yaml",
    {"decisions.holdout_share": 0.0, "budgets.resources": []},
)
PURPOSES = sorted({entry.purpose for entry in CATALOGUE.strategies})


def meta(coupons: int, cents: int, days: int, name: str) -> SnapshotMeta:
    amounts = {"coupons": coupons, "money": cents / 100}
    rows = [
        {"budget": name, "resource": name, "amount": amount, "period_days": days, "price": 0.0}
        for name, amount in amounts.items()
    ]
    return SnapshotMeta(
        as_of="2018-01-01",
        models={model.value: f"{model.value}:1" for model in Model},
        verdicts=dict.fromkeys((*Model, "terms"), "pass"),
        snapshot_id=name,
        shadow_prices=tuple(
            {**row, "channels": [], "strategies": [], "offers": []} for row in rows
        ),
    )


def document(name: str) -> dict[str, Any]:
    return {
        "customer_id": name,
        "as_of": "2018-01-01",
        "profile": {"customer_id": name, "as_of": "2018-01-01", **PROFILE},
        "scores": SCORES,
        "recommendations": [ITEM],
        "offers": [{**OFFER, "probability": 0.9, "given": 0.05}],
    }


def read(model: Any, **body: object) -> Any:
    return model.model_validate_json(json.dumps(body))


class Sequence(RuleBasedStateMachine):
    """Three customers, an app that asks and reports as it pleases, and a shop that publishes."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        consents = [
            Consent(name, purpose, channel, "granted", date(2017, 6, 1))
            for name in CUSTOMERS
            for purpose in PURPOSES
            for channel in CHANNELS
        ]
        documents = [document(name) for name in CUSTOMERS]
        first = meta(2, 10, 7, "s0")
        Store.write_snapshot(path / "snapshot.sqlite", first, documents, consents)
        snapshot = Store.open(path / "snapshot.sqlite")
        self.runtime = Runtime(
            params=PARAMS,
            policy=Policy.of(PARAMS, CATALOGUE, snapshot.meta()),
            scorers={},
            snapshot=snapshot,
            live=LiveStore.open(path / "live.sqlite"),
        )
        self.now = START
        self.number = 0
        self.planned: list[tuple[str, str, str]] = []
        # The highest amount that was in force, by budget: what was taken under it stays taken.
        self.most = {"coupons": 2_000_000, "money": 100_000}
        self.gone: set[str] = set()

    def teardown(self) -> None:
        if hasattr(self, "runtime"):
            self.runtime.close()
            self.folder.cleanup()

    def _ask(self, name: str, channel: str | None, now: datetime) -> None:
        context = {"now": now.isoformat(), "channel": channel}
        question = read(StrategiesRequest, customer_id=name, context=context)
        if name in self.gone:
            with pytest.raises(Fault, match="no such customer"):
                self.runtime.strategies(question)
            return
        answer = self.runtime.strategies(question)
        self.planned += [
            (answer["decision_id"], one["strategy"], one["channel"])
            for one in answer["strategies"]
            if one["channel"]
        ]

    @rule(name=st.sampled_from(CUSTOMERS), channel=st.sampled_from([None, *CHANNELS]))
    def ask(self, name: str, channel: str | None) -> None:
        self._ask(name, channel, self.now)

    @rule(name=st.sampled_from(CUSTOMERS), hours=st.sampled_from([1, 20, 100, 200]))
    def wait_and_ask(self, name: str, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self._ask(name, None, self.now)

    @precondition(lambda self: getattr(self, "planned", None))
    @rule(
        data=st.data(),
        status=st.sampled_from(["sending", "sent", "not_sent"]),
        key=st.sampled_from(["one", "two"]),
    )
    def report(self, data: st.DataObject, status: str, key: str) -> None:
        decision, strategy, channel = data.draw(st.sampled_from(self.planned))
        body = {"decision_id": decision, "strategy": strategy, "channel": channel, "key": key}
        told = read(ExposureReport, **body, status=status, sent_at=self.now.isoformat())
        with suppress(Fault):  # withdrawn, over, sent before, or of somebody who is erased
            take_exposure(self.runtime, told)

    @rule(name=st.sampled_from(CUSTOMERS), channel=st.sampled_from(CHANNELS), yes=st.booleans())
    def say(self, name: str, channel: str, yes: bool) -> None:
        body = {"customer_id": name, "purpose": "marketing", "channel": channel}
        status = "granted" if yes else "refused"
        try:
            take_consent(
                self.runtime,
                read(ConsentReport, **body, status=status, changed_at=self.now.isoformat()),
            )
        except Fault:
            assert name in self.gone

    @rule(name=st.sampled_from(CUSTOMERS))
    def complain(self, name: str) -> None:
        self.number += 1
        body = {"customer_id": name, "key": f"o-{self.number}", "kind": "complaint"}
        try:
            take_outcome(
                self.runtime, read(OutcomeReport, **body, occurred_at=self.now.isoformat())
            )
        except Fault:
            assert name in self.gone

    @rule(name=st.sampled_from(CUSTOMERS[1:]))
    def erase(self, name: str) -> None:
        self.gone.add(name)
        assert forget(self.runtime, read(ForgetRequest, customer_id=name))["erased"]

    @rule(
        coupons=st.integers(0, 4), cents=st.sampled_from([0, 2, 30]), days=st.sampled_from([3, 7])
    )
    def publish(self, coupons: int, cents: int, days: int) -> None:
        self.number += 1
        published = meta(coupons, cents, days, f"s{self.number}")
        documents = [document(name) for name in CUSTOMERS]
        self.runtime.live.publish(published, documents, self.now)
        self.most["coupons"] = max(self.most["coupons"], 1_000_000 * coupons)
        self.most["money"] = max(self.most["money"], 10_000 * cents)

    @rule()
    def purge(self) -> None:
        self.runtime.live.purge(self.now - timedelta(days=30))

    @invariant()
    def counters_are_the_sums_and_within_the_amounts(self) -> None:
        if not hasattr(self, "runtime"):
            return
        sums: dict[tuple[str, date], int] = defaultdict(int)
        without_leave: dict[tuple[str, date], int] = defaultdict(int)
        with self.runtime.live._engine.connect() as connection:
            uses = connection.execute(sa.select(tables.budget_uses)).mappings().all()
            periods = connection.execute(sa.select(tables.budget_periods)).mappings().all()
        for row in uses:
            place = (row["budget"], row["starts_on"])
            sums[place] += row["millionths"] * (row["state"] != "given_back")
            without_leave[place] += row["millionths"] * (row["state"] == "sent_without_leave")
        for row in periods:
            place = (row["budget"], row["starts_on"])
            used = row["used_millionths"]
            assert used == sums[place]
            assert 0 <= used - without_leave[place] <= self.most[row["budget"]]
        assert set(sums) <= {(row["budget"], row["starts_on"]) for row in periods}
        for budget in self.most:
            spans = sorted(
                (row["starts_on"], row["ends_on"]) for row in periods if row["budget"] == budget
            )
            for (_, ends_on), (starts_on, _) in pairwise(spans):
                assert ends_on <= starts_on


Sequence.TestCase.settings = settings(max_examples=8, stateful_step_count=20, deadline=None)
TestSequence = Sequence.TestCase
