"""From compared terms to a verdict per strategy, and what could not be judged.

With ``terms.undecided: pass`` a strategy of which too little was seen is served all the same. It
has then passed by that parameter, and was not found alike: whoever reads must be able to tell.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from mkt_models.columns import Verdict
from mkt_models.terms_params import Terms

NO_TERMS = "what it shows costs and saves nothing: it has no terms"
LET_THROUGH = "passes by terms.undecided"


def undecided(why: str, settings: Terms) -> dict[str, Any]:
    """Columns ``verdict``, ``why`` and ``undecided`` of a comparison that could not be judged."""
    if settings.undecided == "pass":
        return {"verdict": Verdict.PASS.value, "why": let_through(why), "undecided": True}
    return {"verdict": Verdict.NOT_EVALUATED.value, "why": why, "undecided": True}


def let_through(why: str) -> str:
    """Why something that could not be judged passes.

    >>> let_through("30 customers are too few")
    'could not be judged: 30 customers are too few; passes by terms.undecided'
    """
    return f"could not be judged: {why}; {LET_THROUGH}"


def verdicts_of(
    table: pd.DataFrame, strategies: Sequence[str], shown: Collection[str], settings: Terms
) -> tuple[dict[str, Verdict], dict[str, str], tuple[str, ...]]:
    """Judge every strategy by its worst comparison.

    Parameters
    ----------
    table
        One row per comparison: ``strategy``, ``attribute``, ``term``, ``verdict``, ``why``,
        ``undecided``.
    strategies
        Ids of the personalised strategies.
    shown
        Those of them that were shown to somebody in the replay.
    settings
        What becomes of what could not be judged.

    Returns
    -------
    tuple
        Verdicts by strategy; reasons by strategy, where there is one; and the strategies that
        pass by ``terms.undecided`` alone.

    """
    verdicts, reasons, let = {}, {}, []
    for name in strategies:
        rows = table[table["strategy"] == name]
        if rows.empty and name not in shown:
            unseen = undecided("it was shown to nobody in the replay", settings)
            verdicts[name], reasons[name] = Verdict(unseen["verdict"]), unseen["why"]
        elif rows.empty:
            verdicts[name] = Verdict.PASS
            reasons[name] = NO_TERMS
            continue
        else:
            verdicts[name], why = _worst(rows)
            if why:
                reasons[name] = why
        if verdicts[name] is Verdict.PASS and name in reasons:
            let.append(name)
    return verdicts, reasons, tuple(let)


def _worst(rows: pd.DataFrame) -> tuple[Verdict, str]:
    unsure = rows["undecided"].astype(bool)
    for verdict, bad in (
        (Verdict.FAIL, rows[rows["verdict"] == Verdict.FAIL.value]),
        (Verdict.NOT_EVALUATED, rows[rows["verdict"] == Verdict.NOT_EVALUATED.value]),
        (Verdict.PASS, rows[unsure & (rows["verdict"] == Verdict.PASS.value)]),
    ):
        if len(bad):
            first = bad.iloc[0]
            where = f"{first['attribute']} × {first['term']}".replace("_", " ")
            more = f" (and {len(bad) - 1} more of {len(rows)})" if len(bad) > 1 else ""
            return verdict, f"{where}{more}: {first['why']}"
    return Verdict.PASS, ""


def told(verdicts: Mapping[str, Verdict], reasons: Mapping[str, str], let: Collection[str]) -> str:
    """Say how many strategies were judged alike, have no terms, were let through, and withheld.

    >>> told({"a": Verdict.PASS, "b": Verdict.PASS, "c": Verdict.FAIL}, {}, ["b"])
    'Of 3 personalised strategies, 1 was judged to offer like terms to like customers or to differ \
as declared; 1 could not be judged and passes by the parameter `terms.undecided: pass` alone; 1 is \
not served.'
    """
    passed = sum(verdict is Verdict.PASS for verdict in verdicts.values())
    without = sum(why == NO_TERMS for why in reasons.values())
    held, alike = len(verdicts) - passed, passed - without - len(let)
    parts = [
        f"{alike} {'was' if alike == 1 else 'were'} judged to offer like terms to like customers "
        "or to differ as declared"
    ]
    if without:
        parts.append(f"{without} {'has' if without == 1 else 'have'} no terms")
    if let:
        parts.append(
            f"{len(let)} could not be judged and pass{'es' * (len(let) == 1)} by the parameter "
            "`terms.undecided: pass` alone"
        )
    if held:
        parts.append(f"{held} {'is' if held == 1 else 'are'} not served")
    return f"Of {len(verdicts)} personalised strategies, {'; '.join(parts)}."
