import math

import pytest

from mkt_models.experiments.checks import check_finite, check_positive, check_share


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_is_refused_by_name(value):
    for check in (check_finite, check_positive, check_share):
        with pytest.raises(ValueError, match="units == "):
            check(units=value)


def test_what_may_be_passes():
    check_finite(effect=-1.0, other=0)
    check_positive(units=1e-9)
    check_share(alpha=0.05)
    for check, value in ((check_positive, 0), (check_share, 0.0), (check_share, 1.0)):
        with pytest.raises(ValueError, match=f"x == {value}, must"):
            check(x=value)
