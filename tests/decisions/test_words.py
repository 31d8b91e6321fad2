import re
from string import Formatter

import pytest

from mkt_models.columns import Channel, Model, Verdict
from mkt_models.decisions.words import (
    ARMS,
    CHANNELS,
    MODELS,
    NOTE,
    PHRASES,
    TELLING,
    VERDICTS,
    Code,
    Reason,
    money,
    reason,
)


def test_every_code_has_words_in_both_languages():
    assert set(PHRASES) == set(Code)


def test_every_reason_has_its_place_among_the_telling_ones() -> None:
    assert sorted(TELLING) == sorted(Code)


def test_everything_that_is_named_has_a_name():
    assert set(CHANNELS) == set(Channel)
    assert set(MODELS) == set(Model)
    assert set(VERDICTS) == set(Verdict)


@pytest.mark.parametrize(
    "words",
    [*PHRASES.values(), *CHANNELS.values(), *MODELS.values(), *VERDICTS.values(), NOTE, ARMS],
)
def test_both_languages_say_the_same_parts(words):
    english, chinese = words
    assert english.isascii()
    assert re.search("[\u4e00-\u9fff]", chinese)
    parts = [{name for _, name, *_ in Formatter().parse(text) if name} for text in words]
    assert parts[0] == parts[1]


def test_a_part_may_differ_by_language():
    why = reason(Code.CONSENT_EXPIRED, purpose="marketing", channel=CHANNELS["sms"], day="6 Jan")
    assert why == Reason(
        Code.CONSENT_EXPIRED,
        "the consent to marketing over text message expired on 6 Jan",
        "短信渠道“marketing”用途的同意已于 6 Jan 到期",
    )
    with pytest.raises(KeyError, match="purpose"):
        reason(Code.CONSENT_EXPIRED, channel="sms", day="6 Jan")


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (0, "USD", "$0.00"),
        (1234567.891, "EUR", "€1,234,567.89"),
        (-0.5, "CNY", "¥-0.50"),
        (3, "JPY", "JPY 3.00"),
    ],
)
def test_money_as_people_write_it(amount, currency, said):
    assert money(amount, currency) == said
