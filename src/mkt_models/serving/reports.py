"""What comes back to the service: contacts, outcomes and consents; and what is told of them.

Every report may be sent again: it counts once, and the answer says whether it was new.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from mkt_models.columns import ConsentStatus
from mkt_models.decisions.contact import LONGEST_REST, LONGEST_WINDOW, too_much
from mkt_models.decisions.decide import unpermitted
from mkt_models.decisions.question import Customer, either
from mkt_models.decisions.record_words import in_words
from mkt_models.decisions.words import Code
from mkt_models.serving.bodies import (
    BudgetsRequest,
    ConsentReport,
    ExplainRequest,
    ExposureReport,
    ForgetRequest,
    OutcomeReport,
)
from mkt_models.serving.runtime import Runtime, store_answers, unknown_customer
from mkt_models.serving.wire import Fault
from mkt_models.store.history import with_untouched
from mkt_models.store.records import (
    PERSONALISATION,
    Consent,
    ContactStatus,
    Exposure,
    Outcome,
    Refused,
)
from mkt_models.store.turn import Turn

_CLOCKS_DIFFER = timedelta(
    minutes=1
)  # whose clock is behind, or tells whole seconds, is not refused


def take_exposure(runtime: Runtime, report: ExposureReport) -> dict[str, Any]:
    """Record how far a contact has come.

    Raises
    ------
    Fault
        404 for an unknown decision, customer or contact; 409 when leave to send is asked for and
        the contact was withdrawn, its time is over or another sender has it, or when the report
        contradicts another.

    """
    clock = datetime.now(UTC)
    at = report.sent_at or clock
    name = report.customer_id or _decided_for(runtime, report.decision_id)
    with store_answers(), runtime.live.turn(name, clock) as turn, _refusals():
        if turn.erased:
            raise unknown_customer()
        if report.decision_id is None:
            assert report.key is not None  # the body is refused without one
            exposure = Exposure(name, report.channel.value, at, report.strategy, report.offer_id)
            new = turn.contacted(exposure, report.key, timed=report.sent_at is not None)
            return {"recorded": new, "within_policy": None}
        assert report.strategy is not None
        if report.status == "sending":
            _still_permitted(runtime, turn, report, at)
        new, within = turn.report(
            report.decision_id,
            report.strategy,
            report.channel.value,
            report.offer_id,
            ContactStatus(report.status),
            at,
            report.key,
        )
    return {"recorded": new, "within_policy": within}


def take_outcome(runtime: Runtime, report: OutcomeReport) -> dict[str, Any]:
    """Record what a customer did.

    Raises
    ------
    Fault
        404 for an unknown decision or customer; 409 for a taken key; 422 for a strategy that the
        decision did not name, and for a time in the future or before the decision.

    """
    clock = datetime.now(UTC)
    if report.occurred_at > clock:
        message = "occurred_at: lies in the future; an outcome is what has happened"
        raise Fault(422, "invalid", message, "occurred_at")
    name = report.customer_id or _decided_for(runtime, report.decision_id)
    if report.decision_id is not None:
        _check_followed(runtime, report.decision_id, report)
    outcome = Outcome(
        key=report.key,
        kind=report.kind,
        occurred_at=report.occurred_at,
        decision_id=report.decision_id,
        strategy=report.strategy,
        amount_hundredths=None if report.amount is None else round(report.amount * 100),
    )
    with store_answers(), runtime.live.turn(name, clock) as turn, _refusals():
        if turn.erased:
            raise unknown_customer()
        return {"recorded": turn.outcome(outcome)}


def take_consent(runtime: Runtime, report: ConsentReport) -> dict[str, Any]:
    """Record what a customer said; a no withdraws the contacts that were planned.

    Raises
    ------
    Fault
        404 for a customer who was erased; 409 for a taken key; 422 for a purpose that no strategy
        has, and for a word from the future.

    """
    clock = datetime.now(UTC)
    changed = report.changed_at or clock
    if changed > clock:
        raise Fault(422, "invalid", "changed_at: lies in the future", "changed_at")
    entries = runtime.policy.catalogue.strategies
    own = {entry.purpose for entry in entries}
    purposes = sorted(own | {PERSONALISATION})
    if report.purpose not in purposes:
        message = f"purpose: no strategy has it; the purposes are {', '.join(purposes)}"
        raise Fault(422, "unknown_purpose", message, "purpose")
    consent = Consent(
        customer_id=report.customer_id,
        purpose=report.purpose,
        channel=report.channel.value,
        status=ConsentStatus(report.status).value,
        changed_on=changed.astimezone(runtime.policy.zone).date(),
        expires_on=report.expires_on,
        basis=report.basis,
        changed_at=changed,
    )
    with store_answers(), runtime.live.turn(report.customer_id, clock) as turn, _refusals():
        if turn.erased:
            raise unknown_customer()
        new, withdrawn = turn.say(
            consent,
            report.key,
            timed=report.changed_at is not None,
            for_everybody=[entry.id for entry in entries if not entry.personalised],
        )
    return {"recorded": new, "contacts_withdrawn": withdrawn}


def explain(runtime: Runtime, request: ExplainRequest) -> dict[str, Any]:
    """Everything on record about a decision; 404 for an unknown one."""
    with store_answers():
        found = runtime.live.explain(request.decision_id)
    if found is None:
        raise unknown_decision()
    purposes = runtime.policy.catalogue.purpose_words
    said = [one for each in found["revisions"] for one in each["inputs"].get("consents") or ()]
    for row in (*found["exposures"], *found["outcomes"], *said):
        row["words"] = in_words(row, purposes)
    return found


def budgets(runtime: Runtime, request: BudgetsRequest) -> dict[str, Any]:
    """What is taken of each budget per period, the newest first; of one day, or of all.

    A budget of which nothing was taken in the period of the day (by default today) stands there
    with nothing used. See :func:`mkt_models.store.history.budgets`.
    """
    with store_answers():
        policy = runtime.served_policy()
        day = request.on or policy.shop_day(datetime.now(UTC))
        told = runtime.live.budgets(request.on)
        limits = [one.on(day) for one in policy.allowances]
        return {"periods": with_untouched(told, limits, day)}


def forget(runtime: Runtime, request: ForgetRequest) -> dict[str, Any]:
    """Erase a customer from the live store; asked again, there is nothing left to remove.

    The service answers 404 for them from now on, also from the profiles that it was built with;
    ``mkt forget`` removes them from the files of the runs. ``dead_rows_in`` names tables whose
    files may still hold the removed rows, which nobody can ask for any more.
    """
    with store_answers():
        removed = runtime.live.forget(request.customer_id, datetime.now(UTC))
        left = runtime.live.holds(request.customer_id)
        in_files = runtime.live.take_out()
    told: dict[str, Any] = {"erased": not left, "rows_removed": removed}
    if in_files:
        told["dead_rows_in"] = list(in_files)
    return told


def _still_permitted(runtime: Runtime, turn: Turn, report: ExposureReport, at: datetime) -> None:
    """Judge a contact once more, right before it is sent: by what has happened since.

    Raises
    ------
    Refused
        With the first reason against it.

    """
    policy = runtime.served_policy()
    assert report.strategy is not None  # the body is refused without one
    entries = {entry.id: entry for entry in policy.catalogue.strategies}
    entry = entries.get(report.strategy)
    uses = {} if entry is None else {use.channel: use for use in entry.channels}
    assert report.decision_id is not None  # the caller has looked
    mine = (report.decision_id, report.strategy, report.channel.value)
    if entry is None or report.channel not in uses:
        if not turn.has_planned(*mine, report.offer_id):
            return  # no such contact: the store says so
        # Whatever the customer says, and to what purpose: nobody is sent it any more.
        what = "is no longer in the catalogue"
        if entry is not None:
            what = f"is no longer sent over {report.channel.value}"
        message = f"this contact must not be sent: {report.strategy} {what}"
        raise Refused("contact_withdrawn", message)
    since, name = at - LONGEST_WINDOW, turn.customer_id
    told = runtime.snapshot.exposures(name, since)
    others = [one for one in told if (one.decision_id, one.strategy, one.channel) != mine]
    beside = turn.contacts_beside(since, *mine, report.offer_id)
    history = either(tuple(others), beside)
    today = at.astimezone(policy.zone).date()
    customer = Customer(
        customer_id=name,
        as_of=today,
        consents=runtime.snapshot.consents(name) + turn.consents(),
        complaints=turn.complaints(at - LONGEST_REST),
    )
    contact, channel = policy.catalogue.contact, report.channel
    faults = (
        unpermitted(entry, uses[channel], customer, policy, at, today, ()),
        *too_much(contact, channel, entry.id, entry.caps, history, at, policy.zone),
    )
    for fault in faults:
        # Quiet hours are those of the customer's clock: the leave has ended before they begin.
        if fault is not None and fault.code is not Code.QUIET_HOURS:
            raise Refused("contact_withdrawn", f"this contact must not be sent: {fault.en}")


def unknown_decision() -> Fault:
    """The fault of a decision that was never made here, or whose customer was erased."""
    return Fault(404, "unknown_decision", "no such decision on record", "decision_id")


def _check_followed(runtime: Runtime, decision_id: str, report: OutcomeReport) -> None:
    """Refuse an outcome that cannot have followed from its decision."""
    with store_answers():
        answers = runtime.live.answers(decision_id)
    if not answers:  # erased since
        raise unknown_decision()
    named = sorted({one["strategy"] for answer in answers for one in answer["strategies"]})
    if report.strategy is not None and report.strategy not in named:
        message = f"strategy: the decision has no such strategy; it has {', '.join(named)}"
        raise Fault(422, "invalid", message, "strategy")
    asked = min(datetime.fromisoformat(answer["now"]) for answer in answers)
    if report.occurred_at < asked - _CLOCKS_DIFFER:
        message = (
            f"occurred_at: lies before the decision, which was asked for at {asked.isoformat()}; "
            "what did not follow from it is reported with customer_id alone"
        )
        raise Fault(422, "invalid", message, "occurred_at")


def _decided_for(runtime: Runtime, decision_id: str | None) -> str:
    assert decision_id is not None  # the body is refused without it
    with store_answers():
        name = runtime.live.customer_of(decision_id)
    if name is None:
        raise unknown_decision()
    return name


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except Refused as error:
        status = 404 if error.code == "unknown_contact" else 409
        raise Fault(status, error.code, str(error)) from None
