import re

from mkt_models.columns import Strategy
from mkt_models.decisions.short_names import CODES, FAMILIES, strategy_names
from mkt_models.decisions.words import Code


def test_every_code_and_family_has_a_name_of_its_own_in_either_language():
    for names, all_of in ((CODES, Code), (FAMILIES, Strategy)):
        assert set(names) == set(all_of)
        for side in (0, 1):
            assert len({words[side] for words in names.values()}) == len(names)
        assert not any(re.search("[A-Za-z]", words[1]) for words in names.values())


def test_strategies_are_called_by_their_family_and_told_apart_by_their_id(catalogue):
    names = strategy_names(catalogue)
    assert set(names) == {entry.id for entry in catalogue.strategies} | {"no_action"}
    assert names["membership_tier"] == ("membership tier", "会员等级")
    assert names["scenario_rain"][1] == "场景化营销（scenario_rain）"
    assert len(set(names.values())) == len(names)
