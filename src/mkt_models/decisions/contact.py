"""How often and when a customer may be contacted: caps, gaps, quiet times, and the holdout.

Two kinds of channel. **Push** reaches out to the customer (email, letter, text message): caps over
all push channels together, a minimum gap, and quiet hours hold. **Pull** is shown while the
customer is there (the app, the store): it interrupts nobody, so only caps of its own channel and
strategy hold. Whether the customer has agreed is another question:
:mod:`mkt_models.decisions.consent`.

Windows of caps are rolling, in elapsed time: a day is 24 hours, a week 7 days, a month 30 days; so
midnight and daylight saving time open no gap. They look both ways: a contact that is already
planned counts like one that was made, and a question about the past cannot slip between two.

An answer is leave to send for some hours (``hold_hours``), never into quiet hours or a quiet day.
Until it is reported, nobody knows when in that time the contact is made: the limits hold for every
moment of it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from mkt_models.columns import Channel
from mkt_models.decisions.caps import Caps, Room, least, out_of_reach, total, within_gap
from mkt_models.decisions.local_clock import moments_of, set_back
from mkt_models.decisions.occasions import OCCASIONS, Occasion
from mkt_models.decisions.quiet_hours import QuietHours
from mkt_models.decisions.words import CHANNELS, Code, Reason, reason
from mkt_models.experiments.assignment import fraction
from mkt_models.sections import Section
from mkt_models.store.records import Exposure

REACH_OUT = (Channel.EMAIL, Channel.MAIL, Channel.SMS)
"""Channels that come to the customer unasked, whatever a catalogue calls them."""
LONGEST_WINDOW = timedelta(days=30)
LONGEST_REST = timedelta(days=365)


class ChannelPolicy(Section):
    """How a channel reaches people, and how often at most."""

    kind: Literal["push", "pull"]
    wakes: bool = Field(default=True, description="false: nobody notices the hour, e.g. a letter")
    hold_hours: float | None = Field(
        default=None, gt=0, le=240, description="of this channel; null: as for all"
    )
    caps: Caps = Field(default_factory=Caps, description="of this channel, for one customer")

    @model_validator(mode="after")
    def _pull_wakes_nobody(self) -> Self:
        if self.kind == "pull" and not self.wakes:
            raise ValueError("wakes is for push: a pull channel is shown while somebody is there")
        return self


class ContactPolicy(Section):
    """The limits that hold for every strategy."""

    caps: Caps = Field(description="push contacts of one customer, all strategies and channels")
    min_gap_hours: float = Field(ge=0, le=720, description="between two push contacts")
    quiet_hours: QuietHours | None = Field(default=None, description="for push channels that wake")
    quiet_days: tuple[Occasion, ...] = Field(
        default=(), description="days without push contacts over channels that wake"
    )
    complaint_days: int = Field(
        default=0, ge=0, le=365, description="without push contacts after a complaint"
    )
    hold_hours: float = Field(
        default=24, gt=0, le=240, description="for how long an answer is leave to send"
    )
    channels: dict[Channel, ChannelPolicy] = Field(min_length=1)

    @model_validator(mode="after")
    def _channels_are_what_they_are(self) -> Self:
        for channel, policy in self.channels.items():
            if channel in REACH_OUT and policy.kind != "push":
                raise ValueError(
                    f"channels: {channel.value} reaches out to the customer: its kind is push"
                )
            if channel is Channel.SMS and not policy.wakes:
                raise ValueError("channels: sms wakes people: leave `wakes: false` out")
        if len(set(self.quiet_days)) != len(self.quiet_days):
            raise ValueError("quiet_days: a day stands twice")
        return self

    @model_validator(mode="after")
    def _every_cap_can_be_reached(self) -> Self:
        gap = within_gap(self.min_gap_hours)
        out_of_reach("caps", self.caps, gap)
        for channel, policy in self.channels.items():
            if policy.kind == "push":
                wider = least(self.caps.room("contact.caps"), gap)
                out_of_reach(f"channels.{channel.value}.caps", policy.caps, wider)
        return self

    def room(self, channels: Iterable[Channel]) -> Room:
        """How many contacts over some channels together the limits leave room for, by window."""
        push: list[Room] = []
        pull: list[Room] = []
        for channel in channels:
            policy = self.channels[channel]
            room = policy.caps.room(f"contact.channels.{channel.value}.caps")
            (push if policy.kind == "push" else pull).append(room)
        if not push:
            return total(pull)
        gap = within_gap(self.min_gap_hours)
        return total([*pull, least(total(push), self.caps.room("contact.caps"), gap)])


def valid_until(policy: ContactPolicy, channel: Channel, now: datetime, zone: ZoneInfo) -> datetime:
    """Until when a contact that is decided at ``now`` may be sent: before this moment.

    >>> from zoneinfo import ZoneInfo
    >>> from mkt_models.columns import Channel
    >>> policy = ContactPolicy.model_validate({
    ...     "caps": {}, "min_gap_hours": 0, "channels": {"sms": {"kind": "push"}},
    ...     "quiet_hours": {"start": "21:00", "end": "09:00"}})
    >>> evening = datetime(2018, 1, 6, 20, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
    >>> str(valid_until(policy, Channel.SMS, evening, ZoneInfo("Asia/Shanghai")))
    '2018-01-06 21:00:00+08:00'
    """
    # In UTC: times of one zone are added and compared by what its clock shows, which repeats.
    here, asked = policy.channels[channel], now.astimezone(UTC)
    end = asked + timedelta(hours=here.hold_hours or policy.hold_hours)
    if here.kind == "push" and here.wakes:
        today = now.astimezone(zone).date()
        starts = [policy.quiet_hours.start] if policy.quiet_hours is not None else []
        starts += [time(0)] if policy.quiet_days else []
        for start in starts:
            for days in (0, 1):
                for at in moments_of(today + timedelta(days=days), start, zone):
                    end = min(end, at) if at > asked else end
        if starts:  # what is loud now may be quiet when the clock shows it again
            end = set_back(asked, end, zone) or end
    return end.astimezone(now.tzinfo)


def unfit_moment(
    policy: ContactPolicy,
    channel: Channel,
    occasions: Iterable[Occasion],
    complaints: Iterable[datetime],
    now: datetime,
) -> Reason | None:
    """Say why nobody is contacted now, whatever was sent before; None if nothing speaks against it.

    Parameters
    ----------
    policy, channel
        The limits, and the channel of the contact. Only push contacts are concerned.
    occasions
        What the day is where the customer lives.
    complaints
        Aware times at which this customer complained.
    now
        Aware time of the contact.

    """
    here = policy.channels[channel]
    if here.kind != "push":
        return None
    if here.wakes:
        for occasion in occasions:
            if occasion in policy.quiet_days:
                return reason(Code.QUIET_DAY, day=OCCASIONS[occasion])
    rest = timedelta(days=policy.complaint_days)
    recent = [at for at in complaints if abs(now.astimezone(UTC) - at) < rest]
    if recent:
        day = f"{max(recent):%Y-%m-%d}"
        return reason(Code.COMPLAINT, day=day, days=policy.complaint_days)
    return None


def too_much(
    policy: ContactPolicy,
    channel: Channel,
    strategy: str,
    caps: Caps,
    history: Iterable[Exposure],
    now: datetime,
    zone: ZoneInfo,
    hour: int | None = None,
) -> tuple[Reason, ...]:
    """Say which limits a contact at ``now`` would break; empty if none.

    Parameters
    ----------
    policy, channel
        The limits, and the channel of the contact.
    strategy, caps
        The strategy of the contact, and its own caps.
    history
        Contacts of this customer made or planned; those further than 30 days from ``now`` are
        without effect.
    now
        Aware time of the contact, which may be sent until :func:`valid_until`.
    zone
        The customer's time zone, for the quiet hours; the shop's where that is not known.
    hour
        The customer's own hour, 0 to 23, where the caller says it. Where it is another than that
        of ``now`` in ``zone``, one of the two is wrong: neither may lie in quiet hours.

    """
    here, now = policy.channels[channel], now.astimezone(UTC)
    contact = Exposure("", channel, now, strategy, until=valid_until(policy, channel, now, zone))
    near = [(e, contact.apart(e)) for e in history]
    near = [(e, apart) for e, apart in near if apart < LONGEST_WINDOW]
    faults: list[Reason] = []
    if here.kind == "push":
        quiet, local = policy.quiet_hours, now.astimezone(zone).time()
        if quiet is not None and here.wakes:
            told = None
            if quiet.covers(local):
                told = f"{local:%H:%M}"
            elif hour not in (None, local.hour) and quiet.touches(hour):
                told = f"{hour:02}:00"
            if told is not None:
                shown = {"start": f"{quiet.start:%H:%M}", "end": f"{quiet.end:%H:%M}"}
                faults.append(reason(Code.QUIET_HOURS, local=told, **shown))
        push = [(e, apart) for e, apart in near if _is_push(policy, e.channel)]
        gap = timedelta(hours=policy.min_gap_hours)
        close = [(apart, e.sent_at) for e, apart in push if apart < gap]
        if close:
            at = min(close)[1].astimezone(zone)
            hours = f"{policy.min_gap_hours:g}"
            faults.append(reason(Code.MIN_GAP, hours=hours, sent_at=f"{at:%Y-%m-%d %H:%M}"))
        faults += _beyond(Code.CAP_CUSTOMER, policy.caps, push)
    same_channel = [one for one in near if one[0].channel == channel]
    faults += _beyond(Code.CAP_CHANNEL, here.caps, same_channel, channel=CHANNELS[channel])
    faults += _beyond(Code.CAP_STRATEGY, caps, [one for one in near if one[0].strategy == strategy])
    return tuple(faults)


def held_out(customer_id: str, salt: str, share: float) -> bool:
    """Whether a customer belongs to the holdout: always the same answer for the same salt.

    >>> held_out("1", "spring", 0.0), held_out("1", "spring", 1.0)
    (False, True)
    """
    return fraction(customer_id, salt) < share


def _is_push(policy: ContactPolicy, channel: str) -> bool:
    # A channel that the catalogue does not know counts as push: the careful side.
    known = policy.channels.get(Channel(channel)) if channel in set(Channel) else None
    return known is None or known.kind == "push"


def _beyond(
    code: Code, caps: Caps, history: list[tuple[Exposure, timedelta]], **words: object
) -> list[Reason]:
    faults = []
    for days, most in caps.windows():
        n = sum(apart < timedelta(days=days) for _, apart in history)
        if n >= most:
            faults.append(reason(code, n=n, days=days, most=most, **words))
    return faults
