"""The learners of uplift on later campaigns: chosen on some, reported on others.

What is the highest of several is too high by chance, so a learner is not reported on the campaigns
that chose it. Three parts follow each other in time: learners are trained on the first, compared
on the second, and the chosen one is trained anew on both and judged on the third. There the others
are shown beside it, with paired differences; these choose nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID
from mkt_models.evaluation.inputs import TARGET
from mkt_models.evaluation.qini import choose_learner, qini_curve, qini_table, uplift_bins
from mkt_models.evaluation.uplift import Claim, effect_table, verdict
from mkt_models.models.labels import LabelError
from mkt_models.models.uplift import RESPONSE, fit_uplift, predicted
from mkt_models.models.uplift_trials import RESPONSES, split_by_time
from mkt_models.uplift_params import Learner, Uplift
from mkt_models.workspace import NotAvailableError

SCORES = (CUSTOMER_ID, CAMPAIGN_ID, AS_OF, "uplift", "learner")


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made: draws, their confidence and their seed."""

    n: int
    confidence: float
    seed: int


@dataclass(frozen=True)
class UpliftBacktest:
    """What the trials show.

    Attributes
    ----------
    chosen
        the learner with the highest Qini on the validation campaigns
    effects
        what a contact adds, per response, over all campaigns (``effect_table``)
    by_type
        the same of the response that is ranked by, per type of campaign
    validation, test
        ``qini_table`` of the learners and of the naive ranking by response, on either part
    predictions
        the test rows with a column per learner
    curve, bins
        of the chosen learner on the test rows
    claim
        what may be said

    """

    chosen: Learner
    effects: pd.DataFrame
    by_type: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    predictions: pd.DataFrame
    curve: pd.DataFrame
    bins: pd.DataFrame
    claim: Claim

    def as_dict(self) -> Mapping[str, object]:
        """Everything but the single predictions, for a JSON document."""
        return {
            "kind": "randomised",
            "chosen": self.chosen.value,
            "claims": {"effect": self.claim.effect, "ranking": self.claim.ranking},
            "says": list(self.claim.says),
            "effects": self.effects,
            "effects_by_type": self.by_type,
            "qini_validation": self.validation,
            "qini_test": self.test,
            "curve": self.curve,
            "bins": self.bins,
        }


def uplift_backtest(
    rows: pd.DataFrame, features: Sequence[str], settings: Uplift, bootstrap: Bootstrap
) -> UpliftBacktest:
    """Choose a learner on earlier campaigns and judge it on later ones.

    Parameters
    ----------
    rows
        ``trials`` with their features: one row per customer and campaign.
    features
        The columns to learn from.
    settings
        Learners, response and split.
    bootstrap
        Of the intervals; its seed is also that of the trees.

    Raises
    ------
    mkt_models.workspace.NotAvailableError
        When there are too few campaigns.
    mkt_models.models.labels.LabelError
        When an arm of a part is too small, or has one response only.

    """
    how = (bootstrap.n, bootstrap.confidence, bootstrap.seed)
    labelled = _labelled(rows, settings)
    train, chosen_on, tested_on = split_by_time(
        labelled, settings.validation_campaigns, settings.test_campaigns
    )
    names = [one.value for one in settings.learners]
    compared, _ = predicted(train, chosen_on, features, settings, bootstrap.seed)
    validation = qini_table(compared, [*names, RESPONSE], *how)
    chosen = Learner(choose_learner(validation, names))
    known = labelled[labelled["ends_on"] < tested_on["as_of"].min()]
    predictions, _ = predicted(known, tested_on, features, settings, bootstrap.seed)
    test = qini_table(predictions, [*names, RESPONSE], *how, reference=chosen.value)
    effects = effect_table(labelled, list(RESPONSES), *how)
    typed = labelled.assign(campaign_type=labelled["campaign_type"].fillna("not available"))
    return UpliftBacktest(
        chosen=chosen,
        effects=effects,
        by_type=effect_table(typed, [settings.response], *how, by="campaign_type"),
        validation=validation,
        test=test,
        predictions=predictions,
        curve=qini_curve(predictions, chosen.value, *how),
        bins=uplift_bins(predictions, chosen.value, settings.bins, *how),
        claim=verdict(effects, test, settings.response, chosen.value, RESPONSES[settings.response]),
    )


def judged(
    rows: pd.DataFrame, features: Sequence[str], settings: Uplift, bootstrap: Bootstrap
) -> tuple[UpliftBacktest | None, str]:
    """Backtest where the trials allow it; else give None, and say why in a sentence."""
    if rows.empty:
        return None, ""
    try:
        found = uplift_backtest(rows, features, settings, bootstrap)
    except NotAvailableError as error:
        return None, str(error)
    except LabelError as error:
        return None, f"not available: {error}"
    return found, " ".join(found.claim.says)


def uplift_scores(
    rows: pd.DataFrame,
    pairs: pd.DataFrame,
    features: Sequence[str],
    settings: Uplift,
    found: UpliftBacktest | None,
    seed: int,
) -> pd.DataFrame:
    """Predict uplift by the chosen learner, trained on all trials; no row unless shown to rank.

    Parameters
    ----------
    rows
        All trials with their features.
    pairs
        Customers and campaigns to predict, with the same features.
    features, settings, seed
        As for the backtest.
    found
        The backtest that chose the learner and says whether its ranking is shown; None is no.

    Returns
    -------
    DataFrame
        One row per customer and campaign: customer_id, campaign_id, as_of, uplift (units of the
        response), learner. The figures of the backtest are those of the learner without the test
        campaigns.

    """
    if found is None or not found.claim.ranking or pairs.empty:
        return pd.DataFrame(columns=SCORES)
    model = fit_uplift(found.chosen, _labelled(rows, settings), features, settings, seed)
    scores = pairs[[CUSTOMER_ID, CAMPAIGN_ID, AS_OF]].reset_index(drop=True)
    return scores.assign(uplift=model.uplift(pairs), learner=found.chosen.value)


def _labelled(rows: pd.DataFrame, settings: Uplift) -> pd.DataFrame:
    return rows.assign(**{TARGET: rows[settings.response].astype("float64")})
