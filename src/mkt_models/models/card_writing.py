"""From tables to a card: the facts of a newly trained model, and what the audit found of it.

Module of the notebooks: it needs pandas, which the service does not carry.
"""

import hashlib
from collections.abc import Mapping
from datetime import timedelta

import pandas as pd

from mkt_models.columns import AS_OF, CUSTOMER_ID, Model
from mkt_models.evaluation.inputs import TARGET
from mkt_models.evaluation.performance import CLASSIFICATION_METRICS, REGRESSION_METRICS
from mkt_models.models.card import Facts, Feature, Figure, Group, Mover, Trained
from mkt_models.models.card_words import INTENDED, LIMITS, NOT_INTENDED, question_of
from mkt_models.models.scorer import Scorer
from mkt_models.params import Params
from mkt_models.profiles.measures import Measure

ENDS_ON = "ends_on"
MOVERS = 10
DIFFERENCE = "_difference"


def card_facts(
    scorer: Scorer,
    features: Mapping[str, Measure],
    rows: pd.DataFrame,
    performance: pd.DataFrame,
    params: Params,
    data_hash: str,
) -> Facts:
    """Put down what never changes about a model that was just trained.

    Parameters
    ----------
    scorer
        The model, trained on ``rows``.
    features
        Its columns, with their definitions.
    rows
        What it was trained on: ``customer_id``, ``as_of``, ``target``, and ``ends_on`` where the
        label reaches to a day of its own (campaigns) instead of a horizon.
    performance
        Of the backtest, model and peers, as ``evaluation.performance`` gives it.
    params, data_hash
        Of the run.

    """
    model = scorer.name
    own = getattr(params, model.value)
    first, last = rows[AS_OF].min(), rows[AS_OF].max()
    if ENDS_ON in rows:
        until = rows[ENDS_ON].max() + timedelta(days=1)
    else:
        until = last + timedelta(days=own.horizon_days)
    if model is Model.PROPENSITY:
        days = [start.date() for start in sorted(rows[AS_OF].unique())]
        tested = [day for day in days if day >= own.first_test]
    else:
        tested = own.tests()
    amounts = model is Model.VALUE
    return Facts(
        model=model,
        question=question_of(model, params),
        intended=INTENDED[model],
        not_intended=NOT_INTENDED[model],
        trained=Trained(
            source=params.source.describe(),
            data_hash=data_hash,
            rows=len(rows),
            customers=int(rows[CUSTOMER_ID].nunique()),
            positives=None if amounts else int(rows[TARGET].sum()),
            first=first.date(),
            last=last.date(),
            labels_until=until.date(),
        ),
        features=tuple(
            Feature(
                name=name,
                en=scorer.words[name]["en"],
                zh=scorer.words[name]["zh"],
                unit=scorer.words[name].get("unit", ""),
                definition=hashlib.sha256(features[name].sql.encode()).hexdigest()[:8],
            )
            for name in scorer.features
        ),
        parameters={
            "seed": params.seed,
            **own.model_dump(mode="json"),
            "features_dropped": list(params.features.dropped(model)),
        },
        metric=params.release.metric(model),
        tested=tuple(tested),
        figures=tuple(_figures(performance)),
        limits=LIMITS,
    )


def _figures(performance: pd.DataFrame) -> list[Figure]:
    found = []
    for row in performance.to_dict("records"):
        for metric in (*CLASSIFICATION_METRICS, *REGRESSION_METRICS):
            if metric not in row:
                continue
            gap = metric + DIFFERENCE
            found.append(
                Figure(
                    of=str(row["model"]),
                    metric=metric,
                    value=row[metric],
                    lower=row[f"{metric}_lower"],
                    upper=row[f"{metric}_upper"],
                    n=int(row["n"]),
                    n_customers=int(row["n_customers"]),
                    difference=row.get(gap),
                    difference_lower=row.get(f"{gap}_lower"),
                    difference_upper=row.get(f"{gap}_upper"),
                )
            )
    return found


def groups_of(fairness: pd.DataFrame) -> tuple[Group, ...]:
    """Of one model's table of groups (``group_table``): those large enough to show, no pairs."""
    rows = fairness[~fairness["pair"].astype(bool) & fairness["judged"].astype(bool)]
    return tuple(
        Group(
            attribute=str(row["attribute"]),
            group=str(row["group"]),
            n_customers=int(row["n_customers"]),
            calibration_gap=row["calibration_gap"],
            lower=row["calibration_gap_lower"],
            upper=row["calibration_gap_upper"],
            selection_ratio=row.get("selection_ratio"),
            judged=bool(row["judged"]),
            finding=str(row.get("finding") or ""),
        )
        for row in rows.to_dict("records")
    )


def movers_of(
    importance: pd.DataFrame | None, words: Mapping[str, Mapping[str, str]]
) -> tuple[Mover, ...]:
    """Give the features that move the predictions most, of a ``global_importance`` table."""
    if importance is None:
        return ()
    return tuple(
        Mover(
            feature=str(row["feature"]),
            en=words[str(row["feature"])]["en"],
            zh=words[str(row["feature"])]["zh"],
            share=row["share"],
            n=None if row.get("n") is None else int(row["n"]),
        )
        for row in importance.head(MOVERS).to_dict("records")
    )
