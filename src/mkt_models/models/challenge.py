"""What is known of a challenger beside its audit: calibration, and how the champion compares.

The evidence is gathered from what the stages of a run left. Module of the notebooks: it needs
pandas.
"""

from pathlib import Path

import pandas as pd

from mkt_models.columns import AS_OF, CAMPAIGN_ID, CUSTOMER_ID, Model
from mkt_models.evaluation.calibration import CalibrationCheck, calibration_check
from mkt_models.evaluation.comparison import Comparison, compare
from mkt_models.evaluation.inputs import TARGET, Kind
from mkt_models.models import registry
from mkt_models.models.backtest import MODEL
from mkt_models.models.card import ModelCard, Words
from mkt_models.workspace import Workspace

CHAMPION = "champion"
TESTED = "tested"
_BACKTESTS = "champions"  # a folder beside the ledger


def kind_of(model: Model) -> Kind:
    """Whether a model gives probabilities or amounts."""
    return "regression" if model is Model.VALUE else "classification"


def scored_rows(ws: Workspace, model: Model) -> tuple[list[str], pd.DataFrame]:
    """Give the keys of the rows that a stage scored today, and the rows with their features."""
    if model is Model.PROPENSITY:
        return [CUSTOMER_ID, CAMPAIGN_ID, AS_OF], ws.read_table(model.value, "features")
    features = ws.read_table("profile", "features")
    scored = ws.read_table(model.value, "scores")[CUSTOMER_ID]
    return [CUSTOMER_ID, AS_OF], features[features[CUSTOMER_ID].isin(scored)]


def calibration_of(ws: Workspace, model: Model) -> CalibrationCheck:
    """Whether the numbers of the challenger's backtest are true."""
    settings, audit = ws.params.release, ws.params.audit
    return calibration_check(
        ws.read_table(model.value, "predictions"),
        MODEL,
        kind_of(model),
        settings.calibration,
        audit.n_bootstrap,
        settings.confidence,
        ws.params.seed,
    )


def able_champion(
    ws: Workspace, model: Model, version: str | None, challenger: ModelCard
) -> tuple[ModelCard | None, Words | None]:
    """Give the champion's card if it can go on, else why it cannot; neither if there is none.

    It cannot when its files are gone, when it answers another question than this run asks, or when
    a feature that it needs is gone or defined otherwise now.

    Raises RegistryError when a file of it is not the one that was saved.
    """
    if version is None:
        return None, None
    folder = ws.bentoml_home / "models" / registry.name_of(model) / version
    if not folder.is_dir():
        return None, Words(en="its files are no longer in the store", zh="其文件已不在模型库中")
    card = registry.read_card(
        registry.find(f"{registry.name_of(model)}:{version}", ws.bentoml_home)
    )
    asked = challenger.facts.question
    if not card.facts.question.same_as(asked):
        return None, Words(
            en=f"it answers another question ({card.facts.question.en}) than this run asks "
            f"({asked.en})",
            zh=f"它回答的是另一个问题（{card.facts.question.zh}），本次运行问的是：{asked.zh}",
        )
    now = {one.name: one.definition for one in challenger.facts.features}
    _, rows = scored_rows(ws, model)
    lacking = [f.name for f in card.facts.features if f.name not in rows]
    changed = [f.name for f in card.facts.features if now.get(f.name, f.definition) != f.definition]
    if lacking or changed:
        names = ", ".join((lacking + changed)[:5])
        return None, Words(
            en=f"features that it needs are gone or defined otherwise now: {names}",
            zh=f"它所需的特征已不存在或定义已变：{names}",
        )
    return card, None


def comparison_with(ws: Workspace, model: Model, champion: ModelCard) -> Comparison:
    """Compare challenger and champion on test rows whose labels neither has learnt from.

    First the champion itself, on the dates from the first day on that none of its labels has seen.
    Where there is no such date (trained again on the same data), backtest with backtest: both
    predicted the same rows from what was known before each date.
    """
    settings, audit = ws.params.release, ws.params.audit
    predicted = ws.read_table(model.value, "predictions")
    keys = [key for key in (CUSTOMER_ID, CAMPAIGN_ID, AS_OF) if key in predicted]
    predicted = predicted[[*keys, TARGET, MODEL]]
    fresh = predicted[predicted[AS_OF] >= pd.Timestamp(champion.facts.trained.labels_until)]

    def compared(rows: pd.DataFrame, basis: str, basis_zh: str) -> Comparison:
        return compare(
            rows,
            MODEL,
            CHAMPION,
            settings.metric(model),
            kind_of(model),
            audit.n_bootstrap,
            settings.confidence,
            ws.params.seed,
            basis,
            basis_zh,
        )

    if len(fresh):
        tag = f"{registry.name_of(model)}:{champion.version}"
        scorer = registry.load(tag, ws.bentoml_home)
        tested = ws.read_table(model.value, TESTED)
        rows = fresh.merge(tested[[*keys, *scorer.features]], on=keys, validate="one_to_one")
        answers = scorer.predict(rows[list(scorer.features)].to_numpy())
        day = champion.facts.trained.labels_until
        dates = (f"test dates from {day} on, unseen by both", f"{day} 起的测试日期，双方均未见过")
        return compared(rows.assign(**{CHAMPION: answers}), *dates)
    kept = _backtest_file(ws, model, champion.version)
    if not kept.is_file():
        return compared(fresh, "", "")
    theirs = pd.read_parquet(kept).rename(columns={MODEL: CHAMPION}).drop(columns=TARGET)
    both = predicted.merge(theirs, on=keys, validate="one_to_one")
    return compared(
        both,
        "backtest against backtest: the champion has learnt from these dates",
        "回测对回测：正式模型已学习过这些日期",
    )


def keep_backtest(ws: Workspace, model: Model, version: str) -> None:
    """Keep what a champion's backtest predicted, beside the ledger: keys, target, prediction."""
    path = _backtest_file(ws, model, version)
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    predicted = ws.read_table(model.value, "predictions")
    keys = [key for key in (CUSTOMER_ID, CAMPAIGN_ID, AS_OF) if key in predicted]
    partial = path.with_suffix(".partial")
    predicted[[*keys, TARGET, MODEL]].to_parquet(partial, index=False)
    partial.replace(path)


def _backtest_file(ws: Workspace, model: Model, version: str) -> Path:
    return ws.build / _BACKTESTS / f"{model.value}-{version}.parquet"
