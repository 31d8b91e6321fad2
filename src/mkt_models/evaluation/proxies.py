"""What gives a sensitive attribute away: features that stand in for it, and scores that carry it.

An attribute that no model sees can still act through its proxies. So it is predicted: from each
feature alone, from all features together, and from each model's score; one group against the
others of the attribute, among customers of whom it is known. An AUC of .5 is a coin. Being told by
a feature is no harm in itself; it says where a harm could come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost
from scipy.stats import false_discovery_control, norm, rankdata
from sklearn.model_selection import StratifiedKFold

from mkt_models.columns import CUSTOMER_ID
from mkt_models.evaluation.groups import group_order
from mkt_models.evaluation.inputs import Floats

TOGETHER = "all features together"
FOLDS, TREES = 5, 60
_TREES: dict[str, Any] = {
    "objective": "binary:logistic",
    "max_depth": 3,
    "eta": 0.1,
    "min_child_weight": 5,
    "subsample": 0.8,
    "colsample_bytree": 0.5,
    "lambda": 10,
    "max_bin": 64,
    "nthread": 1,
}
# What an AUC is called: from here on it tells a little, clearly, nearly all.
WORDS = ((0.85, "gives away"), (0.7, "clearly tells"), (0.6, "tells a little of"))


def proxy_table(
    people: pd.DataFrame,
    attributes: Sequence[str],
    features: Sequence[str],
    scores: Sequence[str],
    min_group_size: int,
    confidence: float,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tell how well features and scores predict each group, and which features do it.

    Parameters
    ----------
    people
        one row per customer: customer_id, the features and scores (NaN is a missing value, which
        can tell by itself), and the sensitive columns
    attributes, features, scores
        columns
    min_group_size
        a group, and the others of its attribute together, need so many customers
    confidence, seed
        level of the intervals and of the correction; seed of folds and trees

    Returns
    -------
    DataFrame
        One row per attribute, group and source: attribute, group, n (customers of the group),
        n_known (of whom the attribute is known), kind (feature, together or score), source, auc
        (direction-free for a single column: at least .5), auc_lower, auc_upper (DeLong, DeLong,
        Clarke-Pearson 1988; of all features together on customers that its trees have not seen),
        q (the p-value against a coin, corrected by Benjamini and Hochberg 1995 over all rows of
        a kind: this is a list of suspects, of whom at most 1 - confidence may be innocent;
        Bonferroni over hundreds of rows would hide most of the guilty), told.
    DataFrame
        One row per attribute, group and feature: share (of all that moves the predictor of the
        group: mean absolute SHAP contributions, out of fold), told (whether all features together
        tell of the group at all: of a predictor that tells nothing, the shares are noise); most
        telling first.

        Both are empty when of no attribute two groups are large enough.

    """
    if people[CUSTOMER_ID].duplicated().any():
        raise ValueError(f"people: {CUSTOMER_ID} stands twice; one row per customer is needed")
    found: list[dict[str, object]] = []
    shares: list[pd.DataFrame] = []
    for attribute, group, known, mine in _contrasts(people, attributes, min_group_size):
        row = {"attribute": attribute, "group": group, "n": int(mine.sum()), "n_known": len(mine)}
        for kind, names in (("feature", features), ("score", scores)):
            for name in names:
                told = _auc(_filled(known[name]), mine).folded()
                found.append({**row, "kind": kind, "source": name, **told.interval(confidence)})
        guess, parts = _out_of_fold(known[list(features)], mine, seed)
        told = _auc(guess, mine)
        found.append({**row, "kind": "together", "source": TOGETHER, **told.interval(confidence)})
        importance = np.abs(parts).mean(axis=0)
        shares.append(
            pd.DataFrame(
                {
                    "attribute": attribute,
                    "group": group,
                    "feature": list(features),
                    "share": importance / (importance.sum() or np.nan),
                }
            ).sort_values("share", ascending=False, kind="stable")
        )
    columns = ["attribute", "group", "n", "n_known", "kind", "source", "auc", "auc_lower"]
    table = pd.DataFrame(found, columns=[*columns, "auc_upper", "p"])
    table["q"] = np.nan
    for _, p in table.pop("p").groupby(table["kind"]):
        table.loc[p.index, "q"] = false_discovery_control(p.to_numpy(dtype=np.float64))
    # Trees that rank worse than a coin on new customers have learnt nothing.
    table["told"] = (table["q"] <= 1 - confidence) & (table["auc"] > 0.5)
    empty = pd.DataFrame(columns=["attribute", "group", "feature", "share"])
    moved = pd.concat(shares, ignore_index=True) if shares else empty
    together = table[table["kind"] == "together"]
    return table, moved.merge(together[["attribute", "group", "told"]], how="left")


def telling_features(
    shares: pd.DataFrame, importance: Mapping[str, pd.DataFrame], top: int = 3
) -> pd.DataFrame:
    """One row per attribute and telling feature: how much it counts in each model itself.

    Only of groups that all features together are shown to tell.

    Parameters
    ----------
    shares
        the second table of :func:`proxy_table`
    importance
        by model, its ``global_importance``
    top
        features per attribute, by their mean share over these groups

    Returns
    -------
    DataFrame
        attribute, feature, share (of the predictors of the attribute), and for each model a
        column with the feature's share there; NaN where it is no feature of the model

    """
    shares = _of_told(shares)
    mean = shares.groupby(["attribute", "feature"], sort=False)["share"].mean().reset_index()
    ordered = mean.sort_values("share", ascending=False, kind="stable")
    out = ordered.groupby("attribute", sort=False).head(top)
    names = list(dict.fromkeys(shares["attribute"]))
    out = out.sort_values("attribute", key=lambda a: a.map(names.index), kind="stable")
    for model, table in importance.items():
        out[model] = out["feature"].map(table.set_index("feature")["share"])
    return out.reset_index(drop=True)


