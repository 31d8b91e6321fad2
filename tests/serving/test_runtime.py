"""What a service holds: questions answered in this process, without HTTP."""

import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from toy_models import toy, toy_facts
from toy_snapshot import AS_OF, CUSTOMERS

from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.decisions.question import Policy
from mkt_models.models import registry
from mkt_models.serving.bodies import (
    BudgetsRequest,
    ConsentReport,
    ExplainRequest,
    ExposureReport,
    ForgetRequest,
    OutcomeReport,
    ProfileRequest,
    ScoreRequest,
    StrategiesRequest,
)
from mkt_models.serving.reports import (
    budgets,
    explain,
    forget,
    take_consent,
    take_exposure,
    take_outcome,
)
from mkt_models.serving.runtime import Runtime
from mkt_models.serving.wire import Fault
from mkt_models.store import live_tables as tables
from mkt_models.store.records import Consent, Exposure, Purse, SnapshotMeta
from mkt_models.store.snapshot import Store
from mkt_models.store.turn import Turn

NOW = datetime(2018, 1, 6, 17, tzinfo=UTC)


def load(home: Path, live: Path) -> Runtime:
    # By the names that the snapshot keeps: another test may have saved a later model.
    with Store.open(home / "snapshot.sqlite") as store:
        tags = store.meta().models
    models = {model: registry.find(f"mkt-{tags[model.value]}", home) for model in SCORING_MODELS}
    snapshot = registry.find("mkt-snapshot:latest", home)
    return Runtime.load(models, snapshot, f"sqlite:///{live}")


@pytest.fixture
def runtime(toy_home: Path, tmp_path: Path) -> Iterator[Runtime]:
    """With a live store in which nothing has been recorded yet."""
    found = load(toy_home, tmp_path / "live.sqlite")
    yield found
    found.close()


def question(customer_id: str, **parts: object) -> StrategiesRequest:
    body = {"customer_id": customer_id, "context": {"now": NOW.isoformat()}, **parts}
    return StrategiesRequest.model_validate_json(json.dumps(body))


def test_it_loads_what_the_bento_was_built_with(runtime: Runtime) -> None:
    assert set(runtime.scorers) == set(SCORING_MODELS)
    assert runtime.policy.snapshot_id
    assert runtime.policy.models["churn"] == runtime.scorers[Model.CHURN].tag
    assert runtime.params.run == "sample"
    assert runtime.ready()


def test_the_parameters_say_how_many_strategies_unless_asked(runtime: Runtime) -> None:
    assert runtime.strategies(question(CUSTOMERS[0]))["k"] == runtime.params.decisions.k
    one = runtime.strategies(question(CUSTOMERS[0], k=1))
    assert (one["k"], len(one["strategies"])) == (1, 1)


def test_a_profile_tells_the_verdict_on_every_model(runtime: Runtime) -> None:
    answer = runtime.profile(ProfileRequest(customer_id=CUSTOMERS[2]))
    assert answer["as_of"] == AS_OF
    assert answer["verdicts"] == {model.value: "pass" for model in Model}


def test_scores_name_the_verdict_of_the_audit(runtime: Runtime) -> None:
    scores = runtime.score(ScoreRequest(features={"orders_90d": 9}))["scores"]
    assert {told["verdict"] for told in scores.values()} == {"pass"}


def test_an_unknown_customer_is_a_fault(runtime: Runtime) -> None:
    for ask in (
        lambda: runtime.strategies(question("nobody")),
        lambda: runtime.profile(ProfileRequest(customer_id="nobody")),
    ):
        with pytest.raises(Fault) as caught:
            ask()
        assert (caught.value.status, caught.value.field) == (404, "customer_id")
        assert "nobody" not in caught.value.message


def codes(found: Runtime) -> dict[str, str]:
    answer = found.strategies(question(CUSTOMERS[0], k=20))
    return {one["candidate"]: one["code"] for one in answer["suppressed"]}


