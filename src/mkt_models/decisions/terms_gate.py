"""The gate of the terms guard: a personalised strategy is served only when its replay said pass.

The verdicts travel with the snapshot, beside those of the models: under ``terms`` for all
strategies, and under ``terms/<strategy>`` for one, which goes before. The service needs no more.
"""

from collections.abc import Mapping

from mkt_models.columns import Verdict
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.question import Policy
from mkt_models.decisions.words import VERDICTS, Code, Reason, reason

TERMS = "terms"


def terms_key(strategy: str) -> str:
    """The name under which a strategy's verdict stands.

    >>> terms_key("personalised_promotion")
    'terms/personalised_promotion'
    """
    return f"{TERMS}/{strategy}"


def terms_verdict(strategy: str, verdicts: Mapping[str, Verdict]) -> Verdict:
    """What the guard said of a strategy; no word counts as not evaluated."""
    overall = verdicts.get(TERMS, Verdict.NOT_EVALUATED)
    return verdicts.get(terms_key(strategy), overall)


def withheld_by_terms(entry: StrategyEntry, policy: Policy) -> tuple[Reason, ...]:
    """Say that a personalised strategy's terms did not pass; empty if they did.

    What is not personalised cannot differ between customers, and is not gated.
    """
    if not entry.personalised:
        return ()
    verdict = terms_verdict(entry.id, policy.verdicts)
    if verdict is Verdict.PASS:
        return ()
    return (reason(Code.TERMS_NOT_PASSED, verdict=VERDICTS[verdict.value]),)
