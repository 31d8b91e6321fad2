"""A decision of the live store, a contact that it plans, and what its customer said."""

from datetime import UTC, date, datetime, timedelta

from mkt_models.store.records import Consent, Exposure, Planned, Record

NOW = datetime(2018, 1, 6, 15, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
YES = Consent("a", "marketing", "app", "granted", date(2017, 5, 1), date(2019, 5, 1))
NO = Consent("a", "marketing", "email", "refused", date(2018, 1, 6), changed_at=NOW)


def email(strategy: str = "content", **parts: object) -> Planned:
    exposure = Exposure(
        "a", "email", NOW, strategy, decision_id="d1", until=NOW + 3 * HOUR, **parts
    )
    return Planned(exposure, "marketing")


def record(decision_id: str = "d1", answer: object = "hello", *planned: Planned) -> Record:
    return Record(
        decision_id=decision_id,
        snapshot_id="snap",
        asked_for=NOW,
        arm="treatment",
        arm_probability=0.9,
        experiment="holdout:spring",
        strategy="content",
        channel="email",
        offer_id=None,
        probability=1.0,
        answer={"says": answer},
        inputs={"contacts": []},
        planned=planned,
    )
