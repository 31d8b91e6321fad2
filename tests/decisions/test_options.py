from dataclasses import replace

import numpy as np
import pytest
from decisions.allocations import options

from mkt_models.decisions.options import AllocationError, Options


def test_the_best_at_some_prices_worked_by_hand() -> None:
    some = options(
        (0, 0, 3.0, (1.0,)),
        (0, 0, 2.5, (0.0,)),
        (0, 1, 1.0, (2.0,)),
        (4, 0, 2.0, (1.0,)),
        (7, 0, 0.0, (0.0,)),
    )
    assert some.best(np.array([0.0]), 2)[0].tolist() == [0, 2, 3]
    assert some.best(np.array([0.0]), 1)[0].tolist() == [0, 3]
    # At 0.5 a unit the two of customer 0's family are equal, and the first is taken; the 1.0 that
    # takes 2 units is worth nothing any more.
    rows, net = some.best(np.array([0.5]), 2)
    assert rows.tolist() == [0, 3]
    assert net.tolist() == [2.5, 2.5, 0.0, 1.5, 0.0]
    assert some.best(np.array([0.6]), 2)[0].tolist() == [1, 3]
    assert some.used(np.array([0, 2, 3])).tolist() == [4.0]


def test_a_fall_back_is_had_alone_worked_by_hand() -> None:
    some = options(
        (0, 0, 2.0, (1.0,)),
        (0, 1, 1.0, (1.0,)),
        (0, 1, 2.5, (0.0,)),  # the fall-back, of the family of the one before
        (1, 0, 1.0, (1.0,)),
        (1, 2, 5.0, (0.0,)),  # a fall-back that is worth more than all else
    )
    some = replace(some, alone=np.array([False, False, True, False, True]))
    free, dear, dearest = (np.array([price]) for price in (0.0, 0.5, 3.0))
    # The programme takes what is worth more; decisions fall back only on having nothing.
    assert some.best(free, 2)[0].tolist() == [0, 1, 4]
    assert some.decided(free, 2)[0].tolist() == [0, 1, 3]
    assert some.best(dear, 2)[0].tolist() == [2, 4]  # 2.5 instead of 1.5 + 0.5
    assert some.decided(dear, 2)[0].tolist() == [0, 1, 3]
    assert some.best(dearest, 2)[0].tolist() == some.decided(dearest, 2)[0].tolist() == [2, 4]
    part = some.part(np.array([3, 4]))
    assert part.decided(free, 1)[0].tolist() == [0]
    with pytest.raises(AllocationError, match="must be one length"):
        replace(some, alone=np.array([True]))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"customer": np.array([1, 0])}, "row 1 is out of order"),
        ({"customer": np.array([0, 0]), "family": np.array([1, 0])}, "row 1 is out of order"),
        ({"worth": np.array([1.0, np.nan])}, "a worth is not finite"),
        ({"uses": np.array([[-1.0]])}, "0 or more"),
        ({"use": np.array([0, 1])}, "use must be 0 to 0"),
        ({"worth": np.array([1.0])}, "must be one length"),
    ],
)
def test_what_is_no_table_of_options_is_refused(change, says) -> None:
    right = {
        "customer": np.array([0, 1]),
        "family": np.array([0, 0]),
        "worth": np.array([1.0, 2.0]),
        "uses": np.array([[1.0]]),
        "use": np.array([0, 0]),
    }
    Options(**right)
    with pytest.raises(AllocationError, match=says):
        Options(**(right | change))
