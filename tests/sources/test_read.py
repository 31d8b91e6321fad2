"""Every kind of source that the params allow can be read, and brings its rules."""

from datetime import date
from typing import get_args

from cleaning.rows import CHOICES

from mkt_models.cleaning import rules_for
from mkt_models.source_params import AnySource, Source
from mkt_models.sources.read import ORIGINS


def test_every_kind_of_the_params_has_an_origin() -> None:
    kinds = {
        tag
        for one in get_args(get_args(AnySource)[0])
        for tag in get_args(one.model_fields["kind"].annotation)
    }
    assert set(ORIGINS) == set(kinds)


def test_the_traps_of_a_source_are_among_its_rules() -> None:
    for kind, origin in ORIGINS.items():
        source = Source(kind=kind, time_zone="America/New_York")
        names = [rule.name for rule in rules_for(source, CHOICES, date(2018, 1, 1))]
        assert {trap.name for trap in origin.traps} <= set(names)
        assert len(names) == len(set(names))
