"""Services beyond the usual: for whom something went wrong, and for customers of high value."""

from collections.abc import Iterator, Mapping
from typing import Any

from mkt_models.columns import Channel
from mkt_models.decisions.catalogue import StrategyEntry
from mkt_models.decisions.content import Case, Content, Found, not_available, nothing
from mkt_models.decisions.eligibility import Rule, ineligible, missing
from mkt_models.decisions.naming import distinct
from mkt_models.decisions.programmes import ServiceLevel
from mkt_models.profiles.described import PROFILE_COLUMNS, VALUES


def make_services(entry: StrategyEntry, channel: Channel, case: Case) -> Iterator[Found]:
    """The services of the strategy that are given for something in the customer's profile.

    When the profile has none of the columns that they rest on, they are not available: without
    tickets nobody knows that nothing went wrong.
    """
    profile = case.customer.profile
    known = {service.id: service for service in case.policy.catalogue.services}
    wanted = [known[name] for name in entry.services]
    given = [(service, rules) for service in wanted if (rules := _for(service, profile))]
    if not given:
        asked = distinct(r.column for s in wanted for rules in s.given_for for r in rules)
        lacking = [name for name in asked if missing(profile.get(name))]
        yield None, not_available(*lacking) if lacking == asked else nothing(entry)
        return
    names = [service.name for service, _ in given]
    yield (
        None,
        Content(
            data={
                "kind": "service",
                "services": [
                    {"service": service.id, "name": service.name.model_dump()}
                    for service, _ in given
                ],
            },
            words={"services": (" and ".join(n.en for n in names), "、".join(n.zh for n in names))},
            reasons=tuple(_reasons(given, profile)),
        ),
    )


def _for(service: ServiceLevel, profile: Mapping[str, Any]) -> tuple[Rule, ...]:
    """The first list of rules that holds; empty if none does."""
    return next((rules for rules in service.given_for if not ineligible(rules, profile)), ())


def _reasons(
    given: list[tuple[ServiceLevel, tuple[Rule, ...]]], profile: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    for service, rules in given:
        facts = [_fact(rule, profile[rule.column]) for rule in rules]
        yield {
            "source": "service",
            "en": f"{service.name.en}: {', '.join(en for en, _ in facts)}",
            "zh": f"{service.name.zh}：{'，'.join(zh for _, zh in facts)}",
        }


def _fact(rule: Rule, value: Any) -> tuple[str, str]:
    en, zh = PROFILE_COLUMNS[rule.column].words
    if isinstance(value, float | int):
        return f"{en} {value:g}", f"{zh} {value:g}"
    said = VALUES.get(str(value), (str(value), str(value)))
    return f"{en} {said[0]}", f"{zh} {said[1]}"
