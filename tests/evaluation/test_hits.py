import pandas as pd
import pytest

from mkt_models.evaluation.hits import hit_table


def lists() -> pd.DataFrame:
    """Two customers with three offers each; the second has two lists."""
    rows = [
        ("1", "x", "a", 0, 0.9, 0.1),
        ("1", "x", "b", 1, 0.5, 0.8),
        ("1", "x", "c", 0, 0.5, 0.3),
        ("2", "x", "a", 1, 0.9, 0.2),
        ("2", "x", "b", 0, 0.1, 0.2),
        ("2", "y", "a", 0, 0.9, 0.6),
        ("2", "y", "b", 0, 0.1, 0.4),
    ]
    names = ["customer_id", "campaign_id", "offer_id", "target", "one", "other"]
    return pd.DataFrame(rows, columns=names)


def test_the_share_of_lists_with_a_target_in_their_head() -> None:
    table = hit_table(lists(), ["one", "other"], (1, 2), 50, 0.95, 3, reference="one")
    found = table.set_index(["model", "k"])
    # one: customer 1's first is wrong and its second (a tie, by id) right; 2/x right, 2/y has none.
    assert found["hit"].to_dict() == pytest.approx(
        {("one", 1): 1 / 3, ("one", 2): 2 / 3, ("other", 1): 2 / 3, ("other", 2): 2 / 3}
    )
    assert found["n"].unique().tolist() == [3]
    assert found.loc[("other", 1), "hit_difference"] == pytest.approx(1 / 3)
    assert found.loc[("one", 1), "hit_difference"] == 0
    inside = found["hit"].between(found["hit_lower"], found["hit_upper"])
    assert inside.all()


def test_no_list_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 rows"):
        hit_table(lists()[:0], ["one"], (1,), 10, 0.95, 3, reference="one")
