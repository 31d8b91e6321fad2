"""A worth after the contacts that the customer has had: what fatigue leaves of it, or nothing."""

from dataclasses import replace
from datetime import datetime

from mkt_models.decisions.candidates import Candidate
from mkt_models.decisions.question import Customer, Policy
from mkt_models.decisions.words import CHANNELS, Code, Reason, reason
from mkt_models.decisions.worth import Worth


def tired(
    told: Worth | Reason, candidate: Candidate, customer: Customer, now: datetime, policy: Policy
) -> Worth | Reason:
    """The worth of a candidate by what the customer's recent contacts on its channel leave of it.

    Parameters
    ----------
    told
        The worth without fatigue; a reason why there is none stays as it is.
    candidate, customer, now
        What is said, to whom, and when (aware).
    policy
        Has the decay of each channel; a snapshot that knows none changes nothing.

    Returns
    -------
    The worth with its fatigue; or the reason, where it was worth its cost and is so no longer.

    """
    decay = policy.decays.get(candidate.use.channel)
    if isinstance(told, Reason) or decay is None:
        return told
    fatigue = decay.fatigue(customer.exposures, now)
    after = replace(told, fatigue=fatigue)
    if told.amount > 0 >= after.amount:
        return reason(
            Code.FATIGUE,
            before=f"{told.amount:.4f}",
            worth=f"{after.amount:.4f}",
            n=fatigue.contacts,
            days=decay.window_days,
            channel=CHANNELS[decay.channel],
            left=f"{fatigue.multiplier:.0%}",
        )
    return after
