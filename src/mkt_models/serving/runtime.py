"""What a running service holds: scorers, strategies, customers, and the live store.

An answer is kept in the live store before it is given; what comes back (contacts, outcomes,
consents, erasures) goes there too, by :mod:`mkt_models.serving.reports`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import bentoml
from sqlalchemy.exc import SQLAlchemyError

from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.decisions.answer import Decision
from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.decisions.decide import decide
from mkt_models.decisions.log import record_of
from mkt_models.decisions.question import Context, Policy, find_customer
from mkt_models.models.registry import RegistryError, absence, load_files, name_of, refusal
from mkt_models.models.scorer import Scorer
from mkt_models.models.snapshot import check_snapshot
from mkt_models.params import Params
from mkt_models.serving.answers import profile_answer, score_answer
from mkt_models.serving.bodies import ProfileRequest, ScoreRequest, StrategiesRequest
from mkt_models.serving.guard import log_failure
from mkt_models.serving.wire import Fault
from mkt_models.store.ledger import BudgetSpent
from mkt_models.store.live import LiveStore
from mkt_models.store.publishing import Superseded
from mkt_models.store.purses import PeriodNotOpen
from mkt_models.store.snapshot import Store
from mkt_models.store.values import StoreError

_ATTEMPTS = 5  # to decide by what is published, while others publish


@dataclass(frozen=True)
class Runtime:
    """Everything an answer needs, loaded once and shared by the threads of a worker.

    ``snapshot`` holds the customers as the run described them; ``live`` is the store of what is
    said, decided and sent meanwhile; it adds to what the snapshot knows. Where a newer snapshot has
    been published there, its profiles are served. ``scorers`` are those of released models; of the
    others ``refused`` says why they are not.
    """

    params: Params
    policy: Policy
    scorers: Mapping[Model, Scorer]
    snapshot: Store
    live: LiveStore
    refused: Mapping[Model, str] = field(default_factory=dict)
    published: dict[str, Policy] = field(default_factory=dict, repr=False)

    @classmethod
    def load(
        cls,
        models: Mapping[Model, bentoml.Model],
        snapshot: bentoml.Model,
        live_store: str | Path,
    ) -> Self:
        """Load the models and the snapshot of a bento.

        Parameters
        ----------
        models
            The stored scorers by name; one that the run does not have is stored as absent.
        snapshot
            What :func:`mkt_models.models.snapshot.save_snapshot` stored.
        live_store
            Database address of the live store, or the path of its SQLite file.

        Raises
        ------
        mkt_models.models.registry.RegistryError
            When a file of a model or of the snapshot is not the one that was saved.
        StoreError
            When the live store cannot be used.

        """
        check_snapshot(snapshot)
        for name, model in models.items():
            if model.tag.name != name_of(name):
                raise RegistryError(
                    f"{name_of(name)}: its folder holds {model.tag}: build the bento again "
                    "(notebook 10_package)"
                )
        refused = {name: why for name, model in models.items() if (why := refusal(model))}
        store = Store.open(snapshot.path_of("snapshot.sqlite"))
        text = Path(snapshot.path_of("params.json")).read_text(encoding="utf-8")
        params = Params.model_validate_json(text)
        catalogue = load_catalogue(snapshot.path_of("catalogue.yaml"))
        meta, live = store.meta(), LiveStore.open(live_store)
        now = datetime.now(UTC)
        live.serve_models(meta, now)
        runtime = cls(
            params=params,
            policy=Policy.of(params, catalogue, meta),
            scorers={
                name: load_files(model)
                for name, model in models.items()
                if name not in refused and not absence(model)
            },
            snapshot=store,
            live=live,
            refused=refused,
        )
        runtime.set_amounts(now)
        return runtime

    def set_amounts(self, now: datetime) -> None:
        """Let the amounts of what is served hold in the periods that are not over.

        So those of the bento's own parameters, which no publication sets, hold from the start of
        the service on.

        Raises
        ------
        StoreError
            When a budget is of another resource than is counted under its name.

        """
        for _ in range(_ATTEMPTS):
            policy = self.served_policy()
            rows = [one.as_row() for one in policy.allowances]
            with suppress(Superseded):
                return self.live.set_amounts(rows, policy.shop_day(now), policy.snapshot_id)
        raise StoreError("snapshots are being published one after another; start again later")

    def close(self) -> None:
        """Let go of the databases."""
        self.snapshot.close()
        self.live.close()

    def ready(self) -> bool:
        """Whether the stores answer."""
        try:
            self.snapshot.meta()
            self.live.ping()
        except (SQLAlchemyError, StoreError, OSError, json.JSONDecodeError):
            return False
        return True

    def strategies(self, request: StrategiesRequest) -> dict[str, Any]:
        """Decide for one customer, keep the decision, then answer.

        Raises
        ------
        Fault
            With status 404 when the customer is unknown, and 503 when a store does not answer:
            without the consents and contacts in it, nothing may be decided. And when snapshots are
            published faster than can be decided by them.

        """
        clock = datetime.now(UTC)
        context = request.context.at(request.context.now or clock)
        k = self.params.decisions.k if request.k is None else request.k
        with store_answers():
            for _ in range(_ATTEMPTS):
                # A policy that is no longer served when the turn comes is not decided by.
                with suppress(Superseded):
                    asked = (request.customer_id, context, self.served_policy(), k, clock)
                    return self._decided(*asked).as_dict()
        message = "newer profiles are being published; ask again later"
        raise Fault(503, "store_unavailable", message)

    def _decided(
        self, name: str, context: Context, policy: Policy, k: int, clock: datetime
    ) -> Decision:
        asked = (name, context, policy, k, clock)
        try:
            return self._kept(*asked)
        except PeriodNotOpen:
            day, limits = policy.shop_day(context.now), policy.limits(context.now)
            self.live.open_periods(limits, day, policy.snapshot_id)
        except BudgetSpent:  # by others, since it was read: read it and keep it
            pass
        return self._kept(*asked, locked=True)

    def _kept(
        self,
        name: str,
        context: Context,
        policy: Policy,
        k: int,
        clock: datetime,
        locked: bool = False,
    ) -> Decision:
        """Decide for one customer and keep the decision, while nobody decides for them.

        ``locked`` keeps others from taking of the budgets meanwhile. Asked again while what it
        planned is being sent, the last answer stands if nothing else has changed: what is sent for
        a question is not held against it. If something has, it may have been sent, and counts.
        """
        decision_id = policy.decision_id(name, context, k)
        day, limits = policy.shop_day(context.now), policy.limits(context.now)
        with self.live.turn(name, clock, policy.snapshot_id) as turn:
            document = self._document(policy, name)
            for begun in (False, True) if turn.is_sending(decision_id) else (True,):
                customer = find_customer(
                    self.snapshot, name, context.now, turn, decision_id, document, begun
                )
                if customer is None:
                    raise unknown_customer()
                purses = turn.purses(limits, day, decision_id, locked, begun=begun)
                decision = decide(customer, context, policy, k, purses)
                record = record_of(decision, customer, context, policy, purses)
                if begun or turn.stands(record):
                    break
            turn.keep(record)
        return decision

    def profile(self, request: ProfileRequest) -> dict[str, Any]:
        """Describe one customer; a Fault 404 when the customer is unknown.

        Scores are those of released models; of the others it is said why there are none.
        """
        name = request.customer_id
        with store_answers():
            policy = self.served_policy()
            erased = self.live.is_erased(name)
            document = None if erased else self._document(policy, name)
        if document is None:
            raise unknown_customer()
        verdicts = {model.value: policy.verdict(model).value for model in Model}
        return {**profile_answer(document, self.refused), "verdicts": verdicts}

    def served_policy(self) -> Policy:
        """What holds for decisions now: for the profiles that were published last."""
        served = self.live.served_id()
        if served is None or served == self.policy.snapshot_id:
            return self.policy
        policy = self.published.get(served)
        if policy is None:
            meta = self.live.served()
            if meta is None:
                return self.policy
            policy = Policy.of(self.params, self.policy.catalogue, meta)
            self.published.clear()
            self.published[meta.snapshot_id] = policy
        return policy

    def _document(self, policy: Policy, customer_id: str) -> dict[str, Any] | None:
        """The customer's document of the policy's snapshot, else of the one of the bento."""
        newer = None
        if policy is not self.policy:
            newer = self.live.profile(policy.snapshot_id, customer_id)
        return newer or self.snapshot.customer(customer_id)

    def score(self, request: ScoreRequest) -> dict[str, Any]:
        """Score given features; a Fault 422 when they are not those of the models.

        A Fault 409 when the one model that is asked is not released.
        """
        verdicts = {model.value: self.policy.verdict(model).value for model in SCORING_MODELS}
        return score_answer(request, self.scorers, verdicts, self.params, self.refused)


@contextmanager
def store_answers() -> Iterator[None]:
    """Turn a database's error into a Fault 503, and log it without what was asked."""
    try:
        yield
    except SQLAlchemyError as error:
        log_failure("the live store", error)
        message = "the store of consents and contacts does not answer; ask again later"
        raise Fault(503, "store_unavailable", message) from None


def unknown_customer() -> Fault:
    """The fault of a customer who is in no snapshot, or was erased."""
    message = "no such customer in the snapshot that is served"
    return Fault(404, "unknown_customer", message, "customer_id")
