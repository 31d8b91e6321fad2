"""The ledger: one champion at most, whatever is written and in whatever order."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mkt_models.columns import SCORING_MODELS, Model, Verdict
from mkt_models.models.card import Words
from mkt_models.models.ledger import FILE, Entry, Ledger, LedgerError, Outcome

WHY = Words(en="why", zh="原因")
HOLDS = {"state": "holds"}


def entry(outcome: Outcome, version: str, before: str | None = None, **other: Any) -> Entry:
    crowned = outcome in (Outcome.FIRST, Outcome.REPLACED)
    after = version if crowned else None if outcome is Outcome.RETIRED else before
    given = {"at": "2025-01-01T00:00:00+00:00", "model": Model.CHURN, "champion": after}
    given |= {"verdict": Verdict.PASS, "calibration": HOLDS}
    return Entry(
        **{**given, **other}, outcome=outcome, version=version, champion_before=before, reason=WHY
    )


def test_it_says_who_decides(tmp_path: Path) -> None:
    path = tmp_path / "deep" / FILE
    empty = Ledger.read(path)
    assert empty.champion(Model.CHURN) is None
    told = [
        entry(Outcome.FIRST, "a"),
        entry(Outcome.KEPT, "b", "a"),
        entry(Outcome.REPLACED, "c", "a"),
        entry(Outcome.REFUSED, "d", "c"),
        entry(Outcome.FIRST, "v", model=Model.VALUE),
    ]
    empty.append(told)
    again = Ledger.read(path)
    assert again.entries == tuple(told)
    assert again.champion(Model.CHURN) == "c"
    assert again.champion(Model.VALUE) == "v"
    assert again.champion(Model.PROPENSITY) is None
    assert again.decided(Model.CHURN, "b") == told[1]
    again.append([entry(Outcome.RETIRED, "c", "c")])
    assert Ledger.read(path).champion(Model.CHURN) is None


def test_the_same_again_is_not_written_twice(tmp_path: Path) -> None:
    ledger = Ledger.read(tmp_path / FILE).append([entry(Outcome.FIRST, "a")])
    later = {"at": "2026-01-01T00:00:00+00:00"}
    ledger = ledger.append([entry(Outcome.KEPT, "b", "a")])
    ledger = ledger.append([entry(Outcome.KEPT, "b", "a", **later)])
    assert len(ledger.entries) == len(Ledger.read(tmp_path / FILE).entries) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": Outcome.FIRST, "version": "a", "champion": None},
        {"outcome": Outcome.KEPT, "version": "b", "champion": "b", "champion_before": "a"},
        {"outcome": Outcome.REPLACED, "version": "b", "champion": "b"},
        {"outcome": Outcome.FIRST, "version": "b", "champion": "b", "champion_before": "a"},
        {"outcome": Outcome.FIRST, "version": "b", "champion": "b", "verdict": "not_evaluated"},
        {"outcome": Outcome.FIRST, "version": "b", "champion": "b", "calibration": None},
    ],
)
def test_an_entry_that_contradicts_itself_is_none(wrong: dict[str, Any]) -> None:
    good = entry(Outcome.FIRST, "a").model_dump()
    with pytest.raises(ValidationError):
        Entry.model_validate({**good, "champion_before": None, **wrong})


def test_a_ledger_that_does_not_hold_together_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / FILE
    Ledger.read(path).append([entry(Outcome.FIRST, "a"), entry(Outcome.KEPT, "b", "a")])
    with pytest.raises(LedgerError, match="new entry: says that churn:None was champion"):
        Ledger.read(path).append([entry(Outcome.FIRST, "c")])
    lines = path.read_text().splitlines()
    path.write_text(lines[1] + "\n")
    with pytest.raises(LedgerError, match=r"line 1: says that churn:a was champion, .* None"):
        Ledger.read(path)
    path.write_text(f"{lines[0]}\n{lines[1][:40]}\n")
    with pytest.raises(LedgerError, match="line 2: no entry of a release"):
        Ledger.read(path)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(Outcome),
        st.sampled_from("abc"),
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from(SCORING_MODELS),
        st.sampled_from(Verdict),
    ),
    max_size=12,
)


@settings(deadline=None)
@given(steps=STEPS)
def test_there_are_never_two_champions_and_none_without_a_pass(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Any]
) -> None:
    ledger = Ledger.read(tmp_path_factory.mktemp("ledger") / FILE)
    for outcome, version, before, model, verdict in steps:
        try:
            new = entry(outcome, version, before, model=model, verdict=verdict)
            ledger = ledger.append([new])
        except (ValidationError, LedgerError):
            continue
    assert Ledger.read(ledger.path) == ledger
    for model in SCORING_MODELS:
        crowned: set[str] = set()  # counted by hand, from outcomes alone
        for one in ledger.entries:
            if one.model is not model:
                continue
            if one.outcome is Outcome.REPLACED:
                assert one.champion_before in crowned
            if one.outcome in (Outcome.REPLACED, Outcome.RETIRED):
                crowned.discard(str(one.champion_before))
            if one.outcome in (Outcome.FIRST, Outcome.REPLACED):
                assert one.verdict is Verdict.PASS
                crowned.add(one.version)
            assert len(crowned) <= 1
        assert crowned == {ledger.champion(model)} - {None}


def test_a_line_that_was_cut_short_of_its_end_is_not_run_into(tmp_path: Path) -> None:
    ledger = Ledger.read(tmp_path / FILE).append([entry(Outcome.FIRST, "a")])
    ledger.path.write_bytes(ledger.path.read_bytes().rstrip(b"\n"))
    ledger.append([entry(Outcome.KEPT, "b", "a")])
    assert [one.version for one in Ledger.read(ledger.path).entries] == ["a", "b"]


def test_only_a_line_feed_ends_an_entry(tmp_path: Path) -> None:
    path = tmp_path / FILE
    odd = Words(en="one\u2028two\x85three\r\n", zh="一\u2029二")
    told = entry(Outcome.FIRST, "a").model_copy(update={"reason": odd})
    Ledger.read(path).append([told])
    assert Ledger.read(path).entries == (told,)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(LedgerError, match=r"line 2: no entry of a release"):
        Ledger.read(path)


def test_what_is_no_text_is_no_ledger(tmp_path: Path) -> None:
    path = tmp_path / FILE
    Ledger.read(path).append([entry(Outcome.FIRST, "a")])
    path.write_bytes(path.read_bytes() + b"\xff\n")
    with pytest.raises(LedgerError, match=r"releases\.jsonl: byte [\d,]+ is no UTF-8 text"):
        Ledger.read(path)
