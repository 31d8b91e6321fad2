"""A decision as the live store keeps it: the answer, what it was made from, what it permits."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from mkt_models.decisions.answer import Decision
from mkt_models.decisions.question import Context, Customer, Policy
from mkt_models.sections import MILLION
from mkt_models.store.records import Consent, Exposure, Planned, Purse, Record


def record_of(
    decision: Decision,
    customer: Customer,
    context: Context,
    policy: Policy,
    purses: Sequence[Purse] = (),
) -> Record:
    """What is kept of a decision; the contacts that it permits count from now on.

    The first strategy of the answer stands for the action that was chosen. ``purses`` are those
    with which it was decided: its contacts take of these budgets.
    """
    first = decision.strategies[0]
    experiment = decision.head["experiment"]
    return Record(
        decision_id=decision.decision_id,
        snapshot_id=policy.snapshot_id,
        asked_for=context.now,
        arm=experiment["arm"],
        arm_probability=experiment["arm_probability"],
        experiment=f"holdout:{policy.holdout_salt}"[:64],
        strategy=first.strategy,
        channel=None if first.channel is None else first.channel.value,
        offer_id=first.offer_id,
        probability=float(first.document["probability"]),
        answer=decision.as_dict(),
        inputs=_inputs(customer, context) | {"budgets": _budgets(policy, purses)},
        planned=_planned(decision, context, policy, purses),
        purses=tuple(purses),
    )


def _planned(
    decision: Decision, context: Context, policy: Policy, purses: Sequence[Purse]
) -> tuple[Planned, ...]:
    counted = {purse.budget for purse in purses}
    sent = [one for one in decision.strategies if one.channel is not None]
    return tuple(
        Planned(
            replace(exposure, until=datetime.fromisoformat(one.document["valid_until"])),
            policy.catalogue.strategy(one.strategy).purpose,
            tuple(use for use in one.uses if use.budget in counted),
        )
        for one, exposure in zip(sent, decision.exposures(context.now), strict=True)
    )


def _inputs(customer: Customer, context: Context) -> dict[str, Any]:
    """What the decision knew beside the profile, whose date and snapshot the answer names."""
    return {
        "context": context.as_dict(),
        "scores": {
            name: {key: told.get(key) for key in ("value", "kind", "model")}
            for name, told in customer.scores.items()
            if told
        },
        "consents": [_row(one) for one in customer.consents],
        "contacts": [_row(one) for one in customer.exposures],
        "complaints": [at.isoformat() for at in customer.complaints],
    }


def _budgets(policy: Policy, purses: Sequence[Purse]) -> list[dict[str, Any]]:
    """What was left of the budgets when it was decided, in their units, and what a unit was worth.

    ``used`` is of everybody, but what this decision itself had planned and nobody had begun.
    """
    resources = {one.budget.id: one.budget.resource for one in policy.allowances}
    prices = {one.budget.id: one.price for one in policy.prices}
    return [
        {
            "budget": purse.budget,
            "resource": resources.get(purse.budget),
            "period_starts_on": purse.starts_on.isoformat(),
            "period_ends_on": purse.ends_on.isoformat(),
            "amount": purse.amount / MILLION,
            "planned": None if purse.planned is None else purse.planned / MILLION,
            "used": purse.used / MILLION,
            "left": purse.left / MILLION,
            "price_per_unit": prices.get(purse.budget),
        }
        for purse in purses
    ]


def _row(record: Consent | Exposure) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in record.__slots__ if name != "customer_id"}
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in row.items()
        if value is not None
    }
