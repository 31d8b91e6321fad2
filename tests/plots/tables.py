"""Small tables to draw, and what is read off a figure."""

import numpy as np
import pandas as pd

from mkt_models import plots
from mkt_models.evaluation.explain import Contributions


def title(drawn):
    return plots.style.figure_of(drawn).get_suptitle().replace("\n", " ")


def caption(drawn):
    return plots.style.figure_of(drawn).get_supxlabel().replace("\n", " ")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def ticks(ax):
    return [label.get_text() for label in ax.get_yticklabels()]


WEEKS = pd.DataFrame(
    {
        "week": pd.date_range("2016-12-26", periods=4, freq="7D"),
        "amount": [10.0, 300.0, 200.0, 250.0],
        "days": [1, 7, 7, 7],
    }
)
LEDGER = pd.DataFrame(
    {
        "table": ["transactions", "offers"],
        "rows_in": [1000, 200],
        "clean": [990, 150],
        "quarantined": [10, 0],
        "merged": [0, 50],
    }
)
MODELS = pd.DataFrame(
    {
        "model": ["recency", "xgboost", "raw_score"],
        "n": [6900] * 3,
        "n_customers": [2400] * 3,
        "brier": [0.07, 0.05, np.nan],
        "brier_lower": [0.06, 0.04, np.nan],
        "brier_upper": [0.09, 0.06, np.nan],
        "brier_difference_lower": [np.nan, -0.03, np.nan],
        "brier_difference_upper": [np.nan, -0.01, np.nan],
        "note": ["", "", "brier, ece: no probability"],
    }
)
GROUPS = pd.DataFrame(
    {
        "attribute": ["age_band"] * 2 + ["income_band"] * 2,
        "group": ["19-24", "65+", "Under 15K", "15-24K"],
        "n_customers": [12, 300, 200, 100],
        "calibration_gap": [0.2, 0.01, 0.15, np.nan],
        "calibration_gap_lower": [0.0, -0.02, 0.12, np.nan],
        "calibration_gap_upper": [0.4, 0.04, 0.18, np.nan],
        "judged": [False, True, True, False],
        "level": [0.975] * 4,
    }
)
GAIN = pd.DataFrame(
    {
        "bin": [1, 2, 3, 4, 5],
        "n": [20] * 5,
        "predicted": [90.0, 40, 30, 20, 10],
        "observed": [80.0, 50, 30, 20, 20],
        "cumulative_customers": [0.2, 0.4, 0.6, 0.8, 1.0],
        "cumulative_share": [0.4, 0.65, 0.8, 0.9, 1.0],
    }
)


def explained():
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.normal(size=(60, 3)), columns=["orders_90d", "recency", "rest"])
    values = features * [-1.0, 0.5, 0.0]
    return Contributions(values, features, base=-2.0)
