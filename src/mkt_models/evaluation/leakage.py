"""Is a feature too good to be true: what each one tells alone, and whether it will be there.

:mod:`mkt_models.evaluation.feature_figures` measures, :func:`leakage_findings` compares with the
thresholds of :class:`mkt_models.guard_params.Guards`, and :func:`check_leakage` stops a training
whose findings nobody has allowed. A feature that looks past its cutoff only a little shows in no
figure: that is found by :mod:`mkt_models.models.time_guard`.
"""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from mkt_models.columns import SENSITIVE, Model
from mkt_models.evaluation.bootstrap import wilson_interval
from mkt_models.evaluation.inputs import TARGET
from mkt_models.guard_params import NOTED, TOGETHER, Allowed, Finding, Guards
from mkt_models.sections import nearest

# A single level at serving is told when chance would give it less often than this.
CHANCE = 1e-3
FINDINGS = ("feature", "finding", "status", "figure", "lower", "upper", "n", "says")


class LeakageError(ValueError):
    """Features that are too good to be true, or will not be there; the message names each."""


def leakage_findings(table: pd.DataFrame, guards: Guards) -> pd.DataFrame:
    """One row per feature and finding of a ``feature_figures.feature_table``, in its order.

    Columns: feature; finding (a :class:`mkt_models.guard_params.Finding`); status (``stops``, or
    ``noted`` where it makes no number false); figure, lower, upper (NaN where the finding has no
    figure); n (rows, or what is scored today); says (in words, with the figures).
    """
    found: list[dict[str, Any]] = []
    for row in table.to_dict("records"):
        found += [
            {"feature": row["feature"], **one}
            for one in (*_by_name(row), *_too_good(row, guards), *_at_serving(row, guards))
        ]
    out = pd.DataFrame(found, columns=list(FINDINGS))
    noted = out["finding"].isin([str(kind) for kind in NOTED])
    return out.assign(status=noted.map({True: "noted", False: "stops"}))


def check_leakage(table: pd.DataFrame, guards: Guards, model: Model) -> pd.DataFrame:
    """Stop for every finding that the params do not allow; give those that are left.

    Parameters
    ----------
    table
        Of ``feature_figures.feature_table``.
    guards
        Thresholds, and what is allowed for which model with which reason.
    model
        Whose features these are.

    Returns
    -------
    DataFrame
        The findings of :func:`leakage_findings`. An allowed one has the status ``allowed`` and its
        reason in ``says``; an entry of the params that allows nothing found is a row of status
        ``stale``, so that it does not hide what comes later.

    Raises
    ------
    LeakageError
        Naming every feature, what is wrong with its figure, interval and n, and the remedies.

    """
    found = leakage_findings(table, guards)
    entries = {
        (e.feature, e.finding.value): e
        for e in guards.allowed
        if e.model is model and e.feature != TOGETHER
    }
    allowed = [(row["feature"], row["finding"]) in entries for row in found.to_dict("records")]
    stops = found[(found["status"] == "stops") & ~np.array(allowed, dtype=bool)]
    if len(stops):
        raise LeakageError(_told(stops, model))
    out = found.copy()
    for number, row in enumerate(found.to_dict("records")):
        if allowed[number]:
            reason = entries.pop((row["feature"], row["finding"])).reason
            out.loc[number, ["status", "says"]] = ["allowed", f"{row['says']}; allowed: {reason}"]
    stale = pd.DataFrame(
        [_stale(entry, table) for entry in entries.values()], columns=list(FINDINGS)
    )
    return out if stale.empty else pd.concat([out, stale], ignore_index=True)


def in_words(table: pd.DataFrame, found: pd.DataFrame) -> str:
    """Say in a sentence what :func:`check_leakage` found, with the strongest single feature."""
    counts = found["status"].value_counts()
    told = ", ".join(
        f"{counts[one]} {one}" for one in ("allowed", "noted", "stale") if one in counts
    )
    head = f"No feature of {len(table)} is too good to be true"
    tail = f" ({told})" if told else ""
    if not table["n_serving"].any():
        tail += "; not evaluated: who is scored today, for nobody is"
    known = table[table["alone"].notna()]
    if known.empty:
        return f"Not evaluated: {table['note'].iloc[0].removeprefix('not evaluated: ')}{tail}."
    best = known.iloc[int(known["alone"].argmax())]
    return (
        f"{head}{tail}; the strongest alone is {best['feature']}, {_figure(best, 'alone')} "
        f"(n = {best['n']:,} rows of {best['n_customers']:,} customers)."
    )


def _one(
    finding: Finding, says: str, n: int, figures: Mapping[str, float] | None = None
) -> dict[str, Any]:
    shown = figures or dict.fromkeys(_ENDS, np.nan)
    return {"finding": finding.value, "says": says, "n": n, **shown}