def test_a_live_store_adds_to_what_the_snapshot_knows(runtime: Runtime) -> None:
    before = codes(runtime)
    assert "min_gap" not in before.values()
    assert codes(runtime) == before  # the question is the same, and counts once
    with runtime.live.turn(CUSTOMERS[0], NOW) as turn:
        turn.contacted(Exposure(CUSTOMERS[0], "mail", NOW), "c-1")
    assert codes(runtime)["personalised_promotion/mail/o-1"] == "min_gap"
    with runtime.live.turn(CUSTOMERS[0], NOW) as turn:
        turn.say(Consent(CUSTOMERS[0], "marketing", "app", "revoked", date(2018, 1, 5)))
    assert codes(runtime)["membership_tier/app"] == "consent_refused"


def test_an_answer_is_on_record_before_it_is_given(runtime: Runtime) -> None:
    answer = runtime.strategies(question(CUSTOMERS[0]))
    found = explain(runtime, ExplainRequest(decision_id=answer["decision_id"]))
    (revision,) = found["revisions"]
    assert revision["answer"] == json.loads(json.dumps(answer))
    assert revision["customer_id"] == CUSTOMERS[0]
    assert revision["inputs"]["consents"]
    planned = [one["channel"] for one in found["exposures"]]
    assert planned == [one["channel"] for one in answer["strategies"] if one["channel"]]
    assert {one["status"] for one in found["exposures"]} == {"planned"}


def leave_by_mail(runtime: Runtime) -> tuple[dict[str, object], ExposureReport]:
    asked = {"now": NOW.isoformat(), "channel": "mail"}
    answer = runtime.strategies(question(CUSTOMERS[0], context=asked))
    (first,) = answer["strategies"]
    assert first["channel"] == "mail"
    report = {
        "decision_id": answer["decision_id"],
        "strategy": first["strategy"],
        "channel": "mail",
        "status": "sending",
        "key": "job",
        "sent_at": (NOW + timedelta(hours=1)).isoformat(),
    }
    return first, ExposureReport.model_validate_json(json.dumps(report))


def test_leave_to_send_is_judged_once_more_by_what_has_happened_since(runtime: Runtime) -> None:
    _, report = leave_by_mail(runtime)
    assert take_exposure(runtime, report) == {"recorded": True, "within_policy": True}
    with runtime.live.turn(CUSTOMERS[0], NOW) as turn:
        turn.contacted(Exposure(CUSTOMERS[0], "sms", NOW), "by another system")
    with pytest.raises(Fault, match="less than 48 hours from another contact") as caught:
        take_exposure(runtime, report)
    assert (caught.value.status, caught.value.code) == (409, "contact_withdrawn")


def test_an_outcome_that_cannot_have_followed_from_its_decision_is_refused(
    runtime: Runtime,
) -> None:
    answer = runtime.strategies(question(CUSTOMERS[0]))
    strategy = answer["strategies"][0]["strategy"]

    def told(key: str, **parts: object) -> dict[str, object]:
        body = {"key": key, "kind": "click", "decision_id": answer["decision_id"], **parts}
        return take_outcome(runtime, OutcomeReport.model_validate_json(json.dumps(body)))

    at, early = NOW.isoformat(), (NOW - timedelta(hours=1)).isoformat()
    with pytest.raises(Fault, match=f"no such strategy; it has .*{strategy}") as caught:
        told("k1", occurred_at=at, strategy="spying")
    assert (caught.value.status, caught.value.field) == (422, "strategy")
    with pytest.raises(Fault, match="lies before the decision") as caught:
        told("k1", occurred_at=early)
    assert (caught.value.status, caught.value.field) == (422, "occurred_at")
    seconds = (NOW - timedelta(seconds=1)).isoformat()
    assert told("k1", occurred_at=seconds, strategy=strategy) == {"recorded": True}
    assert told("k2", occurred_at=early, decision_id=None, customer_id=CUSTOMERS[0])["recorded"]


