"""Tables to figures: every function draws a table that was computed elsewhere.

``style``
    the common look; titles, captions, and words that describe a figure
``data``
    sales, the ledger of cleaning, missing values, distributions, stages and tiers
``quality``
    data quality before and after cleaning, and where values are missing
``mining``
    what is bought together; recommenders compared; what variety costs
``performance``
    models compared, at once and over cutoffs
``curves``
    calibration, coverage, gain, deciles
``explanation``
    what moves the predictions (SHAP)
``fairness``
    groups compared
``audit``
    what gives attributes away, what mitigation costs, how often a gate catches
``profiles``
    tags counted and how stable they are, what stages foretell
``uplift``
    what a contact changes, and whether a ranking knows for whom
``fatigue``
    what earlier contacts leave of a response
``experiments``
    what experiments changed, and how sure that was at every look
``off_policy``
    what other policies would have brought, by estimator
``monitoring``
    what has drifted; how models and groups fare over time
``served``
    what a service answered, what became of contacts, and which groups they reach
``decisions``
    strategies chosen, why others were not, and what other budgets would bring
``terms``
    whose twins are offered other terms
``engines``
    what the SQL engines cost

All take axes or make a new figure, and return what they drew on; nothing here shows a figure.
Notebooks call :func:`use_style` once; only notebooks and reports import this package.
"""

from mkt_models.plots.audit import detection, mitigation, proxies
from mkt_models.plots.curves import calibration, coverage, deciles, gain
from mkt_models.plots.data import distribution, ledger, missing, stages_by_tier, weekly_sales
from mkt_models.plots.decisions import budget_curve, strategies, suppressions
from mkt_models.plots.engines import engine_costs
from mkt_models.plots.experiments import confidence_sequence, lifts
from mkt_models.plots.explanation import beeswarm, importance, waterfall
from mkt_models.plots.fairness import groups
from mkt_models.plots.fatigue import fatigue
from mkt_models.plots.mining import gains, recommenders, rules
from mkt_models.plots.monitoring import drift, gaps_over_time, over_time, score_shift
from mkt_models.plots.off_policy import off_policy
from mkt_models.plots.performance import backtest, models
from mkt_models.plots.profiles import stage_outcomes, tag_counts, tag_stability
from mkt_models.plots.quality import missing_groups, quality
from mkt_models.plots.served import answers_by_day, contacts_by_day, marked, reach_by_group
from mkt_models.plots.style import alt, use_style
from mkt_models.plots.terms import terms
from mkt_models.plots.uplift import effects, qini_curve, uplift_bins

__all__ = [
    "alt",
    "answers_by_day",
    "backtest",
    "beeswarm",
    "budget_curve",
    "calibration",
    "confidence_sequence",
    "contacts_by_day",
    "coverage",
    "deciles",
    "detection",
    "distribution",
    "drift",
    "effects",
    "engine_costs",
    "fatigue",
    "gain",
    "gains",
    "gaps_over_time",
    "groups",
    "importance",
    "ledger",
    "lifts",
    "marked",
    "missing",
    "missing_groups",
    "mitigation",
    "models",
    "off_policy",
    "over_time",
    "proxies",
    "qini_curve",
    "quality",
    "reach_by_group",
    "recommenders",
    "rules",
    "score_shift",
    "stage_outcomes",
    "stages_by_tier",
    "strategies",
    "suppressions",
    "tag_counts",
    "tag_stability",
    "terms",
    "uplift_bins",
    "use_style",
    "waterfall",
    "weekly_sales",
]
