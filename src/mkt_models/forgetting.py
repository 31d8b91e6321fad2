"""Forget a customer: out of every file of a run, and not back from the source.

What is found is removed, everything is searched again, and a receipt without personal data says
what was removed from where, which models have learnt from the customer, and what could not be
searched. A list of keyed hashes keeps the sources of all runs from bringing the customer back.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import sqlalchemy as sa

from mkt_models.columns import Model
from mkt_models.engine import connect, literal
from mkt_models.erasing import SURE, Person, erase, mentions, searchable
from mkt_models.models.ledger import FILE as LEDGER
from mkt_models.models.registry import name_of
from mkt_models.serving.settings import LIVE_FILE, report_address
from mkt_models.sources.pseudonyms import (
    PrivacyError,
    add_forgotten,
    pseudonym,
    read_forgotten,
    read_key,
)
from mkt_models.store.engine import sqlite_path
from mkt_models.store.live import LiveStore
from mkt_models.store.values import ID_LENGTH, StoreError
from mkt_models.workspace import Workspace

RECEIPTS = "receipts"
# Pages and executed notebooks that show single customers by rank or number, without an id: whom
# they show cannot be asked of them, so they go whenever somebody is forgotten.
_SHOW_ONE = frozenset(
    {
        "index",
        "03_profile",
        "04_mine",
        "05_churn",
        "06_value",
        "07_propensity",
        "08_bias_audit",
        "09_strategies",
        "10_package",
    }
)
# The package's own code in a bento, copied from the project: it holds no data.
_CODE = {"src", "env", "apis"}


def forget_customer(
    ws: Workspace,
    customer: str,
    at: datetime,
    *,
    store: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Remove a customer from everything under the run's folders, and verify it.

    Parameters
    ----------
    ws
        The run. No stage of it may be running.
    customer
        Its id as the source has it, or its pseudonym. The ids of its other accounts, which the
        cleaning found to be the same person, go with it.
    at
        The moment, aware.
    store
        Address of the live store; None for that of ``MKT_STORE_URL``, else of ``served.store``,
        else the run's own.
    dry_run
        Only count.

    Returns
    -------
    dict
        The receipt: ``customer`` (keyed hash), ``at``, ``run``, ``ids`` (how many were removed),
        ``removed`` and ``remaining`` (per file, how often the customer was named; 1 for a page that
        shows single customers without an id, which goes as a whole), ``live_store`` (its address
        without a password; null when there was none to search), ``stores`` (rows per table of it),
        ``live_store_looked_for`` (where the run's own would be), ``dead_rows_in`` (its tables whose
        files may still hold them), ``models`` (tags of the versions that learnt from the customer,
        or may have, by name), ``not_searched``, ``dry_run``. Written to ``receipts/`` beside the
        list of those forgotten, unless it is a dry run.

    Raises
    ------
    PrivacyError
        When the key is missing or short, or the id is empty or that of no customer of the run.
    StoreError
        When the live store that is named is not there.
    ValueError
        When ``at`` has no zone.

    """
    if not customer.strip():
        raise PrivacyError("customer: the id is empty")
    if at.utcoffset() is None:
        raise ValueError(f"at == {at}: give a time with its zone")
    privacy = ws.params.privacy
    key = read_key(privacy)
    address = _live_store(ws, store)
    known = {customer, pseudonym(customer, key)}
    ids = known | _accounts(ws, known)
    person = Person(ids, _words(ids) if privacy.pseudonymise else ids)
    hashed = {one if _hashed(one) else pseudonym(one, key) for one in ids}
    before = read_forgotten(ws.root / privacy.forgotten)
    if not (hashed & before or _is_a_customer(ws, ids, address)):
        raise PrivacyError(
            "customer: nobody of this id is in the run's tables or in its live store; give the id "
            "as the source has it"
        )
    models = trained_on(ws, ids)
    files = list(_files(ws))
    found = {file: _named(file, person) for file in files}
    found = {file: n for file, n in found.items() if n}
    unnamed = [file for file in files if found and _shows_one(file)]
    found |= dict.fromkeys(unnamed, 1)
    stores = _rows_of(address, ids)
    dead: tuple[str, ...] = ()
    not_searched = [_shown(ws, file, person) for file in files if not searchable(file, person)]
    if not dry_run:
        add_forgotten(ws.root / privacy.forgotten, hashed)
        stores, dead = _from_live_store(address, ids, at)
        for file in found:
            if file in unnamed:
                file.unlink()
            else:
                _remove(file, person)
    left = {} if dry_run else {file: n for file in _files(ws) if (n := _named(file, person))}
    receipt = {
        "customer": pseudonym(customer, key),
        "at": at.isoformat(timespec="seconds"),
        "run": ws.params.run,
        "ids": len({one for one in ids if not _hashed(one)} or hashed),
        "removed": {_shown(ws, file, person): n for file, n in sorted(found.items())},
        "remaining": {_shown(ws, file, person): n for file, n in sorted(left.items())},
        "files": len(files),
        "live_store": _address_shown(ws, address),
        "stores": stores,
        "live_store_looked_for": _address_shown(ws, ws.bentoml_home / LIVE_FILE),
        "dead_rows_in": list(dead),
        "models": models,
        "not_searched": sorted(not_searched),
        "dry_run": dry_run,
    }
    if not dry_run:
        _keep(ws, receipt, at)
    return receipt


