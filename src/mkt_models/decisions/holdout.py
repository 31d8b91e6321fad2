"""The holdout as an experiment: who is withheld, drawn as every arm of every experiment is.

Its arms are the holdout, the control, and the treatment: whoever may be contacted. The hash and the
salt are those of :func:`~mkt_models.decisions.contact.held_out`, so that both name the same
customers. :mod:`mkt_models.decisions.holdout_effect` reads its result off the service's log.
"""

from mkt_models.decisions.answer import HOLDOUT, TREATMENT
from mkt_models.experiments.assignment import Experiment

NAME = "holdout"


def holdout_experiment(share: float, salt: str) -> Experiment:
    """Give the holdout as an experiment, with the share and salt of the decisions' parameters.

    Raises ValueError where nobody, or everybody, is withheld: then there is nothing to compare.

    >>> from mkt_models.experiments.assignment import assign
    >>> assign(holdout_experiment(0.05, "spring-2018"), "42").arm
    'treatment'
    """
    if not 0 < share < 1:
        raise ValueError(
            f"holdout_share == {share}, must lie between 0 and 1 for an effect to be measured: "
            "without customers of both kinds there is nothing to compare"
        )
    return Experiment(name=NAME, salt=salt, shares={HOLDOUT: share, TREATMENT: 1 - share})