def test_a_question_sent_again_recalls_no_leave_in_use(runtime: Runtime) -> None:
    asked = {"now": NOW.isoformat(), "channel": "mail"}
    _, report = leave_by_mail(runtime)
    before = runtime.strategies(question(CUSTOMERS[0], context=asked))
    take_exposure(runtime, report)
    for _ in range(2):
        assert runtime.strategies(question(CUSTOMERS[0], context=asked)) == before
    assert take_exposure(runtime, report) == {"recorded": False, "within_policy": True}
    # Another question is held against it.
    (other,) = runtime.strategies(question(CUSTOMERS[0], k=2, context=asked))["strategies"]
    assert other["channel"] is None
    sent = report.model_copy(update={"status": "sent"})
    assert take_exposure(runtime, sent) == {"recorded": True, "within_policy": True}
    found = explain(runtime, ExplainRequest(decision_id=before["decision_id"]))
    assert len(found["revisions"]) == 1


def test_what_is_being_sent_counts_for_its_question_once_something_has_happened(
    runtime: Runtime,
) -> None:
    asked = {"now": NOW.isoformat(), "channel": "mail"}
    _, report = leave_by_mail(runtime)
    take_exposure(runtime, report)
    with runtime.live.turn(CUSTOMERS[0], NOW) as turn:
        turn.contacted(Exposure(CUSTOMERS[0], "sms", NOW), "by another system")
    for _ in range(2):
        answer = runtime.strategies(question(CUSTOMERS[0], context=asked))
        assert [one["channel"] for one in answer["strategies"]] == [None]
    with pytest.raises(Fault) as caught:
        take_exposure(runtime, report)
    assert caught.value.code == "contact_withdrawn"
    found = explain(runtime, ExplainRequest(decision_id=answer["decision_id"]))
    assert [one["status"] for one in found["exposures"]] == ["recalled"]


@pytest.mark.parametrize("no", [False, True])
@pytest.mark.parametrize("gone", ["channel", "strategy"])
def test_what_the_catalogue_no_longer_has_is_not_sent(
    runtime: Runtime, gone: str, no: bool
) -> None:
    first, report = leave_by_mail(runtime)
    if no:
        refused = Consent(CUSTOMERS[0], "marketing", "mail", "refused", date(2018, 1, 5))
        documents = list(runtime.snapshot.customers())
        runtime.live.publish(runtime.snapshot.meta(), documents, NOW, consents=[refused])
    catalogue = runtime.policy.catalogue
    raw = catalogue.model_dump(mode="json")
    (entry,) = (one for one in raw["strategies"] if one["id"] == first["strategy"])
    if gone == "strategy":
        raw["strategies"].remove(entry)
    else:
        entry["channels"] = [use for use in entry["channels"] if use["channel"] != "mail"]
    policy = replace(runtime.policy, catalogue=type(catalogue).model_validate(raw))
    later = replace(runtime, policy=policy)
    with pytest.raises(Fault, match=r"must not be sent: .* is no longer") as caught:
        take_exposure(later, report)
    assert (caught.value.status, caught.value.code) == (409, "contact_withdrawn")
    with pytest.raises(Fault) as caught:
        take_exposure(later, report.model_copy(update={"strategy": "never_planned"}))
    assert (caught.value.status, caught.value.code) == (404, "unknown_contact")
    sent = report.model_copy(update={"status": "sent"})
    assert take_exposure(later, sent)["recorded"]


def test_a_question_asked_again_has_one_new_answer_per_thing_that_happened(
    runtime: Runtime,
) -> None:
    def ask() -> tuple[dict[str, object], int]:
        answer = runtime.strategies(question(CUSTOMERS[0], k=5))
        found = explain(runtime, ExplainRequest(decision_id=answer["decision_id"]))
        return answer, len(found["revisions"])

    before = ask()
    assert before == ask()
    with runtime.live.turn(CUSTOMERS[0], NOW) as turn:
        turn.contacted(Exposure(CUSTOMERS[0], "app", NOW, "membership_tier"), "c-1")
    answer, revisions = ask()
    assert (before[1], revisions) == (1, 2)
    assert [ask() for _ in range(3)] == [(answer, revisions)] * 3
    shown = [one["strategy"] for one in answer["strategies"] if one["channel"] == "app"]
    assert shown
    report = {"channel": "app", "status": "sending", "key": "job", "sent_at": NOW.isoformat()}
    for strategy in shown:
        body = {**report, "decision_id": answer["decision_id"], "strategy": strategy}
        # What the answer before it had planned, and nobody has sent, leaves room for it.
        told = ExposureReport.model_validate_json(json.dumps(body))
        assert take_exposure(runtime, told)["within_policy"]
    begun = ask()
    assert [ask() for _ in range(3)] == [begun] * 3


