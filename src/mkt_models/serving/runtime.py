"""What a running service holds: scorers, strategies, customers and contact history."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import bentoml
from sqlalchemy.exc import SQLAlchemyError

from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.decisions.catalogue import load_catalogue
from mkt_models.decisions.decide import decide
from mkt_models.decisions.question import Context, Policy, find_customer
from mkt_models.models.registry import RegistryError, absence, load_files, name_of, refusal
from mkt_models.models.scorer import Scorer
from mkt_models.models.snapshot import check_snapshot
from mkt_models.params import Params
from mkt_models.serving.answers import profile_answer, score_answer
from mkt_models.serving.guard import log_failure
from mkt_models.serving.wire import Fault, ProfileRequest, ScoreRequest, StrategiesRequest
from mkt_models.store import Store, StoreError


@dataclass(frozen=True)
class Runtime:
    """Everything an answer needs, loaded once and shared by the threads of a worker.

    ``snapshot`` holds the customers as the run described them; ``live`` is the store of consents
    and contacts that are recorded meanwhile, if one is named; it adds to those of the snapshot.
    ``scorers`` are those of released models; of the others ``refused`` says why they are not.
    """

    params: Params
    policy: Policy
    scorers: Mapping[Model, Scorer]
    snapshot: Store
    live: Store | None = None
    refused: Mapping[Model, str] = field(default_factory=dict)

    @classmethod
    def load(
        cls,
        models: Mapping[Model, bentoml.Model],
        snapshot: bentoml.Model,
        live_store: str | None = None,
    ) -> Self:
        """Load the models and the snapshot of a bento.

        Parameters
        ----------
        models
            The stored scorers by name; one that the run does not have is stored as absent.
        snapshot
            What :func:`mkt_models.models.snapshot.save_snapshot` stored.
        live_store
            Database address of the live store of consents and contacts, or None.

        Raises
        ------
        mkt_models.models.registry.RegistryError
            When a file of a model or of the snapshot is not the one that was saved.

        """
        check_snapshot(snapshot)
        for name, model in models.items():
            if model.tag.name != name_of(name):
                raise RegistryError(
                    f"{name_of(name)}: its folder holds {model.tag}: build the bento again "
                    "(notebook 10_package)"
                )
        refused = {name: why for name, model in models.items() if (why := refusal(model))}
        store = Store.open(snapshot.path_of("snapshot.sqlite"), read_only=True)
        text = Path(snapshot.path_of("params.json")).read_text(encoding="utf-8")
        params = Params.model_validate_json(text)
        catalogue = load_catalogue(snapshot.path_of("catalogue.yaml"))
        return cls(
            params=params,
            policy=Policy.of(params, catalogue, store.meta()),
            scorers={
                name: load_files(model)
                for name, model in models.items()
                if name not in refused and not absence(model)
            },
            snapshot=store,
            live=Store.open(live_store) if live_store else None,
            refused=refused,
        )

    def ready(self) -> bool:
        """Whether the stores answer."""
        try:
            self.snapshot.meta()
            if self.live is not None:
                self.live.consents("")
        except (SQLAlchemyError, StoreError, OSError, json.JSONDecodeError):
            return False
        return True

    def strategies(self, request: StrategiesRequest) -> dict[str, Any]:
        """Decide for one customer.

        Raises
        ------
        Fault
            With status 404 when the customer is unknown, and 503 when a store does not answer:
            without the consents and contacts in it, nothing may be decided.

        """
        asked = request.context
        now = asked.now or datetime.now(UTC)
        try:
            customer = find_customer(self.snapshot, request.customer_id, now, self.live)
        except SQLAlchemyError as error:
            log_failure("the store of consents and contacts", error)
            raise _unavailable() from None
        if customer is None:
            raise _unknown()
        context = Context(now=now, channel=asked.channel, locale=asked.locale)
        k = self.params.decisions.k if request.k is None else request.k
        return decide(customer, context, self.policy, k).as_dict()

    def profile(self, request: ProfileRequest) -> dict[str, Any]:
        """Describe one customer; a Fault 404 when the customer is unknown.

        Scores are those of released models; of the others it is said why there are none.
        """
        document = self.snapshot.customer(request.customer_id)
        if document is None:
            raise _unknown()
        verdicts = {model.value: self.policy.verdict(model).value for model in Model}
        return {**profile_answer(document, self.refused), "verdicts": verdicts}

    def score(self, request: ScoreRequest) -> dict[str, Any]:
        """Score given features; a Fault 422 when they are not those of the models.

        A Fault 409 when the one model that is asked is not released.
        """
        verdicts = {model.value: self.policy.verdict(model).value for model in SCORING_MODELS}
        return score_answer(request, self.scorers, verdicts, self.params, self.refused)


def _unavailable() -> Fault:
    message = "the store of consents and contacts does not answer; ask again later"
    return Fault(503, "store_unavailable", message)


def _unknown() -> Fault:
    message = "no such customer in the snapshot that this service was built with"
    return Fault(404, "unknown_customer", message, "customer_id")
