"""What a run left, watched: the tables of its stages, or of two runs, to alarms.

Within one run the earlier test cutoffs are the reference: the models were tested there as on later
ones, without having learnt from them. Features and scores of the day of the profile are current;
so is the last test cutoff, whose labels have arrived. Against an earlier run, it is the models of
*that* run that are watched: what it left is the reference, with what its cards promise, and they
score the customers of this run, and the test cutoffs whose labels none of them has learnt from.
Module of the notebooks and of ``mkt monitor``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID, SCORING_MODELS, Model
from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.evaluation.groups import in_bands
from mkt_models.evaluation.inputs import TARGET
from mkt_models.models import registry
from mkt_models.models.backtest import MODEL
from mkt_models.models.challenge import TESTED, kind_of, scored_rows
from mkt_models.models.scorer import Scorer
from mkt_models.monitoring import rules
from mkt_models.monitoring.alarms import Alarm, alarm_table, by_rule, exit_code, overall
from mkt_models.monitoring.campaign import PERIOD
from mkt_models.monitoring.gaps import Figure
from mkt_models.monitoring.realised import JUDGED
from mkt_models.monitoring.watch_campaigns import (
    Batch,
    WatchedCampaigns,
    watch_campaigns,
    watch_decisions,
)
from mkt_models.monitoring.watch_models import (
    NOW,
    How,
    Seen,
    WatchedModel,
    watch_drift,
    watch_groups,
    watch_performance,
)
from mkt_models.monitoring_params import Monitoring, Rule
from mkt_models.workspace import Workspace

FOLDER = "monitoring"
SCORE = "score"
_OF_A_MODEL = (
    Rule.FEATURE_DRIFT,
    Rule.SCORE_DRIFT,
    Rule.ESTIMATED_PERFORMANCE,
    Rule.REALISED_PERFORMANCE,
    Rule.CALIBRATION,
    Rule.FAIRNESS,
)


@dataclass(frozen=True)
class Monitored:
    """Everything that was found.

    Attributes
    ----------
    tables
        by name: drift, scores, performance, calibration, gaps, gap_changes, effects, costs, caps,
        shares, served; one that could not be made is absent
    alarms
        one per rule, subject and period
    settings
        by which it was judged
    compared
        what with what, in words

    """

    tables: dict[str, pd.DataFrame]
    alarms: tuple[Alarm, ...]
    settings: Monitoring
    compared: str

    @property
    def exit_code(self) -> int:
        """0 ok, 1 alarm, 3 not evaluated."""
        return exit_code(self.alarms, self.settings)


def monitor(ws: Workspace, against: Workspace | None = None) -> Monitored:
    """Watch a run, alone or against an earlier one.

    Raises
    ------
    mkt_models.workspace.MissingInputError
        When a stage has not run.
    ValueError
        When the run to compare with is not earlier, or is the same.

    """
    p = ws.params
    compared = "the earlier test cutoffs with the last one and with the day of the profile"
    if against is not None:
        if against.build == ws.build or against.params.profile.as_of >= p.profile.as_of:
            raise ValueError(
                f"{against.params.run} (as of {against.params.profile.as_of}) is no earlier run "
                f"than {p.run} (as of {p.profile.as_of}); give the later one first"
            )
        compared = (
            f"{against.params.run} (as of {against.params.profile.as_of}) with {p.run} "
            f"(as of {p.profile.as_of})"
        )
    models = [model for model in SCORING_MODELS if not _why_not(model, ws, against)]
    how = How(
        p.monitoring,
        p.release.calibration,
        max(1, len(models)),
        p.audit.selected_share,
        p.audit.min_group_size,
        p.audit.attributes,
        p.seed,
    )
    people = in_bands(ws.read_table("profile", "profiles"), p.audit.bands)
    found: list[Seen] = []
    for model in SCORING_MODELS:
        if why := _why_not(model, ws, against):
            zh = f"{model.value}：不可用"
            alarms = [
                rules.lacking(rule, model.value, NOW, f"{model.value}: {why}", zh)
                for rule in _OF_A_MODEL
            ]
            found.append(Seen({}, alarms))
            continue
        one = watched_model(ws, against, model)
        found += [
            watch_drift(one, how),
            watch_performance(one, how),
            watch_groups(one, people, how),
        ]
    campaigns = watched_campaigns(ws, against)
    found += [watch_campaigns(campaigns, how), watch_decisions(campaigns, people, how)]
    alarms = [alarm for seen in found for alarm in seen.alarms]
    alarms += list(rules.not_asked(alarms, NOW))
    names = dict.fromkeys(name for seen in found for name in seen.tables)
    tables = {
        name: _together([s.tables[name] for s in found if name in s.tables]) for name in names
    }
    kept = {name: table for name, table in tables.items() if len(table)}
    return Monitored(kept, tuple(alarms), p.monitoring, compared)


def watched_model(ws: Workspace, against: Workspace | None, model: Model) -> WatchedModel:
    """Gather what is known of a model in the reference and in the current period."""
    name, owner = model.value, against or ws
    tag = owner.read_json(name, "model")["tag"]
    scorer = registry.load(tag, owner.bentoml_home)
    unit = CAMPAIGN_ID if model is Model.PROPENSITY else CUSTOMER_ID
    now = scored_rows(ws, model)[1]
    tested = _labelled(owner, model)
    promised: dict[str, Figure] = {}
    if against is None:
        earlier, later = _parted(tested, ws.params.monitoring.min_customers)
        before = ws.read_table(name, TESTED)
    else:
        earlier, before = tested, scored_rows(against, model)[1]
        known = registry.read_card(registry.find(tag, owner.bentoml_home))
        unseen = ws.read_table(name, TESTED)
        unseen = unseen[unseen[AS_OF] >= pd.Timestamp(known.facts.trained.labels_until)]
        later = _scored(unseen, scorer)[[CUSTOMER_ID, AS_OF, TARGET, SCORE]]
        promised = _promised(against, model)
    return WatchedModel(
        name,
        kind_of(model),
        tuple(scorer.features),
        before,
        now,
        _scored(before, scorer),
        _scored(now, scorer),
        earlier,
        later,
        promised,
        unit,
    )


def watched_campaigns(ws: Workspace, against: Workspace | None) -> WatchedCampaigns:
    """Gather trials, contacts, caps and decisions; what a run lacks is empty or None."""
    trials = _trials(ws)
    months = sorted(trials[PERIOD].unique()) if len(trials) else []
    reference = months[:-1]
    if against is not None:
        earlier = _trials(against)
        known = sorted(earlier[PERIOD].unique()) if len(earlier) else []
        later = trials[~trials[PERIOD].isin(known)] if len(trials) else trials
        trials, reference = _together([earlier, later]), known
    contacts = _contacts(ws)
    last = sorted(contacts[PERIOD].unique())[-1:] if len(contacts) else []
    policy = load_catalogue(ws.params_folder / ws.params.decisions.catalogue).contact
    return WatchedCampaigns(
        trials,
        tuple(reference),
        ws.params.uplift.response,
        contacts,
        policy.caps.windows(),
        tuple(last),
        None if against is None else _batch(against),
        _batch(ws),
    )


def write(ws: Workspace, found: Monitored) -> None:
    """Write every table, the alarms, and the metrics of the stage."""
    for name, table in found.tables.items():
        ws.write_table(FOLDER, name, table)
    alarms = alarm_table(found.alarms)
    ws.write_table(FOLDER, "alarms", alarms)
    rules_said = {rule.value: outcome.value for rule, outcome in by_rule(found.alarms).items()}
    outcome = overall(found.alarms, found.settings)
    metrics: dict[str, Any] = {"headline": [], "outcome": outcome.value, "rules": rules_said}
    metrics |= {"exit_code": found.exit_code, "compared": found.compared, "alarms": alarms}
    ws.write_json(FOLDER, "metrics", metrics)


def earlier_run(name: str, ws: Workspace) -> Workspace:
    """Open the run to compare with: a parameter file, or the name of one beside that of ``ws``.

    Raises ParamsError when there is no such file.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = ws.params_folder / f"{name}.yaml"
    return Workspace.open(path)