def leaning(shares: pd.DataFrame, importance: pd.DataFrame) -> pd.Series:
    """How much of a model's importance lies where each attribute's predictors look, 0 to 1.

    The overlap of the two distributions over features: the sum of the smaller of both shares.
    """
    mean = _of_told(shares).groupby(["attribute", "feature"], sort=False)["share"].mean()
    mine = importance.set_index("feature")["share"]
    both = mean.reset_index()
    both["overlap"] = np.minimum(both["share"], both["feature"].map(mine).fillna(0.0))
    return both.groupby("attribute", sort=False)["overlap"].sum()


def in_words(table: pd.DataFrame, named: Mapping[str, str] | None = None) -> list[str]:
    """Say per attribute what tells it best: all features, the best single one, and each score."""
    said = []
    for attribute, rows in table.groupby("attribute", sort=False):
        parts = []
        for kind in ("together", "feature", "score"):
            some = rows[rows["kind"] == kind]
            sources = list(dict.fromkeys(some["source"])) if kind == "score" else [None]
            for source in sources:
                best = some if source is None else some[some["source"] == source]
                if best.empty:
                    continue
                row = best.sort_values(["told", "auc"]).iloc[-1]
                name = (named or {}).get(str(row["source"]), str(row["source"]).replace("_", " "))
                name = f"the {name} score" if kind == "score" else name
                parts.append(f"{name} {_told(row)}")
        said.append(f"{str(attribute).replace('_', ' ')}: " + "; ".join(parts))
    return said


def _of_told(shares: pd.DataFrame) -> pd.DataFrame:
    return shares[shares["told"].astype(bool)]


def _told(row: pd.Series) -> str:
    numbers = f"(AUC {row['auc']:.2f} [{row['auc_lower']:.2f}, {row['auc_upper']:.2f}])"
    if not row["told"]:
        return f"is not shown to tell any group {numbers}"
    word = next((word for least, word in WORDS if row["auc"] >= least), "tells hardly anything of")
    return f"{word} {row['group']} {numbers}"


def _contrasts(people: pd.DataFrame, attributes: Sequence[str], min_size: int) -> Any:
    for attribute in attributes:
        known = people[people[attribute].notna()]
        labels = known[attribute].astype(str)
        large = [g for g in group_order(labels.tolist()) if (labels == g).sum() >= min_size]
        for group in large:
            mine = (labels == group).to_numpy()
            if len(mine) - mine.sum() >= min_size:
                yield attribute, group, known, mine
            if len(large) == 2 and labels.nunique() == 2:
                break  # two groups: one tells as much as the other


@dataclass(frozen=True)
class _Auc:
    value: float
    error: float
    error_if_coin: float

    def folded(self) -> "_Auc":
        """The same AUC with the column turned round, if it is below a half."""
        return _Auc(max(self.value, 1 - self.value), self.error, self.error_if_coin)

    def interval(self, confidence: float) -> dict[str, float]:
        """AUC, its ends, and the two-sided p-value against a half."""
        reach = float(norm.ppf((1 + confidence) / 2)) * self.error
        z = abs(self.value - 0.5) / self.error_if_coin if self.error_if_coin > 0 else 0.0
        lower, upper = max(0.0, self.value - reach), min(1.0, self.value + reach)
        p = float(2 * norm.sf(z))
        return {"auc": self.value, "auc_lower": lower, "auc_upper": upper, "p": p}


def _auc(values: Floats, mine: npt.NDArray[np.bool_]) -> _Auc:
    """Give the AUC of values for the group against the others, ties half, and its errors."""
    n, m = int(mine.sum()), int((~mine).sum())
    everybody, group, others = rankdata(values), rankdata(values[mine]), rankdata(values[~mine])
    above = (everybody[mine] - group) / m  # share of the others below each of the group
    below = 1 - (everybody[~mine] - others) / n
    error = np.sqrt(above.var(ddof=1) / n + below.var(ddof=1) / m)
    _, ties = np.unique(values, return_counts=True)
    tied = ((ties**3.0 - ties).sum()) / ((n + m) * (n + m - 1.0))
    coin = np.sqrt(max(0.0, (n + m + 1 - tied)) / (12.0 * n * m))
    return _Auc(float(above.mean()), float(error), float(coin))


def _filled(column: pd.Series) -> Floats:
    """Values with what is missing below all others: that it is missing may tell by itself."""
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = values[np.isfinite(values)]
    lowest = known.min() - 1 if len(known) else 0.0
    return np.where(np.isfinite(values), values, lowest)


def _out_of_fold(
    features: pd.DataFrame, mine: npt.NDArray[np.bool_], seed: int
) -> tuple[Floats, Floats]:
    """Rank of each customer within its fold, and contributions, by trees that never saw it."""
    matrix, target = features.to_numpy(dtype=np.float32), mine.astype(np.float32)
    guess = np.empty(len(mine))
    parts = np.empty(matrix.shape)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed % 2**32)
    for fit, rest in folds.split(matrix, mine):
        data = xgboost.DMatrix(matrix[fit], target[fit], nthread=1)
        booster = xgboost.train(_TREES | {"seed": seed}, data, num_boost_round=TREES)
        unseen = xgboost.DMatrix(matrix[rest], nthread=1)
        found = np.asarray(booster.predict(unseen, pred_contribs=True), dtype=np.float64)
        parts[rest] = found[:, :-1]
        guess[rest] = rankdata(found.sum(axis=1)) / len(rest)  # folds differ in level
    return guess, parts
