import pytest

from mkt_models.decisions.answer import HOLDOUT
from mkt_models.decisions.contact import held_out
from mkt_models.decisions.holdout import holdout_experiment
from mkt_models.experiments.assignment import assign, check_together


@pytest.mark.parametrize(("share", "salt"), [(0.05, "spring-2018"), (0.2, "summer-2025")])
def test_it_withholds_the_same_customers_as_the_service(share, salt):
    trial = holdout_experiment(share, salt)
    names = [f"customer-{i}" for i in range(20_000)]
    arms = [assign(trial, name).arm == HOLDOUT for name in names]
    assert arms == [held_out(name, salt, share) for name in names]
    assert sum(arms) / len(arms) == pytest.approx(share, abs=0.01)
    assert trial.control == HOLDOUT


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_without_two_kinds_there_is_nothing_to_compare(share):
    with pytest.raises(ValueError, match="must lie between 0 and 1 for an effect"):
        holdout_experiment(share, "spring-2018")


def test_an_experiment_must_not_take_its_salt():
    trial = holdout_experiment(0.05, "spring-2018")
    with pytest.raises(ValueError, match="salt 'spring-2018'"):
        check_together([trial], taken=["spring-2018"])
