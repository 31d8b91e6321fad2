"""What `mkt check` finds in the retailer's exports, and what it says of it."""

from datetime import date
from pathlib import Path

import pytest
import retailer

from mkt_models.columns import Table
from mkt_models.loading import load_params
from mkt_models.sources.check import Findings, look
from mkt_models.sources.findings_text import faults_text, findings_text

PARAMS = Path(__file__).parents[2] / "params"


def project(folder: Path, mapping: str = retailer.MAPPING) -> Path:
    """The retailer's exports and parameters in a folder; the path of the parameters."""
    retailer.write_exports(folder / "data")
    path = retailer.write_params(folder, mapping)
    text = (PARAMS / "complete_journey.yaml").read_text()
    (folder / "params" / "complete_journey.yaml").write_text(text)
    return path


def looked(path: Path, sample_bytes: int = 10**8, **overrides: object) -> tuple[Findings, str]:
    params = load_params(path, overrides)
    found = look(params, params.source.at(path.parent), sample_bytes)
    return found, findings_text(found, params.source)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("shop"))


def test_a_good_mapping_is_told_and_leaves_nothing_behind(shop: Path) -> None:
    before = sorted(shop.parents[1].rglob("*"))
    found, text = looked(shop)
    assert (found.faults, faults_text(found)) == ([], "")
    assert found.share == 1
    lines = next(t for t in found.tables if t.table is Table.TRANSACTIONS)
    assert (lines.first, lines.last) == (date(2023, 1, 2), date(2023, 12, 27))
    assert "sales_1.csv, sales_2.csv" in text
    assert "derived from transactions" in text
    assert "Preis × quantity, currency" in text
    assert "e.g. sales_1.csv line" in text
    assert sorted(shop.parents[1].rglob("*")) == before


def test_it_says_what_is_odd_and_what_is_not_available(shop: Path) -> None:
    found, text = looked(shop)
    assert any("stand twice" in line for line in found.warnings)
    assert any("are returns" in line for line in found.warnings)
    assert {"social", "basics", "propensity", "contacts"} <= set(found.lacking)
    assert {"lifecycle", "value"} & set(found.lacking) == set()
    assert "complete: lifecycle, value" in text


def test_columns_that_are_not_used_are_named(tmp_path: Path) -> None:
    mapping = retailer.MAPPING[: retailer.MAPPING.index("    products:")]
    _, text = looked(project(tmp_path, mapping.replace("        store_id: Filiale\n", "")))
    assert "not used: Bezeichnung, Warengruppe, Filiale" in text


def test_all_faults_come_in_one_pass(tmp_path: Path) -> None:
    tickets = "    tickets: {files: none.csv, columns: {ticket_id: a}}\n"
    mapping = (
        retailer.MAPPING.replace("customer_id: Kunde", "customer_id: Kunden")
        .replace("price_cents: {from: Preis, unit: currency}", "price: Preis")
        .replace("    products:", f"{tickets}    products:")
    )
    found, _ = looked(project(tmp_path, mapping))
    assert faults_text(found).splitlines()[0] == "3 things to mend"
    said = "\n".join(found.faults)
    assert "Did you mean 'Kunde'?" in said
    assert "tables.products.columns.price: no canonical column; did you mean 'price_cents'?" in said
    assert "tables.tickets.columns: customer_id, opened_at must be mapped" in said
    assert "sales_1.csv, sales_2.csv: no column 'Kunden'; has: " in said


def test_a_mapping_that_misreads_a_column_is_an_error(tmp_path: Path) -> None:
    wrong = retailer.MAPPING.replace('"%d.%m.%Y %H:%M"', '"%m/%d/%Y %H:%M"')
    found, _ = looked(project(tmp_path, wrong))
    assert any(
        "columns.occurred_at: 886 of 886 (100.0%) values cannot be read" in e for e in found.errors
    )
    assert "transactions: no line has a time, so nothing can be dated" in found.errors


def test_dates_outside_the_data_come_with_dates_that_fit(shop: Path) -> None:
    overrides = {"churn.last": date(2023, 12, 1), "churn.first": date(2022, 12, 1)}
    overrides |= {"profile.as_of": date(2024, 2, 1), "decisions.decide_at": "2024-02-02T10:00:00"}
    found, _ = looked(shop, **overrides)
    said = faults_text(found)
    assert "profile.as_of == 2024-02-01 is not inside the data" in said
    assert "churn.first == 2022-12-01 has no history" in said
    fitting = {line.strip() for line in said.partition("Dates that fit")[2].splitlines()}
    assert "profile: {as_of: 2023-12-28}" in fitting
    assert "churn: {first: 2023-04-02, last: 2023-11-02}" in fitting
    suggested = {"profile.as_of": date(2023, 12, 28), "churn.first": date(2023, 4, 2)}
    suggested |= {"churn.last": date(2023, 11, 2), "decisions.decide_at": "2023-12-28T10:00:00"}
    assert looked(shop, **suggested)[0].faults == []


def test_a_sample_marks_its_estimates_and_only_warns_of_dates(tmp_path: Path) -> None:
    path = project(tmp_path)
    export = retailer.write_exports(tmp_path / "data", orders=5000)
    found, text = looked(path, sample_bytes=1, **{"churn.first": date(2022, 12, 1)})
    lines = found.loaded[Table.TRANSACTIONS]
    assert lines.rows / lines.share == pytest.approx(export.lines, rel=0.02)
    assert 0.2 < lines.share < 0.6
    assert "from a sample of" in text
    assert f"~{round(lines.rows / lines.share):,}" in text
    assert "≥60" in text
    assert found.faults == []
    assert any(w.endswith("(as far as the sample tells)") for w in found.warnings)


def test_a_source_of_a_package_is_looked_at_as_well() -> None:
    path = PARAMS / "sample.yaml"
    found, text = looked(path, **{"source.households": 60})
    assert found.faults == []
    assert {t.table for t in found.tables} >= {Table.TRANSACTIONS, Table.EXPOSURES}
    assert "effects of campaigns" in text
    assert found.loaded == {}


def test_a_source_that_fails_says_so() -> None:
    found, _ = looked(PARAMS / "sample.yaml", **{"source.households": 9999})
    assert "source.households == 9999" in faults_text(found)
    assert found.tables == []


def test_words_that_mean_nothing_here_are_told_or_stop_it(tmp_path: Path) -> None:
    rules = "status: {from: Rechnung, rules: [{starts_with: C, value: %s}], otherwise: %s}"
    usual, some = rules % ("cancelled", "completed"), rules % ("storniert", "completed")
    every = rules % ("x", "fertig")
    assert usual in retailer.MAPPING
    found, _ = looked(project(tmp_path / "some", retailer.MAPPING.replace(usual, some)))
    assert any("columns.status: " in line and "'storniert'" in line for line in found.warnings)
    assert found.errors == []
    found, _ = looked(project(tmp_path / "every", retailer.MAPPING.replace(usual, every)))
    (told,) = found.errors
    assert (
        "have a word that is none of completed, cancelled, failed, returned: 'fertig', 'x'" in told
    )