def _by_name(row: Mapping[Hashable, Any]) -> Iterable[dict[str, Any]]:
    n, name = row["n"], row["feature"]
    if any(name == word or name.startswith(f"{word}_") for word in SENSITIVE):
        yield _one(Finding.SENSITIVE, "a sensitive attribute is no feature", n)
    if row["identifier"]:
        says = f"it names customers: {row['levels']:,} values of {row['n_customers']:,} customers"
        yield _one(Finding.IDENTIFIER_LIKE, says, n)
    if row["duplicate_of"] == TARGET:
        says = f"it orders all {n:,} rows as the target does"
        yield _one(Finding.DUPLICATE_OF_TARGET, says, n)
    elif row["duplicate_of"]:
        says = f"it orders all {n:,} rows as {row['duplicate_of']} does"
        yield _one(Finding.DUPLICATE_OF_FEATURE, says, n)
    if row["note"] == "not evaluated: constant" or row["modal"] == 1:
        says = "missing" if row["missing"] == 1 else "one value"
        yield _one(Finding.CONSTANT, f"{says} in all {n:,} rows", n)


def _too_good(row: Mapping[Hashable, Any], guards: Guards) -> Iterable[dict[str, Any]]:
    limit = guards.max_single_auc if row["measure"] == "auc" else guards.max_single_gini
    for name, what in (
        ("alone", "its"),
        ("shaped", "low and high values taken together, its"),
        ("missing_alone", "of its being missing, the"),
    ):
        ends = {end: row[f"{name}{tail}"] for end, tail in _ENDS.items()}
        if ends["lower"] > limit:
            says = (
                f"{what} {_figure(row, name)} alone lies above {limit:g} "
                f"(n = {row['n']:,} rows of {row['n_customers']:,} customers)"
            )
            yield _one(Finding.TOO_GOOD_ALONE, says, row["n"], ends)
            return


_ENDS = {"figure": "", "lower": "_lower", "upper": "_upper"}


def _at_serving(row: Mapping[Hashable, Any], guards: Guards) -> Iterable[dict[str, Any]]:
    n = row["n_serving"]
    if not row["served"]:
        yield _one(Finding.NOT_SERVED, "the table that is scored today has no such column", n)
        return
    missing, before = row["missing_serving"], row["missing"]
    lower, upper = wilson_interval(missing, n, 0.95)
    figures = {"figure": missing, "lower": lower, "upper": upper}
    by_chance = row["modal"] ** n
    if row["levels_serving"] == 1 and by_chance < CHANCE:
        now = "unknown" if missing == 1 else "one and the same"
        says = f"{now} today (n = {n:,}), and {row['levels']:,} values in training"
        yield _one(Finding.MISSING_AT_SERVING, says, n, figures)
    elif lower - before > guards.max_missing_rise:
        says = (
            f"missing for {missing:.1%} [{lower:.1%}, {upper:.1%}] today (n = {n:,}), and for "
            f"{before:.1%} in training"
        )
        yield _one(Finding.MISSING_AT_SERVING, says, n, figures)


def _figure(row: Mapping[Hashable, Any] | pd.Series, name: str) -> str:
    value, lower, upper = (row[f"{name}{tail}"] for tail in _ENDS.values())
    measure = "AUC" if row["measure"] == "auc" else "normalised Gini"
    return f"{measure} {value:.3f} [{lower:.3f}, {upper:.3f}]"


def _told(stops: pd.DataFrame, model: Model) -> str:
    lines = [f"  {one.feature}: {one.finding}: {one.says}" for one in stops.itertuples()]
    names = list(dict.fromkeys(stops["feature"]))
    first = stops.iloc[0]
    return (
        f"{model.value}: {len(names)} feature{'s' if len(names) > 1 else ''} cannot be used as "
        "they are:\n" + "\n".join(lines) + "\nEither drop them:\n"
        f"  features: {{drop_from: {{{model.value}: [{', '.join(names)}]}}}}\n"
        "or, where one is right all the same, allow the finding with its reason:\n"
        f"  guards: {{allowed: [{{model: {model.value}, feature: {first['feature']}, finding: "
        f"{first['finding']}, reason: ...}}]}}"
    )


def _stale(entry: Allowed, table: pd.DataFrame) -> dict[str, Any]:
    names = list(table["feature"])
    near = "" if entry.feature in names else f"; no such feature{nearest(entry.feature, names)}"
    says = f"allowed in the params, but nothing of the kind is found{near}: remove the entry"
    return {**_one(entry.finding, says, 0), "feature": entry.feature, "status": "stale"}
