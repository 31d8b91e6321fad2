import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from mkt_models.loading import ParamsError, load_params, read_yaml, validate
from mkt_models.params import Params

PARAMS = Path(__file__).parent.parent / "params"
WHOLE = PARAMS / "complete_journey.yaml"


@pytest.fixture
def write(tmp_path: Path):
    """Write a parameter file that extends the committed one."""

    def _write(text: str, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_text(f"extends: {WHOLE}\n{text}", encoding="utf-8")
        return path

    return _write


def refused(path: Path, overrides: dict[str, object] | None = None) -> str:
    """Load a file that must be refused; return the message, which must name the file."""
    with pytest.raises(ParamsError) as caught:
        load_params(path, overrides)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_committed_files_load():
    whole, sample = load_params(WHOLE), load_params(PARAMS / "sample.yaml")
    assert (whole.run, whole.source.households) == ("complete_journey", None)
    assert (sample.run, sample.source.households) == ("sample", 500)
    assert sample.source.time_zone == whole.source.time_zone == "America/New_York"
    assert sample.churn == whole.churn  # what a file does not say, it takes over
    assert sample.mining.min_lift == whole.mining.min_lift
    assert sample.mining.min_support != whole.mining.min_support


def test_a_list_is_replaced_and_a_mapping_is_merged(write):
    params = load_params(write("audit: {attributes: [age_band]}"))
    assert params.audit.attributes == ("age_band",)
    assert params.audit.min_group_size == load_params(WHOLE).audit.min_group_size


def test_overrides_come_last(write):
    path = write("churn: {horizon_days: 28}")
    assert load_params(path).churn.horizon_days == 28
    params = load_params(path, {"churn.horizon_days": 42, "churn.boosting.max_depth": 2, "seed": 5})
    assert (params.churn.horizon_days, params.churn.boosting.max_depth, params.seed) == (42, 2, 5)
    # Their neighbours stay.
    assert params.churn.boosting.n_estimators == load_params(WHOLE).churn.boosting.n_estimators


def test_scientific_notation_is_a_number(write):
    params = load_params(write("mining: {min_support: 1e-3}"))
    assert params.mining.min_support == 0.001
    params = load_params(WHOLE, {"mining.min_support": "2e-3"})
    assert params.mining.min_support == 0.002


def test_an_unknown_key_names_the_nearest(write):
    message = refused(write("churn: {horizon_day: 3}\nprofil: {}"))
    assert "churn.horizon_day: unknown key; did you mean 'horizon_days'?; known: active" in message
    assert "profil: unknown key; did you mean 'profile'?" in message
    assert len(message.splitlines()) == 2  # every fault, one per line


def test_an_unknown_key_inside_a_list_names_its_place(write):
    message = refused(
        write(
            "source:\n  assumed_consents:\n    - {purpose: a, channel: app, customers: all,\n"
            "       reason: long enough to be a reason, chanel: app}"
        )
    )
    assert "source.assumed_consents.0.chanel: unknown key; did you mean 'channel'?" in message


@pytest.mark.parametrize("key", ["churn.horizon_dys", "chrn.horizon_days", "seed.x", "", "churn."])
def test_an_override_that_fits_nowhere_is_refused(key: str):
    assert f"{WHOLE}: {key.split('.')[0] or key}" in refused(WHOLE, {key: 28})


def test_a_missing_key_is_named(tmp_path: Path):
    path = tmp_path / "bare.yaml"
    path.write_text("run: bare\nseed: 1\n")
    assert f"{path}: churn: missing" in refused(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seed: 1\nseed: 2\n", "line 3: 'seed' stands twice"),
        ("churn:\n  active_days: 1\n  active_days: 1\n", "line 4: 'active_days' stands twice"),
        ("on: 1\n", "line 2: key 'on' is read as bool; put it in quotes"),
        ("churn: {7: 1}\n", "line 2: key '7' is read as int; put it in quotes"),
        ("? [a, b]\n: 1\n", "is read as list"),
        ("2017-01-01: 1\n", "key '2017-01-01' is read as date"),
        ("churn: [1\n", "not readable as YAML: line 3, column 1: "),
        ("churn:\n  op: >=\n", "line 3, column 8: "),
        ("churn:\n  op: >=\n", "a comparison goes in quotes, e.g. op: '>='"),
        ("churn: {op: >=, value: 1}\n", "a comparison goes in quotes, e.g. op: '>='"),
        ("churn: @home\n", "put the value in quotes"),
        ("run: !!python/name:os.system x\n", "not readable as YAML"),
    ],
)
def test_a_file_that_says_it_badly_is_refused(write, text: str, says: str):
    assert says in refused(write(text))


