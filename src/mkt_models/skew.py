"""Training/serving skew: does the service see what the training saw, and say what it said?

For the customers of today, three ways to the same numbers are compared: the training code, computed
anew from the clean tables; the tables and the snapshot that the stages left; and the service, over
HTTP. Module of the notebooks: it needs pandas, which the service does not carry.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mkt_models.columns import CAMPAIGN_ID, CUSTOMER_ID, SCORING_MODELS, Model
from mkt_models.engine import DuckDB
from mkt_models.models import propensity, registry
from mkt_models.models.challenge import scored_rows
from mkt_models.models.scorer import Scorer
from mkt_models.models.scoring import score_table
from mkt_models.profiles.features import features_at, prepare_orders
from mkt_models.workspace import Workspace

# Documents hold six decimals.
ROUNDED = 1e-6
# What the same numbers may differ by after another order of sums.
SAME = 1e-9
COLUMNS = ("model", "compared", "with", "n", "differ", "largest", "example")

Ask = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
_Row = dict[str, Any]


class SkewError(ValueError):
    """The service and the training disagree; the message says on what, for whom and by how much."""


@dataclass(frozen=True)
class Scored:
    """What one model scored today, and what the training code gives for the same rows.

    Attributes
    ----------
    scorer
        the model, loaded from the registry
    keys
        columns that name a row, ``customer_id`` among them
    features
        the table that was scored: keys and features
    scores
        what was stored of it: keys, ``score``, ``reasons`` (JSON text), in any order
    again
        the features of the same rows and maybe others, computed anew by the code of the training

    """

    scorer: Scorer
    keys: tuple[str, ...]
    features: pd.DataFrame
    scores: pd.DataFrame
    again: pd.DataFrame

    @property
    def by_customer(self) -> bool:
        """Whether a row is a customer: only such scores stand in the customers' documents."""
        return CAMPAIGN_ID not in self.keys


def scored_today(ws: Workspace, con: DuckDB) -> list[Scored]:
    """Read what each released model scored today, and compute its features anew.

    ``con`` has the clean views. A model of which no version is released is left out.
    """
    as_of = ws.params.profile.as_of
    prepare_orders(con)
    customers = features_at(con, [as_of])
    released = ws.read_json("release", "models")
    found = []
    for model in SCORING_MODELS:
        tag = released.get(model.value, {}).get("tag")
        if tag is None:
            continue
        keys, features = scored_rows(ws, model)
        again = customers
        if model is Model.PROPENSITY:
            again = propensity.with_features(con, propensity.running(con, as_of))
        scores = ws.read_table("release", f"{model.value}_scores")
        scorer = registry.load(tag, ws.bentoml_home)
        found.append(Scored(scorer, tuple(keys), features, scores, again))
    return found


