from typing import get_args

import pytest

from mkt_models.columns import Channel, ConsentStatus
from mkt_models.decisions.record_words import OUTCOMES, STATUSES, in_words
from mkt_models.serving.bodies import OutcomeKind
from mkt_models.store.records import ContactStatus


def test_every_status_and_kind_of_outcome_has_words():
    assert set(STATUSES) == {str(one) for one in (*ContactStatus, *ConsentStatus)}
    assert set(OUTCOMES) == set(get_args(OutcomeKind))


@pytest.mark.parametrize("channel", list(Channel))
def test_no_code_is_left_in_the_words(channel):
    for status in STATUSES:
        said = in_words({"purpose": "marketing", "channel": channel.value, "status": status})
        assert "_" not in said["en"]
        assert said["zh"].isascii() is False
        assert status == "sent" or status not in said["zh"]


def test_a_contact_an_outcome_and_a_purpose_of_the_shop():
    row = {"purpose": None, "channel": "email", "status": "sent"}
    assert in_words(row) == {"en": "a contact over email: sent", "zh": "电子邮件渠道“触达”：已发送"}
    assert in_words({"kind": "complaint"}) == {"en": "the customer complained", "zh": "客户投诉"}
    own = {"research": ("research", "调研")}
    said = in_words({"purpose": "research", "channel": "app", "status": "granted"}, own)
    assert said == {"en": "research over the app: agreed", "zh": "应用内渠道“调研”：同意"}
