import math
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mkt_models.decisions.exploration import Choice, Option, choose, thompson
from mkt_models.exploration_params import Exploration

ABC = (Option("a", 3.0, 0.5), Option("b", 2.5, 1.0), Option("c", 1.0, 0.1))
EPSILON = Exploration(method="epsilon", epsilon=0.3)
THOMPSON = Exploration(method="thompson")

worths = st.floats(min_value=0.001, max_value=1e6)
errors = st.one_of(st.just(0.0), st.floats(min_value=1e-6, max_value=1e6))


@st.composite
def many_options(draw: st.DrawFn) -> list[Option]:
    keys = draw(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=6, unique=True))
    return [Option(key, draw(worths), draw(errors)) for key in keys]


any_settings = st.builds(
    lambda method, epsilon, share: Exploration(
        method=method, epsilon=0 if method == "none" else epsilon, min_worth_share=share
    ),
    st.sampled_from(["none", "epsilon", "thompson"]),
    st.floats(min_value=0, max_value=0.5),
    st.floats(min_value=0, max_value=1),
)


@settings(max_examples=60, deadline=None)
@given(many_options(), st.text(max_size=8), any_settings)
def test_the_contract(options: list[Option], decision_id: str, how: Exploration) -> None:
    choice = choose(options, decision_id, how)
    assert list(choice.probabilities) == [
        one.key for one in sorted(options, key=lambda one: (-one.worth, one.key))
    ]
    assert math.fsum(choice.probabilities.values()) == pytest.approx(1, abs=1e-9)
    assert all(0 <= p <= 1 + 1e-12 for p in choice.probabilities.values())
    assert choice.probabilities[choice.key] == choice.probability > 0
    best = next(iter(choice.probabilities))
    assert choice.explored == (choice.key != best)
    top = max(one.worth for one in options)
    for one in options:  # nothing is tried that is worth too little
        if one.worth < how.min_worth_share * top:
            assert choice.probabilities[one.key] == 0
    assert choose(options[::-1], decision_id, how) == choice
    if how.method == "none" or (how.method == "epsilon" and how.epsilon == 0):
        assert (choice.key, choice.probability) == (best, 1.0)


@pytest.mark.parametrize("how", [EPSILON, THOMPSON], ids=lambda one: one.method.value)
def test_what_is_logged_is_how_often_it_happens(how: Exploration) -> None:
    n = 4000
    choices = [choose(ABC, f"decision {i}", how) for i in range(n)]
    counts = Counter(choice.key for choice in choices)
    for key, p in choices[0].probabilities.items():
        assert abs(counts[key] - n * p) <= 4 * math.sqrt(n * p * (1 - p)) + 1e-9
    assert sum(choice.explored for choice in choices) == n - counts["a"]


def test_epsilon_is_shared_alike() -> None:
    found = choose(ABC, "d", EPSILON).probabilities
    assert found == pytest.approx({"a": 0.8, "b": 0.1, "c": 0.1})


def test_what_is_worth_too_little_is_not_tried() -> None:
    how = EPSILON.model_copy(update={"min_worth_share": 0.5})
    found = choose(ABC, "d", how).probabilities
    assert found == pytest.approx({"a": 0.85, "b": 0.15, "c": 0.0})


def test_equals_go_by_name() -> None:
    choice = choose([Option("b", 1.0), Option("a", 1.0)], "d", Exploration())
    assert choice == Choice("a", 1.0, {"a": 1.0, "b": 0.0}, False)


def test_another_salt_explores_other_decisions() -> None:
    other = EPSILON.model_copy(update={"salt": "another"})
    ids = [str(i) for i in range(200)]
    assert [choose(ABC, i, EPSILON).key for i in ids] != [choose(ABC, i, other).key for i in ids]


def test_thompson_of_two_is_the_normal_distribution_of_the_difference() -> None:
    # P(a > b) = Phi((3 - 2.5) / sqrt(0.5^2 + 1^2)) = Phi(0.4472) = 0.67264
    first, second = thompson(ABC[:2])
    assert first == pytest.approx(0.672640, abs=1e-6)
    assert second == pytest.approx(1 - first)


def test_thompson_of_alikes_is_even() -> None:
    assert thompson([Option(k, 2.0, 0.7) for k in "abcde"]) == pytest.approx([0.2] * 5, abs=1e-7)


def test_thompson_beside_a_worth_that_is_known() -> None:
    # b is above 2 with probability Phi(1) = 0.841345; the lower known one cannot be the best.
    options = [Option("a", 2.0, 0.0), Option("b", 3.0, 1.0), Option("c", 1.9, 0.0)]
    assert thompson(options) == pytest.approx([0.158655, 0.841345, 0.0], abs=1e-6)


def test_thompson_with_errors_of_very_different_sizes() -> None:
    # The sharp one is a point for the wide ones: P(both below 1) = 1/4, the rest is even.
    options = [Option("sharp", 1.0, 1e-6), Option("w1", 1.0, 50.0), Option("w2", 1.0, 50.0)]
    assert thompson(options) == pytest.approx([0.25, 0.375, 0.375], abs=1e-6)


def test_epsilon_keeps_the_probabilities_of_thompson_from_being_tiny() -> None:
    how = Exploration(method="thompson", epsilon=0.03)
    found = choose(ABC, "d", how).probabilities
    assert found["c"] == pytest.approx(0.01, abs=1e-4)
    assert found["a"] == pytest.approx(0.97 * thompson(ABC)[0] + 0.01)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "nothing passed the gates"),
        ([Option("a", 1.0), Option("a", 2.0)], "'a' stands twice"),
        ([Option("a", 0.0)], "worth == 0.0, must be > 0"),
        ([Option("a", math.nan)], "worth == nan, must be > 0"),
        ([Option("a", 1.0, -1.0)], "error == -1.0, must be >= 0"),
        ([Option("a", 1.0, 1.0), Option("b", 1.0)], "'b': its worth has no standard error"),
    ],
)
def test_errors_teach(options: list[Option], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        choose(options, "d", THOMPSON)


def test_the_service_needs_no_numpy_for_it() -> None:
    code = (
        "import sys; import mkt_models.decisions.exploration; "
        "print([m for m in ('numpy', 'pandas', 'scipy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
