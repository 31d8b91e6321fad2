"""Whatever is asked and reported, in whatever order: no cap and no refusal is passed.

The whole of the service without HTTP: the live store, the decision, the reports. What the service
has given leave for is written down here, and judged anew from first principles.
"""

import random
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from toy_snapshot import ITEM, OFFER, PROFILE

from mkt_models.columns import Channel, Model
from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.decisions.decide import decide
from mkt_models.decisions.log import record_of
from mkt_models.decisions.question import Context, Policy, find_customer
from mkt_models.loading import load_params
from mkt_models.store.live import LiveStore
from mkt_models.store.records import (
    Consent,
    ContactStatus,
    Exposure,
    Outcome,
    Record,
    Refused,
    SnapshotMeta,
)
from mkt_models.store.snapshot import Store

ROOT = Path(__file__).parents[2]
START = datetime(2018, 1, 2, 15, tzinfo=UTC)  # a Tuesday, 10 in the morning in the shop
PUSH = ("email", "mail", "sms")
CHANNELS = ("app", *PUSH)
SCORES = {
    "churn": {"value": 0.6, "kind": "predicted", "model": "churn:1", "reasons": []},
    "value": {"value": 400.0, "kind": "predicted", "model": "value:1", "reasons": []},
}
DOCUMENT = {
    "customer_id": "1",
    "as_of": "2018-01-01",
    "profile": {"customer_id": "1", "as_of": "2018-01-01", **PROFILE},
    "scores": SCORES,
    "recommendations": [ITEM],
    "offers": [{**OFFER, "probability": 0.9}],
}


@dataclass(frozen=True)
class Leave:
    """A contact that the service has permitted, and the time in which it may be sent.

    The next revision of the answer ends the leave, unless somebody has begun to send it.
    """

    strategy: str
    channel: str
    start: datetime
    end: datetime
    decision_id: str
    revision: int
    key: str | None = None  # with which somebody has begun to send it

    @property
    def name(self) -> tuple[str, str, str, None]:
        return self.decision_id, self.strategy, self.channel, None

    def some_time(self, rng: random.Random) -> datetime:
        span = self.end - self.start
        return self.start + rng.choice([0.0, rng.random(), 1.0]) * span * 0.999999


def _policy() -> Policy:
    catalogue = load_catalogue(ROOT / "params" / "catalogue.yaml")
    contact = catalogue.contact.model_copy(update={"complaint_days": 3})
    params = load_params(ROOT / "params" / "sample.yaml", {"decisions.holdout_share": 0.0})
    meta = SnapshotMeta(
        as_of="2018-01-01",
        models={model.value: f"{model.value}:1" for model in Model},
        verdicts={model.value: "pass" for model in Model},
        snapshot_id="snap",
    )
    return Policy.of(params, catalogue.model_copy(update={"contact": contact}), meta)


POLICY = _policy()
LIMITS = POLICY.catalogue.contact
PURPOSES = sorted({entry.purpose for entry in POLICY.catalogue.strategies})


