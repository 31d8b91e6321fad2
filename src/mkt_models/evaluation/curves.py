"""Where predictions are true and what their top holds: calibration, coverage, gain, bin by bin.

All take a table of predictions (grain: customer and ``as_of``, or customer and campaign) and give
one row per bin, for :func:`mkt_models.plots.calibration`, ``coverage``, ``gain`` and ``deciles``.
"""

import numpy as np
import pandas as pd

from mkt_models.columns import CUSTOMER_ID
from mkt_models.evaluation.bootstrap import ClusterBootstrap, percentile_interval, wilson_interval
from mkt_models.evaluation.inputs import TARGET, Kind, numbers, read_target, require
from mkt_models.evaluation.metrics import equal_count_bins, ratio

# Shares of fewer rows are those of these rows alone.
MIN_ROWS = 20


def calibration_table(
    predictions: pd.DataFrame,
    model: str,
    bins: int = 10,
    *,
    kind: Kind = "classification",
    confidence: float = 0.95,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """One row per bin of equal count, lowest predictions first: predicted against observed.

    Columns: bin (from 1), n (rows), n_customers, predicted (mean), observed (mean), lower, upper.
    Rates have Wilson's interval on the number of *customers* in the bin, as the rows of one
    customer are not independent; amounts have the cluster bootstrap's percentile interval.
    Rows with the same prediction share a bin.
    """
    require(predictions, [CUSTOMER_ID, TARGET, model])
    target, score = read_target(predictions, kind), numbers(predictions, model)
    frame = pd.DataFrame(
        {
            CUSTOMER_ID: predictions[CUSTOMER_ID].to_numpy(),
            "bin": equal_count_bins(score, bins) + 1,
            "predicted": score,
            "observed": target,
        }
    )
    out = (
        frame.groupby("bin")
        .agg(
            n=("observed", "size"),
            n_customers=(CUSTOMER_ID, "nunique"),
            predicted=("predicted", "mean"),
            observed=("observed", "mean"),
        )
        .reset_index()
    )
    if kind == "classification":
        ends = [
            wilson_interval(share, n, confidence)
            for share, n in zip(out["observed"], out["n_customers"], strict=True)
        ]
    else:
        draws = ClusterBootstrap.of(frame[CUSTOMER_ID], n_bootstrap, seed)
        member = np.eye(len(out))[frame["bin"].to_numpy() - 1]
        values = member * target[:, None]
        means = draws.replicates(lambda w: ratio(w @ values, w @ member))
        ends = [percentile_interval(means[:, i], confidence) for i in range(len(out))]
    out[["lower", "upper"]] = np.array(ends)
    return out


def coverage_table(
    predictions: pd.DataFrame,
    model: str,
    lower: str,
    upper: str,
    bins: int = 10,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """One row per bin of equal count, lowest predictions first, and one of all: what held.

    ``lower`` and ``upper`` are the columns with the ends of the prediction intervals, in the
    target's unit; rows without them are left out. Columns: bin (from 1; 0 is all), n (rows),
    n_customers, predicted (mean), coverage (share within, both ends counting as within), with
    coverage_lower and coverage_upper (Wilson's interval on the number of *customers*), below and
    above (shares past each end), width (median, in the target's unit).
    """
    require(predictions, [CUSTOMER_ID, TARGET, model, lower, upper])
    known = predictions[predictions[lower].notna() & predictions[upper].notna()]
    target = read_target(known, "regression")
    score, low, high = (numbers(known, column) for column in (model, lower, upper))
    frame = pd.DataFrame(
        {
            CUSTOMER_ID: known[CUSTOMER_ID].to_numpy(),
            "predicted": score,
            "below": (target < low).astype(float),
            "above": (target > high).astype(float),
            "width": high - low,
        }
    )
    frame["coverage"] = 1 - frame["below"] - frame["above"]
    binned = frame.assign(bin=equal_count_bins(score, bins) + 1) if len(frame) else frame
    both = pd.concat([frame.assign(bin=0), binned])
    out = (
        both.groupby("bin")
        .agg(
            n=("width", "size"),
            n_customers=(CUSTOMER_ID, "nunique"),
            predicted=("predicted", "mean"),
            coverage=("coverage", "mean"),
            below=("below", "mean"),
            above=("above", "mean"),
            width=("width", "median"),
        )
        .reset_index()
    )
    ends = [
        wilson_interval(share, n, confidence)
        for share, n in zip(out["coverage"], out["n_customers"], strict=True)
    ]
    out[["coverage_lower", "coverage_upper"]] = np.array(ends).reshape(-1, 2)
    return out


def gain_table(
    predictions: pd.DataFrame,
    model: str,
    bins: int = 10,
    *,
    n_bootstrap: int = 0,
    confidence: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """One row per bin of equal count, highest predictions first: what the top bins hold.

    Columns: bin (1 is the top), n, predicted and observed (means), captured (positives, or amount
    in the target's units), share (of all that could be captured), cumulative_customers and
    cumulative_share (shares, this bin and those above), lift (mean of the bin over the mean of
    all), note (why the shares are not given, or that they are those of too few rows). Rows with
    the same prediction share a bin. Shares and lift are NaN when the target sums up to nothing.
    With ``n_bootstrap`` > 0, observed and cumulative_share have ``_lower`` and ``_upper``, of the
    cluster bootstrap by customer; the bins stay those of all rows.
    """
    require(predictions, [TARGET, model])
    target, score = read_target(predictions, "regression"), numbers(predictions, model)
    frame = pd.DataFrame(
        {"bin": equal_count_bins(-score, bins) + 1, "predicted": score, "observed": target}
    )
    out = (
        frame.groupby("bin")
        .agg(
            n=("observed", "size"),
            predicted=("predicted", "mean"),
            observed=("observed", "mean"),
            captured=("observed", "sum"),
        )
        .reset_index()
    )
    total = target.sum()
    positive = total > 0
    out["share"] = out["captured"] / total if positive else np.nan
    out["cumulative_customers"] = out["n"].cumsum() / len(target)
    out["cumulative_share"] = out["captured"].cumsum() / total if positive else np.nan
    out["lift"] = out["observed"] / (total / len(target)) if positive else np.nan
    if n_bootstrap:
        require(predictions, [CUSTOMER_ID])
        draws = ClusterBootstrap.of(predictions[CUSTOMER_ID], n_bootstrap, seed)
        member = np.eye(len(out))[frame["bin"].to_numpy() - 1]
        above, values = np.cumsum(member, axis=1), member * target[:, None]
        both = {
            "observed": lambda w: ratio(w @ values, w @ member),
            "cumulative_share": lambda w: ratio(w @ (above * target[:, None]), w @ target[:, None]),
        }
        for name, statistic in both.items():
            drawn = draws.replicates(statistic)
            ends = [percentile_interval(drawn[:, i], confidence) for i in range(len(out))]
            out[[f"{name}_lower", f"{name}_upper"]] = np.array(ends)
    few = f"only {len(target)} rows, needs {MIN_ROWS} to tell of others" * (len(target) < MIN_ROWS)
    out["note"] = few if positive else "share, lift: the target sums up to nothing"
    return out
