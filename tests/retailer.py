"""Exports of a small German retailer, as a new user might bring them.

Two files of order lines that overlap by a month, in Windows' Latin-1 with the euro sign, days
first, comma decimals and points between thousands. Returns have negative quantities, cancelled
invoices begin with C, some lines name no customer, and a few texts are no numbers at all.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

HEADER = "Rechnung;Position;Datum;Uhrzeit;Kunde;Artikel;Bezeichnung;Warengruppe;Menge;Preis;Filiale"
ARTICLES = [
    ("A100", "Müsli", "Lebensmittel", 399),
    ("A200", "Tee, grün", "Lebensmittel", 549),
    ("A300", "Kaffeemühle", "Haushalt", 129900),
    ("A400", 'Rohr 3/4"', "Baumarkt", 1250),
    ("A500", "Süßigkeiten", "Lebensmittel", 99),
]
MAPPING = """\
source:
  kind: files
  time_zone: Europe/Berlin
  currency: EUR
  country: DE
  folder: ../data
  about: Order lines of a small retailer, made up for this test.
  defaults:
    encoding: ISO-8859-1
    delimiter: ";"
    decimal: ","
    thousands: "."
    nulls: ["NULL", "-"]
    date_format: "%d.%m.%Y %H:%M"
  max_unreadable_share: 0.02
  tables:
    transactions:
      files: ["sales_*.csv"]
      columns:
        order_id: Rechnung
        line_id: Position
        customer_id: Kunde
        product_id: Artikel
        store_id: Filiale
        quantity: Menge
        amount_cents: {unit_price: Preis, times: quantity, unit: currency}
        occurred_at: {from: [Datum, Uhrzeit]}
        channel: {value: store}
        status: {from: Rechnung, rules: [{starts_with: C, value: cancelled}], otherwise: completed}
    products:
      from_table: transactions
      one_per: product_id
      columns:
        product_id: Artikel
        product_type: Bezeichnung
        category: Warengruppe
        price_cents: {from: Preis, unit: currency}
"""


@dataclass(frozen=True)
class Export:
    """What was written: the lines of both files, and how many of each oddity."""

    lines: int
    overlapping: int
    returns: int
    cancelled: int
    without_customer: int
    unreadable: int


def euros(cents: int) -> str:
    """Write an amount as the retailer does: ``1.299,00 €``."""
    sign, cents = ("-" if cents < 0 else ""), abs(cents)
    return f"{sign}{cents // 100:,}".replace(",", ".") + f",{cents % 100:02d} €"


def write_exports(folder: Path, orders: int = 400, seed: int = 7) -> Export:
    """Write ``sales_1.csv`` and ``sales_2.csv``; every text that is odd is counted."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime(2023, 1, 2, 9, 0)
    lines: list[tuple[datetime, str]] = []
    n = dict.fromkeys(("returns", "cancelled", "without_customer", "unreadable"), 0)
    for order in range(orders):
        when = start + timedelta(minutes=order * 360 * 24 * 60 // orders + rng.randrange(600))
        kind = rng.choices(("sale", "return", "cancelled"), (90, 6, 4))[0]
        number = f"{'C' if kind == 'cancelled' else 'R'}{10000 + order}"
        customer = "" if rng.random() < 0.08 else f"K{rng.randrange(1, 61):03d}"
        for position in range(1, rng.randrange(2, 5)):
            article, name, group, price = rng.choice(ARTICLES)
            quantity = str(rng.randrange(1, 4) * (-1 if kind == "return" else 1))
            n["returns"] += kind == "return"
            n["cancelled"] += kind == "cancelled"
            n["without_customer"] += customer == ""
            amount = euros(price)
            if rng.random() < 0.005:
                amount, n["unreadable"] = "siehe Beleg", n["unreadable"] + 1
            quoted = '"' + name.replace('"', '""') + '"'
            fields = (number, str(position), f"{when:%d.%m.%Y}", f"{when:%H:%M}", customer, article,
                      quoted, group, quantity, amount, f"F{1 + order % 3}")  # fmt: skip
            lines.append((when, ";".join(fields)))
    lines.sort(key=lambda line: line[0])
    first = [text for when, text in lines if when < datetime(2023, 8, 1)]
    second = [text for when, text in lines if when >= datetime(2023, 7, 1)]
    for name, texts in (("sales_1.csv", first), ("sales_2.csv", second)):
        (folder / name).write_bytes("\r\n".join([HEADER, *texts, ""]).encode("cp1252"))
    twice = len(first) + len(second) - len(lines)
    return Export(len(first) + len(second), twice, **n)


def write_params(folder: Path, mapping: str = MAPPING, run: str = "mine") -> Path:
    """Write ``params/mine.yaml`` of a project's folder: the mapping, and dates that fit."""
    path = folder / "params" / f"{run}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"extends: complete_journey.yaml\nrun: {run}\n{mapping}"
        "profile: {as_of: 2023-12-28}\n"
        "churn: {first: 2023-04-10, last: 2023-11-01}\n"
        "value: {first: 2023-05-01, last: 2023-09-27}\n"
        "propensity: {first_test: 2023-09-04}\n"
        "decisions: {decide_at: 2024-01-06T10:00:00}\n",
        encoding="utf-8",
    )
    return path
