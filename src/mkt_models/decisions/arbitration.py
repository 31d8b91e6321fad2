"""Which of the candidates that may be served are served, and in which order.

The ranking is by worth; equals go by the candidate's name, so that the answer never depends on the
order of a table. It is walked from the top: at most one strategy of a family (an answer that says
the same thing three times helps nobody), at most k in all, and each must still be within the
contact limits when those above it are sent too. The default for everybody is served only when the
walk found nothing, and doing nothing only when the default is not worth it either.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mkt_models.decisions.candidates import Candidate
from mkt_models.decisions.words import Code, Reason, reason
from mkt_models.decisions.worth import Worth


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate that passed every gate, with its worth."""

    candidate: Candidate
    worth: Worth

    @property
    def amount(self) -> float:
        """The worth as it is shown: what looks equal is equal."""
        return round(self.worth.amount, 6)


Fits = Callable[[Candidate, Sequence[Candidate]], tuple[Reason, ...]]
"""Says which contact limits a candidate would break beside those chosen; empty if none."""


def ranking(scored: Sequence[Scored]) -> list[Scored]:
    """Highest worth first; among equals by name."""
    return sorted(scored, key=lambda one: (-one.amount, one.candidate.key))


def arbitrate(
    scored: Sequence[Scored], default: str, k: int, fits: Fits
) -> tuple[list[Scored], list[tuple[Candidate, Reason]]]:
    """Choose at most ``k`` candidates.

    Returns
    -------
    The chosen ones, best first, and every other one with the reason why it lost.

    """
    lost: list[tuple[Candidate, Reason]] = []
    chosen: list[Scored] = []
    usual = [one for one in scored if one.candidate.entry.id != default]
    fallback = [one for one in scored if one.candidate.entry.id == default]
    _walk(ranking(usual), k, fits, chosen, lost)
    if chosen:
        lost += [(one.candidate, reason(Code.DEFAULT_NOT_NEEDED)) for one in fallback]
    else:
        _walk(ranking(fallback), 1, fits, chosen, lost)
    return chosen, lost


def _walk(
    ranked: Sequence[Scored],
    k: int,
    fits: Fits,
    chosen: list[Scored],
    lost: list[tuple[Candidate, Reason]],
) -> None:
    families: dict[str, str] = {}
    for one in ranked:
        why = _loses(one, k, fits, chosen, families)
        if why is None:
            chosen.append(one)
            families[one.candidate.entry.family] = one.candidate.key
        else:
            lost.append((one.candidate, why))


def _loses(
    one: Scored, k: int, fits: Fits, chosen: Sequence[Scored], families: dict[str, str]
) -> Reason | None:
    if one.amount <= 0:
        return reason(Code.WORTH_NOT_POSITIVE, worth=f"{one.amount:.4f}")
    better = families.get(one.candidate.entry.family)
    if better is not None:
        return reason(Code.FAMILY_SERVED, better=better)
    if len(chosen) >= k:
        return reason(Code.BEYOND_K, k=k)
    faults = fits(one.candidate, [other.candidate for other in chosen])
    return faults[0] if faults else None