def _why_not(model: Model, ws: Workspace, against: Workspace | None) -> str:
    """Why a model cannot be watched; empty when it can."""
    for one in (ws, against):
        if one is not None and (why := one.lacks(model.value)):
            return why
    if against is None:
        return ""
    needed = against.read_json(model.value, "model")["features"]
    lacking = sorted(set(needed) - set(scored_rows(ws, model)[1]))
    names = ", ".join(lacking[:5])
    return f"features that it needs are gone: {names}" if lacking else ""


def _scored(rows: pd.DataFrame, scorer: Scorer) -> pd.DataFrame:
    """Add what one and the same model says, so that only the rows can differ."""
    return rows.assign(**{SCORE: scorer.predict(rows[list(scorer.features)].to_numpy())})


def _labelled(ws: Workspace, model: Model) -> pd.DataFrame:
    rows = ws.read_table(model.value, "predictions").rename(columns={MODEL: SCORE})
    return rows[[CUSTOMER_ID, AS_OF, TARGET, SCORE]]


def _parted(rows: pd.DataFrame, min_customers: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cut test rows in two: the last cutoffs that together have enough customers are current.

    They count as one period, named by its first day.
    """
    days = sorted(rows[AS_OF].unique())
    for day in reversed(days[1:]):
        later = rows[rows[AS_OF] >= day]
        if later[CUSTOMER_ID].nunique() >= min_customers:
            return rows[rows[AS_OF] < day], later.assign(**{AS_OF: day})
    return rows, rows.iloc[:0]


def _promised(ws: Workspace, model: Model) -> dict[str, Figure]:
    """Give what the card of the run's model says it did in its backtest."""
    rows = ws.read_json(model.value, "metrics")["performance"]
    row = next(one for one in rows if one["model"] == MODEL)
    level = ws.params.audit.confidence
    return {
        name: Figure(row[name], row[f"{name}_lower"], row[f"{name}_upper"], row["n"], level)
        for name in JUDGED[kind_of(model)]
        if row.get(f"{name}_lower") is not None
    }


def _trials(ws: Workspace) -> pd.DataFrame:
    if ws.lacks(Model.PROPENSITY.value):
        return pd.DataFrame()
    trials = ws.read_table(Model.PROPENSITY.value, "trials")
    return trials.assign(**{PERIOD: pd.to_datetime(trials[AS_OF]).dt.strftime("%Y-%m")})


def _contacts(ws: Workspace) -> pd.DataFrame:
    """Contacts over push channels, which caps are about; a contact of no known channel counts."""
    path = ws.path("clean", "exposures.parquet")
    if not path.is_file():
        return pd.DataFrame()
    catalogue = load_catalogue(ws.params_folder / ws.params.decisions.catalogue)
    pull = {str(one.value) for one, how in catalogue.contact.channels.items() if how.kind == "pull"}
    contacts = ws.read_table("clean", "exposures")
    contacts = contacts[~contacts["channel"].isin(pull) & (contacts["arm"] != "control")]
    return contacts.assign(**{PERIOD: pd.to_datetime(contacts["sent_on"]).dt.strftime("%Y-%m")})


def _batch(ws: Workspace) -> Batch | None:
    path = ws.path("decisions", "decisions.parquet")
    if not path.is_file():
        return None
    decisions = ws.read_table("decisions", "decisions")
    reasons = ws.read_table("decisions", "suppressed")
    first = decisions.loc[decisions["rank"] == 1, [CUSTOMER_ID, "strategy"]]
    counts = dict(zip(reasons["reason"].astype(str), reasons["customers"].astype(int), strict=True))
    return Batch(first, counts)


def _together(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One table of several; a column in which all of them lack a value stays."""
    some = [table.dropna(axis=1, how="all") for table in tables if len(table)]
    if not some:
        return pd.DataFrame()
    columns = dict.fromkeys(name for table in tables for name in table)
    return pd.concat(some, ignore_index=True).reindex(columns=list(columns))
