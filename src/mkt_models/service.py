"""The HTTP service: validate, ask, answer.

``POST /v1/strategies``, ``/v1/profile`` and ``/v1/score`` ask; ``/v1/exposures``, ``/v1/outcomes``
and ``/v1/consents`` report; ``GET /`` lists them all. What comes in is checked by
:mod:`mkt_models.serving.guard` before anything here sees it, what is decided comes from
:mod:`mkt_models.decisions`, the same code that decides for a whole table. Models, catalogue and
customers are those that the bento was built with, until a newer snapshot is published.
"""

# mypy: disallow-untyped-decorators=False, disallow-subclassing-any=False, warn-return-any=False
# (BentoML's decorators are not followed by the type checker)
import os
from collections.abc import Callable
from typing import Any

import bentoml
from _bentoml_sdk import Service

from mkt_models import __version__
from mkt_models.columns import SCORING_MODELS, Model
from mkt_models.models.registry import RegistryError, name_of, refusal
from mkt_models.models.snapshot import SNAPSHOT, check_snapshot
from mkt_models.serving.access import Access, refuse_open_command, refuse_open_socket
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
from mkt_models.serving.guard import (
    INTERNAL,
    Guard,
    Route,
    error_response,
    json_response,
    log_failure,
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
from mkt_models.serving.settings import live_store_address, worker_count
from mkt_models.serving.wire import Fault

NAME = "mkt_models"
_Answer = dict[str, Any]  # as the OpenAPI description shows it; in fact a ready response
ROUTES = {
    "/": Route(),
    "/livez": Route(open=True),
    "/readyz": Route(open=True),
    "/healthz": Route(),
    "/metrics": Route(),
    "/docs.json": Route(),
    "/v1/strategies": Route(("POST",), StrategiesRequest),
    "/v1/profile": Route(("POST",), ProfileRequest),
    "/v1/score": Route(("POST",), ScoreRequest),
    "/v1/exposures": Route(("POST",), ExposureReport),
    "/v1/outcomes": Route(("POST",), OutcomeReport),
    "/v1/consents": Route(("POST",), ConsentReport),
    "/v1/explain": Route(("POST",), ExplainRequest),
    "/v1/explain/": Route(("GET",), ExplainRequest, answered_by="/v1/explain"),
    "/v1/budgets": Route(("GET", "POST"), BudgetsRequest, answered_by="/v1/budgets"),
    "/v1/forget": Route(("POST",), ForgetRequest),
    "/v1/customers/": Route(("DELETE",), ForgetRequest, answered_by="/v1/forget"),
}
INDEX = {
    "service": NAME,
    "version": __version__,
    "endpoints": {
        "POST /v1/strategies": "ranked strategies for a customer: customer_id, context?, k?",
        "POST /v1/profile": "a customer's profile in eight dimensions, and scores: customer_id",
        "POST /v1/score": "released models on given features, with reasons: features, model?",
        "POST /v1/exposures": "what became of a contact: decision_id, strategy, channel, status",
        "POST /v1/outcomes": "what a customer did: key, kind, decision_id, amount?, occurred_at",
        "POST /v1/consents": "what a customer said: customer_id, purpose, channel, status",
        "GET /v1/explain/{decision_id}": "how a decision came about, and what followed",
        "GET /v1/budgets": "what is planned, reserved, sent, given back and left, per period: ?on=",
        "POST /v1/budgets": "the same, with the day in the body: on?",
        "DELETE /v1/customers/{customer_id}": "erase a customer from the live store",
        "POST /v1/explain, POST /v1/forget": "the same, with the id in the body, whatever is in it",
        "GET /livez": "whether the process lives",
        "GET /readyz": "whether models and customers are loaded",
        "GET /metrics": "counts and times, for Prometheus",
        "GET /docs.json": "OpenAPI description of the endpoints",
    },
}


class GuardedService(Service[Any]):
    """A BentoML service whose application stands behind the guard, and starts only where it may."""

    def to_asgi(self, is_main: bool = True) -> Any:
        """Give the application that a worker runs."""
        access = Access.from_environment()
        refuse_open_socket(access)
        return Guard(super().to_asgi(is_main), ROUTES, access, INDEX)


@bentoml.service(
    name=NAME,
    service_class=GuardedService,
    workers=worker_count(os.environ),
    threads=2,
    traffic={"timeout": 30},
    http={"host": "127.0.0.1", "cors": {"enabled": False}},
    logging={"access": {"enabled": False}},  # the guard logs, and names nobody
)
class MktModels:
    """Strategies, profiles and scores of customers."""

    churn = bentoml.models.BentoModel(f"{name_of(Model.CHURN)}:latest")
    value = bentoml.models.BentoModel(f"{name_of(Model.VALUE)}:latest")
    propensity = bentoml.models.BentoModel(f"{name_of(Model.PROPENSITY)}:latest")
    snapshot = bentoml.models.BentoModel(f"{SNAPSHOT}:latest")

    def __init__(self) -> None:
        """Load everything; the service is ready when this returns."""
        self._runtime = Runtime.load(
            {model: frozen(name_of(model)) for model in SCORING_MODELS},
            frozen(SNAPSHOT),
            live_store=live_store_address(os.environ),
        )

    @bentoml.on_deployment  # makes it a static method; another @staticmethod would hide the hook
    def refuse_strangers() -> None:
        """Keep a keyless service from being started beyond loopback."""
        refuse_open_command(Access.from_environment())

    @bentoml.on_deployment
    def refuse_changed_files() -> None:
        """Keep a service from being started with a file that is not the one that was saved."""
        try:
            check_snapshot(frozen(SNAPSHOT))
            for model in SCORING_MODELS:
                refusal(frozen(name_of(model)))
        except RegistryError as error:
            raise SystemExit(f"mkt_models does not start: {error}") from None

    def __is_ready__(self) -> bool:
        """Whether models are loaded and the store answers."""
        return self._runtime.ready()

    @bentoml.api(route="/v1/strategies")
    def strategies(self, request: StrategiesRequest, /) -> _Answer:
        """Rank the strategies for a customer, with reasons, and say what was suppressed."""
        return _answer("strategies", lambda: self._runtime.strategies(request))

    @bentoml.api(route="/v1/profile")
    def profile(self, request: ProfileRequest, /) -> _Answer:
        """Describe a customer in eight dimensions, with the scores of released models."""
        return _answer("profile", lambda: self._runtime.profile(request))

    @bentoml.api(route="/v1/score")
    def score(self, request: ScoreRequest, /) -> _Answer:
        """Score given features with released models, with reasons; 409 for one that is not."""
        return _answer("score", lambda: self._runtime.score(request))

    @bentoml.api(route="/v1/exposures")
    def exposures(self, request: ExposureReport, /) -> _Answer:
        """Record how far a contact has come; 409 when it may not be sent."""
        return _answer("exposures", lambda: take_exposure(self._runtime, request))

    @bentoml.api(route="/v1/outcomes")
    def outcomes(self, request: OutcomeReport, /) -> _Answer:
        """Record what a customer did."""
        return _answer("outcomes", lambda: take_outcome(self._runtime, request))

    @bentoml.api(route="/v1/consents")
    def consents(self, request: ConsentReport, /) -> _Answer:
        """Record what a customer said about a purpose and a channel."""
        return _answer("consents", lambda: take_consent(self._runtime, request))

    @bentoml.api(route="/v1/explain")
    def explain(self, request: ExplainRequest, /) -> _Answer:
        """Show everything on record about a decision; also GET /v1/explain/{decision_id}."""
        return _answer("explain", lambda: explain(self._runtime, request))

    @bentoml.api(route="/v1/budgets")
    def budgets(self, request: BudgetsRequest, /) -> _Answer:
        """Show what is taken of each budget per period; also GET /v1/budgets?on=2018-01-06."""
        return _answer("budgets", lambda: budgets(self._runtime, request))

    @bentoml.api(route="/v1/forget")
    def forget(self, request: ForgetRequest, /) -> _Answer:
        """Erase a customer from the live store; also DELETE /v1/customers/{customer_id}."""
        return _answer("forget", lambda: forget(self._runtime, request))


def frozen(name: str) -> bentoml.Model:
    """The model that the bento was built with; outside a bento, the latest of the store.

    BentoML looks ``:latest`` up in the store even when it serves a bento. Another training run
    would thus change what an old bento answers; so the version is taken from the bento itself.
    """
    service: Any = MktModels
    bento = service.bento
    built = {} if bento is None else {m.tag.name: m.tag for m in bento.info.all_models}
    return bentoml.models.BentoModel(built.get(name, f"{name}:latest")).resolve()


def _answer(where: str, ask: Callable[[], dict[str, Any]]) -> Any:
    # A ready response: BentoML would otherwise build the schema of the answer at every request.
    try:
        return json_response(ask())
    except Fault as fault:
        return error_response(fault)
    except Exception as error:
        log_failure(where, error)
        return error_response(INTERNAL)
