import numpy as np
import pandas as pd
import pytest

from mkt_models.evaluation.inputs import numbers, read_target, require


def predictions(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": ["a", "b"], "target": [0, 1], "model": [0.2, 0.7]}).assign(
        **columns
    )


def test_what_is_whole_passes() -> None:
    require(predictions(), ["customer_id", "target", "model"])
    # A null customer matters only where customers are asked for.
    require(predictions(customer_id=[None, "b"]), ["target"])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            predictions().rename(columns={"target": "targets"}),
            r"no column 'target'; did you mean 'targets'\?; has: customer_id, targets, model",
        ),
        (predictions().iloc[:0], "no rows; is the test period inside the data"),
        (predictions(customer_id=[None, "b"]), "customer_id has nulls"),
    ],
)
def test_what_is_missing_is_named(table: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        require(table, ["customer_id", "target"])


@pytest.mark.parametrize("kind", ["int8", "bool", "float32", "Int64", "object"])
def test_numbers_are_float64_whatever_they_were(kind: str) -> None:
    found = numbers(predictions(target=pd.Series([0, 1]).astype(kind)), "target")
    assert found.dtype == np.float64
    assert found.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("hole", [np.nan, None, pd.NA, np.inf, -np.inf])
def test_holes_are_counted(hole: object) -> None:
    table = predictions(model=pd.Series([hole, 0.5], dtype="object"))
    with pytest.raises(ValueError, match="'model' has 1 null or infinite values in 2 rows"):
        numbers(table, "model")


def test_a_class_is_0_or_1_and_an_amount_any_number() -> None:
    amounts = predictions(target=[-2.5, 2])
    assert read_target(amounts, "regression").tolist() == [-2.5, 2.0]
    assert read_target(predictions(target=[True, False]), "classification").tolist() == [1, 0]
    with pytest.raises(ValueError, match=r"'target' must be 0 or 1, has -2\.5"):
        read_target(amounts, "classification")
    with pytest.raises(ValueError, match="kind == 'rank', must be"):
        read_target(amounts, "rank")