def test_two_senders_do_not_both_have_leave(runtime: Runtime) -> None:
    _, report = leave_by_mail(runtime)
    first, second = (report.model_copy(update={"key": key}) for key in ("job-1", "job-2"))
    assert take_exposure(runtime, first) == {"recorded": True, "within_policy": True}
    assert take_exposure(runtime, first) == {"recorded": False, "within_policy": True}
    for other in (second, report.model_copy(update={"key": "job-3"})):
        with pytest.raises(Fault, match="somebody is sending this contact since") as caught:
            take_exposure(runtime, other)
        assert (caught.value.status, caught.value.code) == (409, "already_sending")
    given_back = first.model_copy(update={"status": "not_sent"})
    assert take_exposure(runtime, given_back)["recorded"]
    assert take_exposure(runtime, second) == {"recorded": True, "within_policy": True}
    sent = second.model_copy(update={"status": "sent"})
    assert take_exposure(runtime, sent) == {"recorded": True, "within_policy": True}
    with pytest.raises(Fault, match="on record as sent at") as caught:
        take_exposure(runtime, first)
    assert (caught.value.status, caught.value.code) == (409, "already_sent")


def test_what_was_given_back_is_not_begun_where_others_have_taken_its_place(
    runtime: Runtime,
) -> None:
    _, report = leave_by_mail(runtime)
    take_exposure(runtime, report)
    take_exposure(runtime, report.model_copy(update={"status": "not_sent"}))
    with runtime.live.turn(CUSTOMERS[0], NOW) as turn:
        turn.contacted(Exposure(CUSTOMERS[0], "sms", NOW), "by another system")
    with pytest.raises(Fault, match="less than 48 hours from another contact") as caught:
        take_exposure(runtime, report)
    assert (caught.value.status, caught.value.code) == (409, "contact_withdrawn")


def test_leave_to_send_counts_an_earlier_one_of_the_same_contact_that_was_begun(
    runtime: Runtime,
) -> None:
    _, report = leave_by_mail(runtime)
    take_exposure(runtime, report)
    asked = {"now": NOW.isoformat(), "channel": "mail"}
    body = {"customer_id": CUSTOMERS[0], "purpose": "marketing", "channel": "mail"}
    told = {**body, "status": "granted", "expires_on": "2099-01-01"}
    take_consent(runtime, ConsentReport.model_validate_json(json.dumps(told)))
    again = runtime.strategies(question(CUSTOMERS[0], context=asked))
    assert [one["channel"] for one in again["strategies"]] == [None]
    given_back = report.model_copy(update={"status": "not_sent"})
    assert take_exposure(runtime, given_back)["recorded"]
    again = runtime.strategies(question(CUSTOMERS[0], context=asked))
    assert [one["channel"] for one in again["strategies"]] == ["mail"]


def test_who_refuses_personalisation_is_not_sent_what_was_planned_for_them(
    runtime: Runtime,
) -> None:
    answer = runtime.strategies(question(CUSTOMERS[0], k=20))
    told = [one for one in answer["strategies"] if one["channel"]]
    personal = {one["strategy"] for one in told if one["personalised"] and one["channel"] == "app"}
    assert personal
    said = {"customer_id": CUSTOMERS[0], "purpose": "personalisation", "channel": "app"}
    for status, withdrawn in (("granted", 0), ("refused", len(personal))):
        body = json.dumps({**said, "status": status})
        found = take_consent(runtime, ConsentReport.model_validate_json(body))
        assert found == {"recorded": True, "contacts_withdrawn": withdrawn}
    contacts = explain(runtime, ExplainRequest(decision_id=answer["decision_id"]))["exposures"]
    for one in contacts:
        gone = one["channel"] == "app" and one["strategy"] in personal
        assert one["status"] == ("withdrawn" if gone else "planned")
    body = {"decision_id": answer["decision_id"], "strategy": min(personal), "channel": "app"}
    sent = ExposureReport.model_validate_json(
        json.dumps({**body, "status": "sent", "sent_at": NOW.isoformat()})
    )
    assert take_exposure(runtime, sent) == {"recorded": True, "within_policy": False}