def together(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put comparisons below each other; where nothing is released or offered, there is no row."""
    found = list(tables)
    return pd.concat(found) if found else pd.DataFrame(columns=list(COLUMNS))


def batch_skew(scored: Scored, documents: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Compare what the stages left with the training code: one row per comparison.

    Parameters
    ----------
    scored
        One model's tables of today.
    documents
        The customers' documents of the snapshot; not read for a model of campaigns.

    Returns
    -------
    DataFrame
        model (tag); compared and with (in words); n (rows); differ (rows); largest (difference,
        in the units of what is compared; NaN for reasons, and where only one side is missing);
        example (the first row that differs)

    """
    s, names = scored, list(scored.scorer.features)
    keys = list(s.keys)
    again = s.features[keys].merge(s.again, on=keys, how="left", validate="one_to_one")
    stored = s.features[keys].merge(s.scores, on=keys, how="left", validate="one_to_one")
    fresh = score_table(again, keys, s.scorer)
    rows = [
        _numbers(s, "features that were scored", s.features, again, names, SAME),
        _numbers(s, "stored scores", stored, fresh, ["score"], SAME),
        _reasons(s, "stored reasons", _read(stored["reasons"]), _read(fresh["reasons"])),
    ]
    if s.by_customer:
        rows += _snapshot(s, again, fresh, documents)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def online_skew(scored: Scored, ask: Ask, n: int = 20) -> pd.DataFrame:
    """Ask the service about some of the scored rows: one row per comparison.

    ``/v1/score`` is given the stored features; ``/v1/profile``, where a row is a customer, the id.
    Columns as in :func:`batch_skew`. The rows are ``n`` of the scored ones, evenly spaced over the
    order of their scores, so that high and low ones are among them; ``ask`` is that of a server.
    """
    s, keys = scored, list(scored.keys)
    rows = s.features.merge(s.scores, on=keys, validate="one_to_one")
    rows = rows.sort_values(["score", *keys]).reset_index(drop=True)
    if len(rows):
        places = np.unique(np.linspace(0, len(rows) - 1, min(n, len(rows))).round().astype(int))
        rows = rows.iloc[places].reset_index(drop=True)
    told = [_asked(s.scorer, row, ask) for row in rows.to_dict("records")]
    served = rows[keys].assign(score=[one["value"] for one in told])
    reasons = [one["reasons"] for one in told]
    found = [
        _numbers(s, "scores over HTTP", served, rows, ["score"], SAME, "stored scores"),
        _reasons(s, "reasons over HTTP", reasons, _read(rows["reasons"]), "stored reasons"),
    ]
    if s.by_customer:
        profiles = [
            ask("/v1/profile", {"customer_id": str(customer)})["scores"].get(
                s.scorer.name.value, {}
            )
            for customer in rows[CUSTOMER_ID]
        ]
        values = rows[keys].assign(score=[one.get("value", np.nan) for one in profiles])
        shown = [one.get("reasons") for one in profiles]
        found += [
            _numbers(s, "scores of profiles", values, rows, ["score"], ROUNDED, "stored scores"),
            _reasons(s, "reasons of profiles", shown, _read(rows["reasons"]), "stored reasons"),
        ]
    tags = [str(one["model"]) for one in told]
    if other := sorted(set(tags) - {s.scorer.tag}):
        raise SkewError(
            f"the service answers with {', '.join(other)}, the run has trained {s.scorer.tag}; "
            "build the bento again (notebook 10_package)"
        )
    return pd.DataFrame(found, columns=list(COLUMNS))


def check_skew(table: pd.DataFrame) -> None:
    """Raise SkewError for every comparison of the table that differs, or that compared nothing."""
    wrong = table[(table["differ"] > 0) | (table["n"] == 0)]
    if wrong.empty:
        return
    lines = [
        f"  {row['model']}: {row['compared']} against {row['with']}: "
        + (
            f"{row['differ']:,} of {row['n']:,} rows differ, by up to {row['largest']:.6g}; "
            f"the first: {row['example']}"
            if row["n"]
            else "not evaluated: nothing to compare"
        )
        for row in wrong.to_dict("records")
    ]
    raise SkewError(
        "the service would not say what the training says:\n"
        + "\n".join(lines)
        + "\nRun the stages from 03_profile on again; if it stays, two ways compute it"
    )


def _snapshot(
    s: Scored, again: pd.DataFrame, fresh: pd.DataFrame, documents: Iterable[Mapping[str, Any]]
) -> list[_Row]:
    """Compare the documents of the customers who were scored: features, score and reasons."""
    held = {str(one["customer_id"]): one for one in documents}
    of_rows = [held.get(str(customer), {}) for customer in again[CUSTOMER_ID]]
    names = list(s.scorer.features)
    features = pd.DataFrame([one.get("features", {}) for one in of_rows]).reindex(columns=names)
    features = features.astype("float64")
    own = [one.get("scores", {}).get(s.scorer.name.value, {}) for one in of_rows]
    scores = pd.DataFrame({"score": [one.get("value", np.nan) for one in own]}, dtype="float64")
    reasons = [one.get("reasons") for one in own]
    return [
        _numbers(s, "features of the snapshot", features, again, names, ROUNDED),
        _numbers(s, "scores of the snapshot", scores, fresh, ["score"], ROUNDED),
        _reasons(s, "reasons of the snapshot", reasons, _read(fresh["reasons"])),
    ]


def _asked(scorer: Scorer, row: Mapping[Any, Any], ask: Ask) -> Mapping[str, Any]:
    values = {name: float(row[name]) for name in scorer.features}
    features = {name: None if np.isnan(value) else value for name, value in values.items()}
    body = {"model": scorer.name.value, "features": features}
    answer: Mapping[str, Any] = ask("/v1/score", body)["scores"][scorer.name.value]
    if "reasons" not in answer:
        raise SkewError(f"the service has no score of {scorer.tag}: {answer.get('value')}")
    return answer


def _numbers(
    s: Scored,
    compared: str,
    left: pd.DataFrame,
    right: pd.DataFrame,
    names: Sequence[str],
    tolerance: float,
    against: str = "training code",
) -> _Row:
    """Compare numbers cell by cell, row by row; relative above 1, absolute below."""
    one, other = (t[list(names)].to_numpy(dtype=np.float64, na_value=np.nan) for t in (left, right))
    close = np.isclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)
    example = ""
    if not close.all():
        row, column = (int(place[0]) for place in np.nonzero(~close))
        pair = f"{one[row, column]:.9g} and {other[row, column]:.9g}"
        example = f"{_named(s, row, right)}: {names[column]} {pair}"
    gaps = np.abs(one - other)[~close]
    largest = float(np.nanmax(gaps)) if np.isfinite(gaps).any() else np.nan
    return _row(s, compared, against, ~close.all(axis=1), largest if len(gaps) else 0.0, example)


def _reasons(
    s: Scored,
    compared: str,
    left: Sequence[Any],
    right: Sequence[Any],
    against: str = "training code",
) -> _Row:
    """Compare lists of reasons, which must be the same word by word."""
    differ = np.array([one != other for one, other in zip(left, right, strict=True)], dtype=bool)
    example = ""
    if differ.any():
        first = int(np.argmax(differ))
        example = f"row {first}: {_sentence(left[first])} and {_sentence(right[first])}"
    return _row(s, compared, against, differ, np.nan if differ.any() else 0.0, example)


def _row(
    s: Scored, compared: str, against: str, differ: npt.NDArray[Any], largest: float, example: str
) -> _Row:
    values = (s.scorer.tag, compared, against, len(differ), int(differ.sum()), largest, example)
    return dict(zip(COLUMNS, values, strict=True))


def _read(texts: pd.Series) -> list[Any]:
    return [json.loads(text) if isinstance(text, str) else None for text in texts]


def _named(s: Scored, row: int, table: pd.DataFrame) -> str:
    return ", ".join(str(table[key].iloc[row]) for key in s.keys if key in table)


def _sentence(reasons: Any) -> str:
    return repr(reasons[0]["en"]) if reasons else "nothing"