class Sequence(RuleBasedStateMachine):
    """One customer who said yes to everything, and an app that asks and reports as it pleases."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        consents = [
            Consent("1", purpose, channel, "granted", date(2017, 6, 1))
            for purpose in PURPOSES
            for channel in CHANNELS
        ]
        meta = SnapshotMeta("2018-01-01")
        Store.write_snapshot(path / "snapshot.sqlite", meta, [DOCUMENT], consents)
        self.snapshot = Store.open(path / "snapshot.sqlite")
        self.live = LiveStore.open(path / "live.sqlite")
        self.now = START
        self.leave: list[Leave] = []
        self.sent: list[Leave] = []
        self.void: list[Leave] = []
        self.given_back: list[Leave] = []
        self.revisions: dict[str, int] = {}
        self.refused: set[tuple[str, str]] = set()
        self.complained: datetime | None = None
        self.questions: list[Context] = []
        self.number = 0

    def teardown(self) -> None:
        if hasattr(self, "live"):
            self.live.close()
            self.snapshot.close()
            self.folder.cleanup()

    def _ask(self, context: Context) -> None:
        question = POLICY.decision_id("1", context, 3)
        record, revision = self._kept(question, context)
        again = self._kept(question, context)  # nothing happens in between
        assert (again[0].answer, again[1]) == (record.answer, revision)
        if self.revisions.get(question) == revision:
            return
        self.revisions[question] = revision
        ended = [one for one in self.leave if one.decision_id == question and one.key is None]
        self.leave = [one for one in self.leave if one not in ended]
        self.void += ended
        self.given_back = [one for one in self.given_back if one.decision_id != question]
        for planned in record.planned:
            contact = planned.exposure
            assert contact.until is not None
            assert contact.strategy is not None
            assert (planned.purpose, contact.channel) not in self.refused
            if contact.channel in PUSH and self.complained is not None:
                assert abs(context.now - self.complained) >= timedelta(days=3)
            span = (contact.sent_at, contact.until)
            found = Leave(contact.strategy, contact.channel, *span, question, revision)
            self.leave.append(found)

    def _kept(self, question: str, context: Context) -> tuple[Record, int]:
        # As the service does: what is being sent for a question is not held against its answer.
        with self.live.turn("1", self.now) as turn:
            for begun in (False, True) if turn.is_sending(question) else (True,):
                customer = find_customer(
                    self.snapshot, "1", context.now, turn, question, begun=begun
                )
                assert customer is not None
                decision = decide(customer, context, POLICY, 3)
                record = record_of(decision, customer, context, POLICY)
                if begun or turn.stands(record):
                    break
            return record, turn.keep(record)

    @rule(hours=st.sampled_from([0.01, 1, 7, 13, 25, 49, 100]))
    def wait(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule(channel=st.sampled_from([None, *CHANNELS]))
    def ask(self, channel: str | None) -> None:
        context = Context(self.now, channel=None if channel is None else Channel(channel))
        self.questions.append(context)
        self._ask(context)

    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        if self.questions:
            self._ask(data.draw(st.sampled_from(self.questions)))

    @rule(data=st.data(), status=st.sampled_from(["sending", "sent", "not_sent"]))
    def report(self, data: st.DataObject, status: str) -> None:
        waiting = [one for one in self.leave if one.start <= self.now < one.end]
        if not waiting:
            return
        name = data.draw(st.sampled_from(waiting)).name
        known = [one for one in (*self.leave, *self.given_back) if one.name == name]
        newest = max(known, key=lambda one: one.revision)
        if status == "sending" and newest in self.given_back:
            return  # whether the caps have room for it again is not the store's question
        self.number += 1
        key = f"job-{self.number}" if status == "sending" else newest.key
        with self.live.turn("1", self.now) as turn:
            try:
                new, _ = turn.report(*name, ContactStatus(status), self.now, key)
            except Refused:
                return
        if not new:
            return
        # A report names no revision: it is about the newest that may still be sent.
        one = max((each for each in self.leave if each.name == name), key=lambda e: e.revision)
        self.leave.remove(one)
        if status == "sending":
            self.leave.append(replace(one, key=key))
        elif status == "not_sent":
            self.given_back.append(one)
        elif status == "sent":
            self.sent.append(replace(one, start=self.now, end=self.now))

    @rule(data=st.data())
    def begin_what_a_newer_answer_has_ended(self, data: st.DataObject) -> None:
        named = {one.name for one in (*self.leave, *self.given_back)}
        over = [one for one in self.void if one.name not in named]
        if over:
            name = data.draw(st.sampled_from(over)).name
            with self.live.turn("1", self.now) as turn, pytest.raises(Refused):
                turn.report(*name, ContactStatus.SENDING, self.now, "late")

    @rule(purpose=st.sampled_from(PURPOSES), channel=st.sampled_from(CHANNELS), yes=st.booleans())
    def say(self, purpose: str, channel: str, yes: bool) -> None:
        status = "granted" if yes else "refused"
        today = self.now.astimezone(POLICY.zone).date()
        said = Consent("1", purpose, channel, status, today, changed_at=self.now)
        with self.live.turn("1", self.now) as turn:
            turn.say(said)
        (self.refused.discard if yes else self.refused.add)((purpose, channel))
        self.now += timedelta(seconds=1)

    @rule()
    def complain(self) -> None:
        self.number += 1
        with self.live.turn("1", self.now) as turn:
            turn.outcome(Outcome(f"o-{self.number}", "complaint", self.now))
        self.complained = self.now

    @rule(channel=st.sampled_from(CHANNELS))
    def contact_elsewhere(self, channel: str) -> None:
        self.number += 1
        with self.live.turn("1", self.now) as turn:
            turn.contacted(Exposure("1", channel, self.now), f"e-{self.number}")

    @invariant()
    def no_cap_is_passed_whenever_they_are_sent(self) -> None:
        if not hasattr(self, "leave"):
            return
        rng = random.Random(len(self.leave))
        for _ in range(4):
            times = sorted(
                ((one, one.some_time(rng)) for one in (*self.leave, *self.sent)),
                key=lambda pair: pair[1],
            )
            push = [at for one, at in times if one.channel in PUSH]
            for earlier, later in pairwise(push):
                assert later - earlier >= timedelta(hours=LIMITS.min_gap_hours)
            _check(LIMITS.caps, push)
            for channel, limits in LIMITS.channels.items():
                _check(limits.caps, [at for one, at in times if one.channel == channel.value])
            for entry in POLICY.catalogue.strategies:
                _check(entry.caps, [at for one, at in times if one.strategy == entry.id])
            for one, at in times:
                local = at.astimezone(POLICY.zone).time()
                wakes = LIMITS.channels[Channel(one.channel)].wakes
                if one.channel in PUSH and wakes:
                    assert time(9) <= local < time(21)


def _check(caps, times: list[datetime]) -> None:
    for days, most in caps.windows():
        for at in times:
            assert sum(at <= other < at + timedelta(days=days) for other in times) <= most


Sequence.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestSequence = Sequence.TestCase