def test_leave_ends_with_the_consent_that_it_rests_on(runtime: Runtime) -> None:
    ends = date(2018, 1, 7)
    with runtime.live.turn(CUSTOMERS[0], NOW) as turn:
        for purpose in ("marketing", "service"):
            yes = Consent(CUSTOMERS[0], purpose, "mail", "granted", date(2018, 1, 2), ends)
            turn.say(yes)
    first, _ = leave_by_mail(runtime)
    assert first["valid_until"] == "2018-01-07T00:00:00-05:00"


def test_who_refuses_personalisation_gets_nothing_personalised(runtime: Runtime) -> None:
    no = {
        "customer_id": CUSTOMERS[0],
        "purpose": "personalisation",
        "channel": "app",
        "status": "refused",
        "changed_at": "2018-01-05T10:00:00Z",
    }
    take_consent(runtime, ConsentReport.model_validate_json(json.dumps(no)))
    asked = {"now": NOW.isoformat(), "channel": "app"}
    answer = runtime.strategies(question(CUSTOMERS[0], context=asked))
    assert [one["personalised"] for one in answer["strategies"]] == [False]
    said = {one["candidate"]: one for one in answer["suppressed"]}["membership_tier/app"]
    assert said["code"] == "consent_refused"
    assert "personalisation" in said["en"]


def test_newer_profiles_are_served_once_they_are_published(runtime: Runtime) -> None:
    document = runtime.snapshot.customer(CUSTOMERS[1])
    assert document is not None
    meta = replace(runtime.snapshot.meta(), as_of="2018-01-03", snapshot_id="newer")
    newer = {**document, "as_of": "2018-01-03"}
    runtime.live.publish(meta, [newer], NOW)
    answer = runtime.strategies(question(CUSTOMERS[1]))
    assert (answer["as_of"], answer["snapshot_id"]) == ("2018-01-03", "newer")
    assert runtime.profile(ProfileRequest(customer_id=CUSTOMERS[1]))["as_of"] == "2018-01-03"


def test_an_erasure_names_tables_that_could_not_be_rid_of_the_rows(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(runtime.live), "take_out", lambda _: ("outcomes",))
    told = forget(runtime, ForgetRequest(customer_id=CUSTOMERS[0]))
    assert told["erased"] is True
    assert told["dead_rows_in"] == ["outcomes"]


def test_a_forgotten_customer_is_unknown(runtime: Runtime) -> None:
    answer = runtime.strategies(question(CUSTOMERS[0]))
    told = forget(runtime, ForgetRequest(customer_id=CUSTOMERS[0]))
    assert told["erased"] is True
    assert told["rows_removed"]["decisions"] == 1
    assert "dead_rows_in" not in told
    for ask in (
        lambda: runtime.strategies(question(CUSTOMERS[0])),
        lambda: runtime.profile(ProfileRequest(customer_id=CUSTOMERS[0])),
        lambda: explain(runtime, ExplainRequest(decision_id=answer["decision_id"])),
    ):
        with pytest.raises(Fault) as caught:
            ask()
        assert caught.value.status == 404
    assert runtime.strategies(question(CUSTOMERS[1]))["strategies"]


