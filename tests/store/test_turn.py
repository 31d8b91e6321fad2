"""What is decided for one customer, on SQLite and on a real PostgreSQL."""

import pytest
import sqlalchemy as sa
from toy_contacts import HOUR, NOW, email, record

from mkt_models.store import live_tables as tables
from mkt_models.store.live import LiveStore
from mkt_models.store.records import (
    ContactStatus,
    Refused,
)


def test_the_same_question_with_the_same_answer_is_kept_once(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        assert turn.keep(record("d1", "hello", email())) == 1
    with live.turn("a", NOW + HOUR) as turn:
        assert turn.contacts(NOW) == (email().exposure,)
        assert turn.contacts(NOW, besides="d1") == ()
        assert turn.keep(record("d1", "hello", email())) == 1
        assert turn.keep(record("d1", "goodbye")) == 2
        # Withdrawn, and perhaps sent all the same: it counts, but not for its own question.
        assert turn.contacts(NOW) == turn.contacts(NOW, besides="d2") == (email().exposure,)
        assert turn.contacts(NOW, besides="d1") == ()
    found = live.explain("d1")
    assert found is not None
    assert [one["answer"] for one in found["revisions"]] == [{"says": "hello"}, {"says": "goodbye"}]
    assert [one["status"] for one in found["exposures"]] == ["withdrawn"]
    assert found["revisions"][0]["decided_at"] == NOW.isoformat()
    assert live.explain("d2") is None
    assert live.answers("d1") == [{"says": "hello"}, {"says": "goodbye"}]
    assert live.answers("d2") == []
    assert live.customer_of("d1") == "a"
    assert live.customer_of("d2") is None


def test_what_is_being_sent_is_left_out_only_to_tell_whether_its_answer_stands(
    live: LiveStore,
) -> None:
    said = record("d1", "hello", email())
    contact = (email().exposure,)
    with live.turn("a", NOW) as turn:
        assert not turn.stands(said)
        turn.keep(said)
        assert (turn.stands(said), turn.is_sending("d1")) == (True, False)
        turn.report("d1", "content", "email", None, ContactStatus.SENDING, NOW, "job")
        assert (turn.stands(said), turn.is_sending("d1"), turn.is_sending("d2")) == (
            True,
            True,
            False,
        )
        assert turn.contacts(NOW, "d1") == turn.contacts(NOW, "d2", begun=False) == contact
        assert turn.contacts(NOW, "d1", begun=False) == ()
        assert not turn.stands(record("d1", "goodbye", email()))
        assert turn.keep(said) == 1
        turn.report("d1", "content", "email", None, ContactStatus.NOT_SENT, NOW, "job")
        assert (turn.stands(said), turn.is_sending("d1")) == (False, False)


def test_a_contact_that_was_given_back_is_planned_anew_with_the_same_answer(
    live: LiveStore,
) -> None:
    for revision in (1, 2, 3):
        with live.turn("a", NOW) as turn:
            assert turn.keep(record("d1", "hello", email())) == revision
            assert turn.keep(record("d1", "hello", email())) == revision
            assert len(turn.contacts(NOW)) == 1
            turn.report("d1", "content", "email", None, ContactStatus.NOT_SENT, NOW)
            assert turn.contacts(NOW) == ()


def test_what_somebody_has_begun_to_send_counts_until_all_of_it_is_given_back(
    live: LiveStore,
) -> None:
    contact = ("d1", "content", "email", None)
    with live.turn("a", NOW) as turn:
        for answer in ("one", "two"):
            turn.keep(record("d1", answer, email()))
            turn.report(*contact, ContactStatus.SENDING, NOW, answer)
        turn.keep(record("d1", "three", email()))  # begun by nobody
        turn.keep(record("d1", "four", email()))
        assert turn.contacts(NOW, besides="d1") == (email().exposure,) * 2
        assert turn.contacts_beside(NOW, *contact) == (email().exposure,) * 2
        assert turn.contacts_beside(NOW, "d1", "other", "email", None) == (email().exposure,) * 3
        assert turn.contacts_beside(NOW, "d2", "other", "email", None) == (email().exposure,) * 4
    found = live.explain("d1")
    assert found is not None
    statuses = [one["status"] for one in found["exposures"]]
    assert statuses == ["recalled", "recalled", "withdrawn", "planned"]
    with live.turn("a", NOW) as turn:
        for left, key in ((3, None), (2, None), (1, "two"), (0, "one")):
            assert turn.report(*contact, ContactStatus.NOT_SENT, NOW, key) == (True, True)
            assert len(turn.contacts(NOW)) == left
        assert turn.report(*contact, ContactStatus.NOT_SENT, NOW) == (False, True)


def test_what_was_withdrawn_and_sent_all_the_same_counts_for_its_own_question(
    live: LiveStore,
) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1", "hello", email()))
        turn.keep(record("d1", "goodbye"))
        sent = turn.report("d1", "content", "email", None, ContactStatus.SENT, NOW)
        assert sent == (True, False)
        assert len(turn.contacts(NOW, besides="d1")) == 1
        with pytest.raises(Refused, match="on record as sent"):
            turn.report("d1", "content", "email", None, ContactStatus.NOT_SENT, NOW)


def test_the_arm_is_the_one_of_the_first_decision(live: LiveStore) -> None:
    with live.turn("a", NOW) as turn:
        turn.keep(record("d1"))
        turn.keep(record("d2"))
    engine = live._engine
    with engine.connect() as connection:
        rows = connection.execute(sa.select(tables.assignments)).all()
    assert [(row.experiment, row.arm, row.probability) for row in rows] == [
        ("holdout:spring", "treatment", 0.9)
    ]