def trained_on(ws: Workspace, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Per model whether the customer was among those that it learns from, and its versions.

    Churn and value learn from whoever ordered within ``active_days`` before a cutoff; propensity
    from whoever was sent a campaign; the recommender from whoever ordered. It is judged by the
    clean tables: a version that was trained on earlier ones may have seen other rows.
    """
    marks = ", ".join(literal(one) for one in sorted(ids))
    orders, sent = (ws.path("clean", f"{name}.parquet") for name in ("transactions", "exposures"))
    con = connect(ws.params.engine, ws.spill)
    try:

        def count(file: Path, where: str) -> int:
            if not file.is_file():
                return 0
            query = f"SELECT count(*) FROM read_parquet({literal(file)}) WHERE customer_id IN "
            return int(con.execute(f"{query} ({marks}) AND ({where})").fetchall()[0][0])

        rows = {
            Model.CHURN: count(orders, _active(ws.params.churn)),
            Model.VALUE: count(orders, _active(ws.params.value)),
            Model.PROPENSITY: count(sent, "TRUE"),
            Model.RECOMMENDER: count(orders, "TRUE"),
        }
    finally:
        con.close()
    versions = _versions(ws)
    return {
        model.value: {"learnt_from": n > 0, "rows": n, "versions": versions.get(model.value, [])}
        for model, n in rows.items()
    }


def receipt_text(receipt: Mapping[str, Any]) -> str:
    """The receipt for the terminal."""
    total, files = sum(receipt["removed"].values()), len(receipt["removed"])
    done = "is" if receipt["dry_run"] else "was"
    lines = [
        f"{receipt['customer']}: {done} named {total} times in {files} of {receipt['files']} files "
        f"of {receipt['run']}"
    ]
    lines += [f"  {n:>6}  {name}" for name, n in receipt["removed"].items()]
    store = receipt["live_store"]
    if store is not None:
        rows = sum(receipt["stores"].values())
        lines.append(f"  {rows:>6}  rows of the live store {store}")
    for model, told in receipt["models"].items():
        if told["learnt_from"]:
            named = ", ".join(told["versions"]) or "no version in the store"
            lines.append(f"  learnt from the customer: {model} ({named})")
    if receipt["not_searched"]:
        lines.append(
            f"  not searched: {len(receipt['not_searched'])} files of bytes; an id of fewer than "
            f"{SURE} characters is among them by chance"
        )
    if receipt["dry_run"]:
        lines.append("Nothing was changed.")
    elif receipt["remaining"]:
        lines.append(f"STILL THERE: {', '.join(receipt['remaining'])}")
    else:
        where = "the run's files" + ("" if store is None else f" and the live store {store}")
        lines.append(f"Searched again: nothing is left in {where}.")
        lines.append(
            "`mkt run` makes the reports and the service again without the customer; until"
        )
        lines.append("then the service does not start.")
    if store is None:
        lines.append(
            f"NO LIVE STORE WAS SEARCHED: MKT_STORE_URL is not set, and the run has none at "
            f"{receipt['live_store_looked_for']}. If a service keeps one elsewhere, it still knows "
            "the customer: name it with --store or MKT_STORE_URL."
        )
    if receipt["dead_rows_in"]:
        named = ", ".join(receipt["dead_rows_in"])
        lines.append(f"The live store's files may still hold removed rows of {named}: see")
        lines.append("docs/privacy.md (VACUUM FULL).")
    return "\n".join(lines) + "\n"


def _files(ws: Workspace) -> Iterator[Path]:
    for folder in (ws.build, ws.reports):
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder).parts
            code = "bentos" in inside and bool(_CODE & set(inside))
            # What the catalogue and the models say is of nobody: a number there is no id.
            said = "bentoml" in inside and path.suffix in (".yaml", ".yml")
            if path.is_file() and not path.is_symlink() and not (code or said):
                yield path


def _shows_one(file: Path) -> bool:
    return file.suffix in (".html", ".ipynb") and file.stem.split(".")[0] in _SHOW_ONE


def _named(file: Path, person: Person) -> int:
    return mentions(file, person) + person.named_in(file.stem.replace("_", " "))


def _remove(file: Path, person: Person) -> None:
    if person.named_in(file.stem.replace("_", " ")):
        file.unlink()
    else:
        erase(file, person)


def _shown(ws: Workspace, file: Path, person: Person) -> str:
    """A file's path for the receipt; a name that tells who it is of is not shown."""
    path = file.relative_to(ws.root)
    named = person.named_in(path.stem.replace("_", " "))
    return path.with_name("(named by the customer)" if named else path.name).as_posix()


def _is_a_customer(ws: Workspace, ids: Iterable[str], address: str | Path | None) -> bool:
    """Whether one of the ids stands in a table of customers, or in the live store."""
    marks = ", ".join(literal(one) for one in sorted(ids))
    con = connect(ws.params.engine, ws.spill)
    try:
        for file in sorted(ws.build.glob("*/*.parquet")):
            # by its schema: the engine cannot read a table without columns
            columns = pq.read_schema(file).names
            table = f"read_parquet({literal(file)})"
            if (
                "customer_id" in columns
                and con.execute(
                    f"SELECT 1 FROM {table} WHERE CAST(customer_id AS VARCHAR) IN ({marks}) LIMIT 1"
                ).fetchall()
            ):
                return True
    finally:
        con.close()
    if address is None:
        return False
    with LiveStore.open(address) as live:
        return any(live.holds(one) or live.is_erased(one) for one in ids)


def _accounts(ws: Workspace, known: Iterable[str]) -> set[str]:
    """All ids of the person, by the map of identities that the cleaning made."""
    file = ws.path("clean", "identity_map.parquet")
    if not file.is_file():
        return set()
    marks = ", ".join(literal(one) for one in sorted(known))
    table = f"read_parquet({literal(file)})"
    con = connect(ws.params.engine, ws.spill)
    try:
        rows = con.execute(
            f"""
            SELECT source_customer_id, customer_id FROM {table} WHERE customer_id IN (
                SELECT customer_id FROM {table}
                WHERE customer_id IN ({marks}) OR source_customer_id IN ({marks})
            )"""
        ).fetchall()
    finally:
        con.close()
    return {str(one) for row in rows for one in row if one is not None}


def _active(cutoffs: Any) -> str:
    return " OR ".join(
        f"(local_date < DATE '{day}' AND DATEDIFF('day', local_date, DATE '{day}') "
        f"<= {cutoffs.active_days})"
        for day in cutoffs.dates()
    )


def _versions(ws: Workspace) -> dict[str, list[str]]:
    file = ws.build / LEDGER
    found: dict[str, set[str]] = {}
    if file.is_file():
        for line in file.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line) if line.strip() else {}
            if "model" in entry and entry.get("version"):
                tag = f"{name_of(Model(entry['model']))}:{entry['version']}"
                found.setdefault(entry["model"], set()).add(tag)
    return {model: sorted(tags) for model, tags in found.items()}