@pytest.mark.parametrize("text", ["", "- a\n", "just words\n", "3\n"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "list.yaml"
    path.write_text(text)
    assert "must be a mapping of keys to values" in refused(path)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path):
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"\xff\xfe\x00seed: 1")
    assert "not readable as YAML" in refused(path)


def test_a_missing_file_names_the_nearest(tmp_path: Path):
    (tmp_path / "sample.yaml").write_text("run: x\n")
    assert "no such file; did you mean 'sample.yaml'?" in refused(tmp_path / "smaple.yaml")
    assert refused(tmp_path / "no" / "folder.yaml").endswith("no such file")


def test_extends_that_leads_nowhere_names_both_files(tmp_path: Path):
    path = tmp_path / "child.yaml"
    path.write_text("extends: parent.yaml\n")
    message = refused(path)
    assert "child.yaml: extends 'parent.yaml'" in message
    assert "parent.yaml: no such file" in message
    path.write_text("extends: [a, b]\n")
    assert "extends must be a file name, is ['a', 'b']" in refused(path)


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_cycle_of_extends_is_refused(tmp_path: Path, names: list[str]):
    for name, following in zip(names, [*names[1:], names[0]], strict=True):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {following}.yaml\n")
    message = refused(tmp_path / "a.yaml")
    assert message.endswith("a.yaml: extends itself")
    assert all(f"{name}.yaml" in message for name in names)


def test_extends_twice_along_a_line_is_fine(write):
    write("seed: 1\nchurn: {horizon_days: 28}\n", "middle.yaml")
    path = write("", "leaf.yaml")
    path.write_text("extends: middle.yaml\nseed: 2\n")
    params = load_params(path)
    assert (params.seed, params.churn.horizon_days) == (2, 28)


def test_validate_serves_any_model():
    class Small(BaseModel):
        size: int

    assert validate(Small, {"size": 3}, "here").size == 3
    with pytest.raises(ParamsError, match=re.escape("here: size: input should be a valid integer")):
        validate(Small, {"size": "big"}, "here")


@pytest.mark.parametrize("number", [0, 2018, 1.5])
def test_a_number_is_no_date(number: float):
    with pytest.raises(ParamsError, match=r"profile\.as_of: must be a date such as 2018-01-01"):
        load_params(WHOLE, {"profile.as_of": number})


KEYS = st.text(st.characters(categories=["Ll", "Lo"]), min_size=1, max_size=4)
# PyYAML writes some control characters, such as NEL, in a way that it reads as a line break.
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(data=st.dictionaries(KEYS, VALUES, max_size=4))
def test_a_written_mapping_is_read_back(tmp_path_factory: pytest.TempPathFactory, data):
    path = tmp_path_factory.getbasetemp() / "written.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    assert read_yaml(path) == data


@settings(max_examples=60, deadline=None)
@given(
    section=st.sampled_from(["", *Params.model_fields]),
    key=KEYS | st.sampled_from(["horizon_days", "boosting", "as_of", "attributes"]),
    value=VALUES,
)
def test_whatever_is_given_is_taken_or_explained(section: str, key: str, value: object):
    dotted = f"{section}.{key}" if section else key
    assert _taken_or_explained(dotted, value)


def _taken_or_explained(dotted: str, value: object) -> bool:
    try:
        return isinstance(load_params(WHOLE, {dotted: value}), Params)
    except ParamsError as error:
        start = f"{WHOLE}: {dotted.split('.')[0]}"
        return all(line.startswith(start) for line in str(error).splitlines())
