"""Consent: whether a customer has agreed to a purpose over a channel, and until when.

What is not on record counts as refused. Consent is needed over every channel, unless the content is
the same for everybody and shown on a pull channel; a no binds there too.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from mkt_models.columns import Channel, ConsentStatus
from mkt_models.decisions.local_clock import moments_of
from mkt_models.decisions.words import CHANNELS, Code, Reason, Words, reason
from mkt_models.store.records import PERSONALISATION, Consent

PURPOSES: Mapping[str, Words] = {
    "marketing": ("marketing", "营销"),
    "service": ("service", "服务"),
    PERSONALISATION: ("personalisation", "个性化"),
}
"""The purposes of every catalogue, in words."""


def without_consent(
    consents: Iterable[Consent],
    purpose: str,
    channel: Channel,
    today: date,
    required: bool = True,
    named: Mapping[str, Words] = PURPOSES,
) -> Reason | None:
    """Say why a contact lacks consent; None if it has it.

    Parameters
    ----------
    consents
        What is on record for one customer. For the purpose and channel the latest record decides;
        of the same day the one of the latest moment, and where a moment is not known a no beats a
        yes. A yes that begins after ``today`` does not count yet; a no binds at once. A yes with
        an expiry holds until the day before it.
    required
        False lets an unknown or expired consent pass; a no still binds.
    named
        The purposes in words.

    """
    words: dict[str, Any] = {"purpose": named.get(purpose, (purpose, purpose))}
    words["channel"] = CHANNELS[channel]
    latest = _latest(
        record
        for record in consents
        if record.purpose == purpose
        and record.channel == channel
        and not (record.status == ConsentStatus.GRANTED and record.changed_on > today)
    )
    if latest is None:
        return reason(Code.CONSENT_UNKNOWN, **words) if required else None
    if latest.status != ConsentStatus.GRANTED:
        return reason(Code.CONSENT_REFUSED, day=latest.changed_on, **words)
    if required and latest.expires_on is not None and today >= latest.expires_on:
        return reason(Code.CONSENT_EXPIRED, day=latest.expires_on, **words)
    return None


def _latest(records: Iterable[Consent]) -> Consent | None:
    some = list(records)
    if not some:
        return None
    last = max(one.changed_on for one in some)
    same_day = [one for one in some if one.changed_on == last]
    refusals = [one for one in same_day if one.status != ConsentStatus.GRANTED]
    timed = [one for one in same_day if one.changed_at is not None]
    if not refusals or any(one.changed_at is None for one in refusals):
        return refusals[-1] if refusals else same_day[-1]
    return max(timed, key=lambda one: (one.changed_at, one.status != ConsentStatus.GRANTED))


def consent_ends(
    consents: Iterable[Consent], purpose: str, channel: Channel, zone: ZoneInfo, today: date
) -> datetime | None:
    """The moment from which the customer has agreed no longer; None where that does not end.

    The yes of ``today`` holds until it expires. One that begins later takes its place, so its own
    end counts as well, and it prolongs nothing before it has begun.
    """
    said = [one for one in consents if one.purpose == purpose and one.channel == channel]
    latest = _latest(one for one in said if one.changed_on <= today)
    later = [one for one in said if one.changed_on > today]
    ends = [
        max(one.changed_on, one.expires_on)
        for one in (latest, *later)
        if one is not None and one.expires_on is not None
    ]
    return moments_of(min(ends), time(0), zone)[0] if ends else None
