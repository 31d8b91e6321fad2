"""Tables to figures: every function draws a table that was computed elsewhere.

``style``
    the common look; titles, captions, and words that describe a figure
``data``
    sales, the ledger of cleaning, missing values, distributions, stages and tiers
``mining``
    what is bought together; recommenders compared
``performance``
    models compared, at once and over cutoffs
``curves``
    calibration, gain, deciles
``explanation``
    what moves the predictions (SHAP)
``fairness``
    groups compared
``decisions``
    strategies chosen, and why others were not
``engines``
    what the SQL engines cost

All take axes or make a new figure, and return what they drew on; nothing here shows a figure.
Notebooks call :func:`use_style` once; only notebooks and reports import this package.
"""

from mkt_models.plots.curves import calibration, deciles, gain
from mkt_models.plots.data import distribution, ledger, missing, stages_by_tier, weekly_sales
from mkt_models.plots.decisions import strategies, suppressions
from mkt_models.plots.engines import engine_costs
from mkt_models.plots.explanation import beeswarm, importance, waterfall
from mkt_models.plots.fairness import groups
from mkt_models.plots.mining import recommenders, rules
from mkt_models.plots.performance import backtest, models
from mkt_models.plots.style import alt, use_style

__all__ = [
    "alt",
    "backtest",
    "beeswarm",
    "calibration",
    "deciles",
    "distribution",
    "engine_costs",
    "gain",
    "groups",
    "importance",
    "ledger",
    "missing",
    "models",
    "recommenders",
    "rules",
    "stages_by_tier",
    "strategies",
    "suppressions",
    "use_style",
    "waterfall",
    "weekly_sales",
]
