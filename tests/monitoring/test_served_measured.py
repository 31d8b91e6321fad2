"""What a reader is told of false alarms and delays is what the benchmark measured."""

import json
from pathlib import Path

import pytest

from mkt_models.monitoring.served_measured import PLANTED, SERVICES, STABLE, measured
from mkt_models.served_params import ServedRule

FOUND = json.loads((Path(__file__).parents[2] / "benchmarks" / "served.json").read_text())


def test_the_figures_are_those_of_the_benchmark() -> None:
    told = {}
    for row in FOUND["stable"]:
        count = round(row.get("alarms", 0) * row["looks"])
        told.setdefault(row["rule"], {})[row["service"]] = (count, row["looks"])
    assert {
        rule.value: {"young": young, "run in": old} for rule, (young, old) in STABLE.items()
    } == told
    assert {one["services"] for one in FOUND["planted"]} == {SERVICES}
    rows = {
        (one["rule"], one["planted"], one["size"]): (
            pytest.approx(one["seen"] * SERVICES),
            one["median_days"],
        )
        for one in FOUND["planted"]
    }
    assert rows == {
        (rule.value, planted, size): seen
        for (rule, planted), sizes in PLANTED.items()
        for size, seen in sizes.items()
    }


def test_every_rule_has_a_row_that_says_how_it_was_measured() -> None:
    table = measured()
    assert table.index.tolist() == [rule.value for rule in ServedRule]
    assert set(table["kind"]) == {"simulated"}
    assert "not measured" not in set(table["false_alarms"]) | set(table["delay"])
    rule = next(iter(STABLE))
    n = sum(looks for _, looks in STABLE[rule])
    assert f"n = {n:,}" in table.loc[rule.value, "false_alarms"]
    (rule, planted), sizes = next(iter(PLANTED.items()))
    size, (seen, _) = next(iter(sizes.items()))
    assert f"{planted} ({size:g}: {seen} of {SERVICES}" in table.loc[rule.value, "delay"]