def _live_store(ws: Workspace, named: str | None) -> str | Path | None:
    """Where the live store is; None when none is named and no service of the run has made one."""
    chosen = ws.params.served.store
    address = named or report_address(os.environ, chosen, ws.root, ws.bentoml_home)
    path = sqlite_path(address)
    if path is None or path.is_file():
        return address
    if path == ws.bentoml_home / LIVE_FILE:
        return None
    raise StoreError(f"{path}: there is no such file; say where the live store is")


def _address_shown(ws: Workspace, address: str | Path | None) -> str | None:
    """An address for the receipt: without a password, a file of the project from its folder on."""
    if address is None:
        return None
    path = sqlite_path(address)
    if path is None:
        return sa.make_url(str(address)).render_as_string(hide_password=True)
    return (path.relative_to(ws.root) if path.is_relative_to(ws.root) else path).as_posix()


def _rows_of(address: str | Path | None, ids: Iterable[str]) -> dict[str, int]:
    """Rows of the live store about the ids, per table."""
    found: Counter[str] = Counter()
    if address is not None:
        with LiveStore.open(address) as live:
            for one in sorted(ids):
                found.update(live.holds(one))
    return dict(found)


def _from_live_store(
    address: str | Path | None, ids: Iterable[str], at: datetime
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Rows removed from the live store, per table, and tables whose files may still have them.

    The ids are never served again from it.
    """
    removed: Counter[str] = Counter()
    if address is None:
        return {}, ()
    with LiveStore.open(address) as live:
        for one in sorted(ids):
            if len(one) > ID_LENGTH:
                continue  # its tables take no such id
            removed.update(live.forget(one, at))
            if left := live.holds(one):
                raise PrivacyError(f"the live store still holds rows in {', '.join(left)}")
        return dict(removed), live.take_out()


def _words(ids: Iterable[str]) -> set[str]:
    """The ids to look for in running text where ids are hashed: no number that is said anyway."""
    return {one for one in ids if _hashed(one) or len(one) >= SURE}


def _hashed(value: str) -> bool:
    return value.startswith("p_") and len(value) == 34


def _keep(ws: Workspace, receipt: Mapping[str, Any], at: datetime) -> None:
    folder = (ws.root / ws.params.privacy.forgotten).parent / RECEIPTS
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{receipt['customer']}-{ws.params.run}-{at:%Y%m%dT%H%M%S}.json"
    text = json.dumps(receipt, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    (folder / name).write_text(text, encoding="utf-8")
