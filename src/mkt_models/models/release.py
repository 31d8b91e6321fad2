"""From an audited model to a release: judge it, write ledger and cards, score with the champion.

What is decided is in :mod:`mkt_models.models.promotion`; here the evidence is gathered from what
the stages left, and the decision is carried out. Module of the notebooks: it needs pandas.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from mkt_models.columns import Model, ModelStatus, Verdict
from mkt_models.evaluation.calibration import CalibrationCheck
from mkt_models.evaluation.comparison import Comparison
from mkt_models.evaluation.gate_words import Reason
from mkt_models.models import registry
from mkt_models.models.card import ModelCard, Standing, Words
from mkt_models.models.card_writing import groups_of, movers_of
from mkt_models.models.challenge import (
    able_champion,
    calibration_of,
    comparison_with,
    keep_backtest,
    scored_rows,
)
from mkt_models.models.ledger import FILE, Entry, Ledger, Outcome
from mkt_models.models.promotion import Decision, judge
from mkt_models.models.scoring import score_table
from mkt_models.workspace import Workspace

FOLDER = "release"


@dataclass(frozen=True)
class Audited:
    """What the audit found of one model: verdict, reasons, and the tables that cards show."""

    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    groups: pd.DataFrame | None = None
    importance: pd.DataFrame | None = None


@dataclass(frozen=True)
class Released:
    """What stands after a model was judged.

    Attributes
    ----------
    challenger
        the card of the version that this run has trained
    champion
        the card of the version that is released now, which may be the same; None: none is
    outcome, reason
        of the last decision about the challenger
    ledger
        with that decision in it

    """

    challenger: ModelCard
    champion: ModelCard | None
    outcome: Outcome
    reason: Words
    ledger: Ledger = field(repr=False)

    @property
    def model(self) -> Model:
        """Which model it is."""
        return self.challenger.facts.model

    @property
    def verdict(self) -> Verdict:
        """What decisions go by: PASS when a version is released, else why there is none."""
        if self.champion is not None:
            return Verdict.PASS
        standing = self.challenger.standing
        if standing.verdict is not Verdict.PASS:
            return standing.verdict
        broken = (standing.calibration or {}).get("state") == "broken"
        return Verdict.FAIL if broken else Verdict.NOT_EVALUATED

    def row(self) -> dict[str, Any]:
        """One row for readers."""
        standing = self.challenger.standing
        compared = standing.comparison or {}
        return {
            "model": self.model.value,
            "trained": self.challenger.version,
            "outcome": self.outcome.value,
            "released": None if self.champion is None else self.champion.version,
            "audit": standing.verdict.value,
            "calibration": (standing.calibration or {}).get("state"),
            "gain": compared.get("gain"),
            "gain_lower": compared.get("lower"),
            "gain_upper": compared.get("upper"),
            "why": self.reason.en,
        }


def ledger_of(ws: Workspace) -> Ledger:
    """Read the ledger of a run. It lies outside the folders that a stage empties."""
    return Ledger.read(ws.build / FILE)


def release(
    ws: Workspace, model: Model, audited: Audited, ledger: Ledger, now: datetime
) -> Released:
    """Judge the model that this run has trained, and carry the decision out.

    Ledger and cards are written; what was decided before is not decided again, so that a stage may
    run twice. ``now`` is aware, and stands in ledger and card.

    Raises
    ------
    mkt_models.models.registry.RegistryError
        When a file of the challenger or of the champion is not the one that was saved.
    mkt_models.models.ledger.LedgerError
        When the ledger does not hold together.

    """
    home, tag = ws.bentoml_home, ws.read_json(model.value, "model")["tag"]
    card = registry.read_card(registry.find(tag, home))
    before = ledger.champion(model)
    calibration = calibration_of(ws, model)
    champion, gone = able_champion(ws, model, before, card)
    comparison = None
    if champion is not None and champion.version != card.version:
        comparison = comparison_with(ws, model, champion)
    decision = judge(
        audited.verdict,
        audited.reasons,
        calibration,
        None if champion is None or champion.version == card.version else champion.version,
        comparison,
    )
    entries = _entries(card, before, champion, gone, decision, audited, calibration, comparison)
    at = now.isoformat(timespec="seconds")
    known = ledger.decided(model, card.version)
    ledger = ledger.append(entry.model_copy(update={"at": at}) for entry in entries)
    after = ledger.champion(model)
    told = known if before == card.version == after and known is not None else None
    outcome = decision.outcome if told is None else told.outcome
    reason = decision.reason if told is None else told.reason
    standing = Standing(
        status=ModelStatus.RELEASED if after == card.version else ModelStatus.REFUSED,
        reason=reason,
        decided_at=at if told is None else told.at,
        verdict=audited.verdict,
        verdict_reasons=tuple(Words(en=one.en, zh=one.zh) for one in audited.reasons),
        groups=() if audited.groups is None else groups_of(audited.groups),
        movers=movers_of(audited.importance, registry.load(tag, home).words),
        calibration=calibration.as_dict(),
        champion=before if told is None else told.champion_before,
        comparison=_kept_comparison(told, comparison),
    )
    challenger = registry.set_standing(tag, standing, home)
    _retire_others(ws, model, after, gone or reason, at)
    if after == card.version:
        keep_backtest(ws, model, card.version)
        return Released(challenger, challenger, outcome, reason, ledger)
    return Released(challenger, champion if after else None, outcome, reason, ledger)


def champion_scores(ws: Workspace, released: Released) -> pd.DataFrame | None:
    """Score today's customers by the champion: the rows and columns of the stage's ``scores``.

    None when no version is released: there are no scores then that anybody may use.
    """
    if released.champion is None:
        return None
    stored = ws.read_table(released.model.value, "scores")
    if released.champion.version == released.challenger.version:
        return stored
    keys, rows = scored_rows(ws, released.model)
    tag = f"{registry.name_of(released.model)}:{released.champion.version}"
    return score_table(rows, keys, registry.load(tag, ws.bentoml_home))


def write_releases(
    ws: Workspace, released: Mapping[Model, Released], others: Mapping[str, Verdict]
) -> None:
    """Hand the decisions on: scores by the champions, cards, and what decisions may rest on.

    ``others`` are the verdicts of what has no version in the store: the recommender, and models
    that the source cannot give.
    """
    verdicts = {name: verdict.value for name, verdict in others.items()}
    models, cards, rows = {}, [], []
    for model, one in released.items():
        verdicts[model.value] = one.verdict.value
        champion = one.champion
        why = None if champion else f"{one.challenger.tag} is not released: {one.reason.en}"
        models[model.value] = {
            "tag": champion and f"{registry.name_of(model)}:{champion.version}",
            "served_as": champion and champion.tag,
            "why": why,
        }
        cards += [one.challenger.as_dict()]
        if champion is not None and champion.version != one.challenger.version:
            cards.append(champion.as_dict())
        rows.append(one.row())
        if (scores := champion_scores(ws, one)) is not None:
            ws.write_table(FOLDER, f"{model.value}_scores", scores)
    ws.write_json(FOLDER, "models", models)
    ws.write_json(FOLDER, "verdicts", verdicts)
    ws.write_json(FOLDER, "cards", cards)
    ws.write_json(
        FOLDER, "metrics", {"headline": [], "decisions": rows, "ledger": ledger_of(ws).as_rows()}
    )


def release_table(released: Iterable[Released]) -> pd.DataFrame:
    """One row per model: what was trained, what became of it, and which version decides now."""
    rows = [one.row() for one in released]
    columns = ["model", "trained", "outcome", "released", "gain", "audit", "calibration", "why"]
    for row in rows:
        row["released"] = row["released"] or "none"
        gain, lower, upper = (row[name] for name in ("gain", "gain_lower", "gain_upper"))
        row["gain"] = "" if gain is None else f"{gain:+.4g} [{lower:+.4g}, {upper:+.4g}]"
    return pd.DataFrame(rows, columns=columns).set_index("model")


def released_in_words(released: Iterable[Released]) -> str:
    """Say in a sentence which models are released."""
    said = [
        f"{one.model.value} {_STATE[one.outcome] if one.champion else 'not released'}"
        for one in released
    ]
    return f"Models: {', '.join(said)}." if said else "No model was trained."


_STATE = {
    Outcome.FIRST: "released",
    Outcome.REPLACED: "released in place of the champion before it",
    Outcome.KEPT: "in the version of before, as the new one is not shown to be better",
    Outcome.REFUSED: "in the version of before, as the new one is refused",
    Outcome.RETIRED: "not released",
}


def _entries(
    card: ModelCard,
    before: str | None,
    champion: ModelCard | None,
    gone: Words | None,
    decision: Decision,
    audited: Audited,
    calibration: CalibrationCheck,
    comparison: Comparison | None,
) -> list[Entry]:
    """What is to be written down: nothing when the champion is this very version and may stay."""
    same = champion is not None and champion.version == card.version
    if same and decision.outcome is not Outcome.REFUSED:
        return []
    own = Entry(
        at="",
        model=card.facts.model,
        outcome=Outcome.REFUSED,
        version=card.version,
        signature=card.signature,
        champion_before=None,
        champion=None,
        reason=decision.reason,
        verdict=audited.verdict,
        calibration=calibration.as_dict(),
        comparison=None if comparison is None else comparison.as_dict(),
        data_hash=card.facts.trained.data_hash,
        labels_until=card.facts.trained.labels_until.isoformat(),
    )
    retired = {"outcome": Outcome.RETIRED, "champion_before": before, "champion": None}
    if same:
        return [own.model_copy(update=retired)]
    found = []
    if before is not None and gone is not None:
        found.append(
            Entry(
                at="",
                model=own.model,
                outcome=Outcome.RETIRED,
                version=before,
                champion_before=before,
                champion=None,
                reason=gone,
            )
        )
        before = None
    crowned = decision.outcome in (Outcome.FIRST, Outcome.REPLACED)
    after = card.version if crowned else before
    changes = {"outcome": decision.outcome, "champion_before": before, "champion": after}
    return [*found, Entry.model_validate({**own.model_dump(), **changes})]


def _kept_comparison(told: Entry | None, comparison: Comparison | None) -> dict[str, Any] | None:
    if told is not None:
        return told.comparison
    return None if comparison is None else comparison.as_dict()


def _retire_others(ws: Workspace, model: Model, champion: str | None, why: Words, at: str) -> None:
    """Let only the champion say that it is released; what cannot be read is not served anyway."""
    name = registry.name_of(model)
    for folder in sorted((ws.bentoml_home / "models" / name).iterdir()):
        if not folder.is_dir() or folder.name == champion:
            continue
        tag = f"{name}:{folder.name}"
        try:
            kept = registry.read_card(registry.find(tag, ws.bentoml_home)).standing
        except registry.RegistryError:
            continue
        if kept.status is ModelStatus.RELEASED:
            retired = {"status": ModelStatus.RETIRED, "reason": why, "decided_at": at}
            registry.set_standing(tag, kept.model_copy(update=retired), ws.bentoml_home)