def test_without_its_live_store_nothing_is_decided_and_nobody_is_named(
    runtime: Runtime, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    runtime.live.close()
    (tmp_path / "live.sqlite").write_bytes(b"this is not a database" * 500)
    logger = logging.getLogger("bentoml.mkt_models")
    logger.addHandler(caplog.handler)
    try:
        with pytest.raises(Fault) as caught:
            runtime.strategies(question(CUSTOMERS[0]))
    finally:
        logger.removeHandler(caplog.handler)
    assert (caught.value.status, caught.value.code) == (503, "store_unavailable")
    assert "DatabaseError" in caplog.text
    assert "Traceback" not in caplog.text
    for text in (caplog.text, caught.value.message):
        assert CUSTOMERS[0] not in text
        assert "live.sqlite" not in text


def test_it_is_not_ready_without_its_live_store(runtime: Runtime, tmp_path: Path) -> None:
    assert runtime.ready()
    runtime.live.close()
    (tmp_path / "live.sqlite").write_bytes(b"this is not a database" * 500)
    assert not runtime.ready()


def test_a_model_that_the_run_does_not_have_is_not_available(
    toy_home: Path, tmp_path: Path
) -> None:
    with Store.open(toy_home / "snapshot.sqlite") as store:
        tags = store.meta().models
    models = {m: registry.find(f"mkt-{tags[m.value]}", toy_home) for m in SCORING_MODELS}
    absent = registry.save_absence(Model.PROPENSITY, "the source has no campaigns", tmp_path)
    models[Model.PROPENSITY] = registry.find(absent, tmp_path)
    found = Runtime.load(models, registry.find("mkt-snapshot:latest", toy_home), tmp_path / "l")
    assert set(found.scorers) == {Model.CHURN, Model.VALUE}
    asked = ScoreRequest(features={"orders_90d": 9}, model=Model.PROPENSITY)
    assert found.score(asked) == {"scores": {"propensity": {"value": "not available"}}}
    assert found.strategies(question(CUSTOMERS[0]))["strategies"]
    found.close()


def test_a_model_that_is_not_released_gives_no_number(toy_home: Path, tmp_path: Path) -> None:
    with Store.open(toy_home / "snapshot.sqlite") as store:
        tags = store.meta().models
    models = {m: registry.find(f"mkt-{tags[m.value]}", toy_home) for m in SCORING_MODELS}
    statement = registry.save_refusal(Model.CHURN, "its audit fails", tmp_path)
    models[Model.CHURN] = registry.find(statement, tmp_path)
    candidate = registry.save(toy(Model.VALUE), toy_facts(toy(Model.VALUE)), tmp_path)
    models[Model.VALUE] = registry.find(candidate, tmp_path)
    found = Runtime.load(models, registry.find("mkt-snapshot:latest", toy_home), tmp_path / "l")
    assert set(found.scorers) == {Model.PROPENSITY}
    scores = found.score(ScoreRequest(features={"orders_90d": 9}))["scores"]
    assert scores["churn"] == {
        "value": "not available",
        "status": "refused",
        "reason": "its audit fails",
    }
    assert scores["value"]["value"] == "not available"
    assert "has not been judged yet" in scores["value"]["reason"]
    for model in (Model.CHURN, Model.VALUE):
        with pytest.raises(
            Fault, match="this service has no released version of the model: "
        ) as caught:
            found.score(ScoreRequest(features={"orders_90d": 9}, model=model))
        assert (caught.value.status, caught.value.code) == (409, "model_not_released")
        assert caught.value.field == "model"
    told = found.profile(ProfileRequest(customer_id=CUSTOMERS[2]))
    assert not {"churn", "value"} & set(told["scores"])
    assert set(told["not_released"]) == {"churn", "value"}
    found.close()


@pytest.mark.parametrize("file", [*registry.SIGNED, registry.SIGNATURE, registry.STANDING])
def test_nothing_is_loaded_with_a_changed_file(toy_home: Path, tmp_path: Path, file: str) -> None:
    shutil.copytree(toy_home / "models", tmp_path / "models")
    with Store.open(toy_home / "snapshot.sqlite") as store:
        tags = store.meta().models
    models = {m: registry.find(f"mkt-{tags[m.value]}", tmp_path) for m in SCORING_MODELS}
    path = Path(models[Model.VALUE].path_of(file))
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    with pytest.raises(registry.RegistryError, match=f"mkt-value:.*{file} was changed"):
        Runtime.load(models, registry.find("mkt-snapshot:latest", tmp_path), tmp_path / "live")


def test_nothing_is_loaded_with_a_changed_snapshot(toy_home: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_home / "models", tmp_path / "models")
    snapshot = registry.find("mkt-snapshot:latest", tmp_path)
    path = Path(snapshot.path_of("catalogue.yaml"))
    path.write_bytes(path.read_bytes() + b"#")
    with pytest.raises(registry.RegistryError, match=r"mkt-snapshot:.*changed"):
        Runtime.load({}, snapshot, tmp_path / "live")


def test_a_model_is_not_served_under_the_name_of_another(toy_home: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_home / "models", tmp_path / "models")
    with Store.open(toy_home / "snapshot.sqlite") as store:
        tags = store.meta().models
    value = registry.find(f"mkt-{tags['value']}", tmp_path)
    snapshot = registry.find("mkt-snapshot:latest", tmp_path)
    with pytest.raises(registry.RegistryError, match="mkt-churn: its folder holds mkt-value:"):
        Runtime.load({Model.CHURN: value}, snapshot, tmp_path / "live")
    name, _, version = tags["churn"].partition(":")
    shutil.rmtree(tmp_path / "models" / f"mkt-{name}" / version)
    shutil.copytree(value.path, tmp_path / "models" / f"mkt-{name}" / version)
    with pytest.raises(registry.RegistryError, match=r"its folder in .* holds mkt-value:"):
        registry.find(f"mkt-{tags['churn']}", tmp_path)


def test_what_an_answer_takes_of_budgets_is_counted_and_told(runtime: Runtime) -> None:
    def told(**on: str) -> list[tuple[str, float, float]]:
        request = BudgetsRequest.model_validate_json(json.dumps(on))
        periods = budgets(runtime, request)["periods"]
        return [(one["starts_on"], one["used"], one["left"]) for one in periods]

    assert told(on="2018-01-06") == [("2018-01-01", 0, 30)]  # the 30 of params/sample.yaml
    _, report = leave_by_mail(runtime)
    assert told(on="2018-01-06") == [("2018-01-01", 1, 29)]
    assert told()[1:] == [("2018-01-01", 1, 29)]  # before it, this week: untouched
    assert told()[0][1:] == (0, 30)
    assert report.decision_id is not None
    found = explain(runtime, ExplainRequest(decision_id=report.decision_id))
    assert found["exposures"][0]["budget_uses"] == [
        {"budget": "coupons", "period_starts_on": "2018-01-01", "use": 1, "state": "reserved"}
    ]
    take_exposure(runtime, report.model_copy(update={"status": "not_sent"}))
    assert told(on="2018-01-06") == [("2018-01-01", 0, 30)]


def test_what_was_left_of_each_budget_is_told_of_every_decision(runtime: Runtime) -> None:
    row = priced(runtime, "s", 0).shadow_prices[0] | {"amount": 5.0, "used": 3.5, "price": 0.25}
    published = replace(runtime.snapshot.meta(), snapshot_id="s", shadow_prices=(row,))
    runtime.live.publish(published, list(runtime.snapshot.customers()), NOW)
    seen = []
    for name in CUSTOMERS[:2]:
        for _ in range(2):  # the same question tells what was left the first time
            context = {"now": NOW.isoformat(), "channel": "app"}
            answer = runtime.strategies(question(name, k=1, context=context))
        assert answer["strategies"][0]["channel"] == "app"
        found = explain(runtime, ExplainRequest(decision_id=answer["decision_id"]))
        (revision,) = found["revisions"]
        seen.append({one["budget"]: one for one in revision["inputs"]["budgets"]})
    week = {"period_starts_on": "2018-01-01", "period_ends_on": "2018-01-08"}
    app = {"budget": "app", "resource": "contacts", **week, "amount": 5, "planned": 3.5}
    assert seen[0]["app"] == {**app, "used": 0, "left": 5, "price_per_unit": 0.25}
    assert seen[1]["app"] == {**app, "used": 1, "left": 4, "price_per_unit": 0.25}
    coupons = {"budget": "coupons", "resource": "coupons", **week, "amount": 30, "planned": None}
    assert seen[1]["coupons"] == {**coupons, "used": 1, "left": 29, "price_per_unit": None}


def test_others_that_took_the_last_make_it_decide_again(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last coupon is taken between reading what is left and taking of it."""
    leave_by_mail(runtime)  # opens the period
    with runtime.live._engine.begin() as connection:
        table = tables.budget_periods
        connection.execute(table.update().values(used_millionths=table.c.amount_millionths))
    read, asked = Turn.purses, []

    def purses(turn: Turn, *parts: object, **more: bool) -> tuple[Purse, ...]:
        found = read(turn, *parts, **more)  # type: ignore[arg-type]
        asked.append(parts[-1])
        return found if parts[-1] else tuple(replace(one, used=0) for one in found)

    monkeypatch.setattr(Turn, "purses", purses)
    answer = runtime.strategies(question(CUSTOMERS[1], k=20))
    assert asked == [False, True]  # the second time, nobody else can take of them
    assert "budget_spent" in {one["code"] for one in answer["suppressed"]}
    assert not any(one["content"].get("offer") for one in answer["strategies"])


def priced(runtime: Runtime, name: str, amount: float) -> SnapshotMeta:
    row = {"budget": "app", "resource": "contacts", "amount": amount, "channels": ["app"]}
    row |= {"strategies": [], "offers": [], "price": 0.0, "used": 1.0, "period_days": 7}
    return replace(runtime.snapshot.meta(), snapshot_id=name, shadow_prices=(row,))


def amounts(runtime: Runtime) -> dict[str, float]:
    return {one["budget"]: one["amount"] for one in runtime.live.budgets()}


def test_a_question_that_waited_for_a_publication_is_decided_by_it(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = list(runtime.snapshot.customers())
    runtime.live.publish(priced(runtime, "big", 50), documents, NOW)
    first = runtime.strategies(question(CUSTOMERS[0], k=1))
    assert (first["snapshot_id"], first["strategies"][0]["channel"]) == ("big", "app")
    assert amounts(runtime)["app"] == 50
    read, times = Runtime.served_policy, []

    def then_published(self: Runtime) -> Policy:
        """The policy is read, and before its turn comes another one is published."""
        policy = read(self)
        if not times:
            runtime.live.publish(priced(runtime, "small", 1), documents, NOW)
        times.append(policy.snapshot_id)
        return policy

    monkeypatch.setattr(Runtime, "served_policy", then_published)
    second = runtime.strategies(question(CUSTOMERS[1], k=20))
    assert times == ["big", "small"]
    assert second["snapshot_id"] == "small"
    assert "budget_spent" in {one["code"] for one in second["suppressed"]}
    assert amounts(runtime)["app"] == 1


def test_who_publishes_without_end_is_said(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime.live.publish(priced(runtime, "other", 1), [], NOW)
    monkeypatch.setattr(Runtime, "served_policy", lambda self: self.policy)
    with pytest.raises(Fault, match="newer profiles are being published") as caught:
        runtime.strategies(question(CUSTOMERS[0]))
    assert caught.value.status == 503


def test_amounts_of_the_parameters_hold_from_the_start_of_the_service(
    toy_home: Path, tmp_path: Path
) -> None:
    first = load(toy_home, tmp_path / "live.sqlite")
    today = first.policy.shop_day(datetime.now(UTC))
    for day in (today, date(2018, 1, 6)):
        old = [replace(one.on(day), amount=5_000_000) for one in first.policy.allowances]
        first.live.open_periods(old, day)
    first.close()
    again = load(toy_home, tmp_path / "live.sqlite")
    assert [one["amount"] for one in again.live.budgets()] == [30, 5]  # one is over
    # What is published holds, and beside it what only the parameters name.
    again.live.open_periods([replace(old[0], budget="app", resource="contacts")], date(2018, 1, 6))
    again.live.publish(priced(again, "other", 7), [], NOW)
    assert amounts(again) == {"coupons": 5, "app": 7}
    again.close()


def test_a_contact_in_the_snapshot_and_in_a_publication_counts_once_for_leave_too(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = Exposure(CUSTOMERS[0], "mail", NOW - timedelta(days=10), campaign_id="22")
    known = Store.exposures
    monkeypatch.setattr(
        Store,
        "exposures",
        lambda self, name, since: (
            known(self, name, since) + ((old,) if name == CUSTOMERS[0] else ())
        ),
    )
    documents = list(runtime.snapshot.customers())
    runtime.live.publish(runtime.snapshot.meta(), documents, NOW, exposures=[old])
    _, report = leave_by_mail(runtime)
    assert take_exposure(runtime, report)["recorded"]
