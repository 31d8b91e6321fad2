"""Agreement of tags between two days, worked by hand."""

import math
from pathlib import Path

import pandas as pd
import pytest

from mkt_models.profiles.stability import compared, tag_stability
from mkt_models.profiles.tag_catalogue import load_tag_catalogue

TAGS = load_tag_catalogue(Path(__file__).parents[2] / "params" / "tags.yaml")
CUSTOMERS = pd.Series(["a", "b", "c", "d"])


def tags(**who: str) -> pd.DataFrame:
    rows = [(customer, tag) for tag, customers in who.items() for customer in customers]
    return pd.DataFrame(rows, columns=["customer_id", "tag"])


def test_a_tag_by_hand():
    found = tag_stability(tags(pets="abz"), tags(pets="bc"), CUSTOMERS, TAGS).set_index("tag")
    row = found.loc["pets"]  # z had no profile on both days
    assert row[["then", "now", "kept", "n"]].tolist() == [2, 2, 1, 4]
    assert (row["kept_share"], row["jaccard"]) == (0.5, pytest.approx(1 / 3))
    # Agreed on b and d, half; by chance (.5 * .5) * 2, half: nothing beyond chance.
    assert row["kappa"] == 0
    assert "sports" not in found.index


def test_a_family_compares_whole_labels():
    then = tags(high_value="a", middle_value="b", low_value="cd")
    now = tags(high_value="a", middle_value="c", low_value="bd")
    row = tag_stability(then, now, CUSTOMERS, TAGS).set_index(["family", "tag"]).loc[
        ("value", "all")
    ]  # fmt: skip
    assert (row["kept"], row["kept_share"]) == (2, 0.5)
    # By chance: high 1/16, middle 1/16, low 4/16.
    assert row["kappa"] == pytest.approx((0.5 - 6 / 16) / (1 - 6 / 16))


def test_no_customer_or_no_change_says_so():
    nobody = tag_stability(tags(), tags(), CUSTOMERS[:0], TAGS)
    assert nobody["kept_share"].isna().all()
    same = tag_stability(tags(pets="abcd"), tags(pets="abcd"), CUSTOMERS, TAGS).set_index("tag")
    assert same.loc["pets", "kept_share"] == 1
    assert math.isnan(same.loc["pets", "kappa"])


def test_few_new_customers_are_compared_too_so_that_no_other_table_tells_them_apart():
    now, then = pd.Series(list("abcd")), pd.Series(list("abcz"))
    assert compared(now, then, 2).tolist() == list("abcd")
    assert compared(now, then, 1).tolist() == list("abc")  # one new customer may be told
    assert compared(now, pd.Series(list("abcd")), 9).tolist() == list("abcd")
    found = tag_stability(tags(pets="ab"), tags(pets="bd"), compared(now, then, 2), TAGS)
    row = found.set_index("tag").loc["pets"]
    assert row[["then", "now", "kept", "n"]].tolist() == [2, 2, 1, 4]  # d had no tag then
