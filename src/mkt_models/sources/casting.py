"""Text to values, in SQL: numbers, money, days, times.

Every expression takes SQL of a text (trimmed; null where nothing is given) and gives SQL of the
value, or of null where the text cannot be read: nothing is guessed. ``1.23`` where the point parts
thousands is not 123, and ``31.02.2018`` is no day.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mkt_models.engine import literal

# What a unit is worth in the canonical one, as a factor above or a divisor below 1.
_MONEY = {"currency": (100, 1), "cents": (1, 1), "thousandths": (1, 10)}
_COUNTED = {"pieces": (1, 1), "thousandths": (1, 1000)}
_TIME = {"seconds": (1, 1), "minutes": (60, 1), "milliseconds": (1, 1000)}
_PART = {"share": (1, 1), "percent": (1, 100)}
_UNITS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "quantity": _COUNTED,
    "dwell_seconds": _TIME,
    "discount_share": _PART,
    "assignment_probability": _PART,
}
# What may stand before or after an amount, beside the currency's own code.
_SIGNS = {
    "EUR": ("€",),
    "USD": ("US$", "$"),
    "GBP": ("£",),
    "JPY": ("¥", "￥", "円"),
    "CNY": ("¥", "￥", "元"),
    "TWD": ("NT$", "元", "$"),
    "SGD": ("S$", "$"),
    "NZD": ("NZ$", "$"),
    "MXN": ("MX$", "$"),
    "ZAR": ("R",),
    "THB": ("฿", "บาท"),
    "VND": ("₫", "đ"),
    "RUB": ("₽", "руб.", "руб"),
    "ILS": ("₪",),
    "PHP": ("₱",),
    "IDR": ("Rp.", "Rp"),
    "RON": ("lei",),
    "CHF": ("Fr.", "₣"),
    "INR": ("₹",),
    "PLN": ("zł",),
    "CZK": ("Kč",),
    "HUF": ("Ft",),
    "SEK": ("kr",),
    "NOK": ("kr",),
    "DKK": ("kr.", "kr"),
    "BRL": ("R$",),
    "TRY": ("₺", "TL"),
    "UAH": ("₴",),
    "KRW": ("₩", "원"),
    "AUD": ("A$", "$"),
    "CAD": ("C$", "$"),
    "HKD": ("HK$", "$"),
}

_NUMBERS = ("DOUBLE", "BIGINT", "INTEGER")
_AWARE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[T ][0-9:.]+ ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)"
_NAIVE = r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?)?"
_FIRST_YEAR = 1000  # an earlier one is a year of two digits that was read as four


@dataclass(frozen=True)
class Notation:
    """How numbers and times are written.

    Attributes
    ----------
    decimal, thousands
        The characters before decimals and between thousands; thousands may be None.
    currency
        ISO 4217 code; its sign or code may stand beside an amount.
    formats
        Of days and times, tried in order; none means ISO 8601.
    zone
        IANA zone of times that name none.
    shop_zone
        IANA zone whose calendar decides the day of a time that names its zone.

    """

    decimal: str = "."
    thousands: str | None = None
    currency: str = "USD"
    formats: tuple[str, ...] = ()
    zone: str = "UTC"
    shop_zone: str = "UTC"


def units_of(column: str) -> Mapping[str, tuple[int, int]]:
    """The units that a canonical column may be given in; empty where it has none.

    >>> list(units_of("amount_cents"))
    ['currency', 'cents', 'thousandths']
    """
    return _MONEY if column.endswith("_cents") else _UNITS.get(column, {})


def cast(text: str, column: str, kind: str, how: Notation, unit: str | None = None) -> str:
    """Write SQL that reads a text as the value of a canonical column, null where it cannot.

    Parameters
    ----------
    text
        SQL of the text.
    column, kind
        The canonical column and its SQL type.
    how
        How numbers and times are written.
    unit
        What a number counts; a key of :func:`units_of`.

    """
    if kind == "VARCHAR":
        return text
    if kind == "BOOLEAN":
        return f"TRY_CAST({text} AS BOOLEAN)"
    if kind == "TIMESTAMP":
        return moment(text, how)
    if kind == "DATE":
        return day(text, how)
    if column == "birth_year" and how.formats:
        # Written as a day or as a year alone, whatever the table's other dates look like.
        alone = f"CASE WHEN regexp_full_match({text}, '[12][0-9]{{3}}') THEN {text} END"
        return f"COALESCE(TRY_CAST({alone} AS INTEGER), CAST(year({day(text, how)}) AS INTEGER))"
    times, divided = units_of(column).get(unit or "", (1, 1))
    if column.endswith("_cents"):
        return cents(exact(text, how), times, divided)
    if kind == "DOUBLE":
        number = f"TRY_CAST({plain_number(text, how)} AS DOUBLE)"
        return f"({number} * {times} / {divided})" if (times, divided) != (1, 1) else number
    number = exact(text, how)
    return f"CASE WHEN {number} = floor({number}) THEN TRY_CAST({number} AS {kind}) END"


def is_number(kind: str) -> bool:
    """Whether a canonical column of this SQL type holds numbers."""
    return kind in _NUMBERS


def plain_number(text: str, how: Notation) -> str:
    """Write SQL of a number's text as SQL itself writes it: ``-1234.5`` for ``(1.234,50 €)``.

    Groups of thousands must be whole; a sign may stand before or after; brackets mean minus.
    """
    point = re.escape(how.decimal)
    plain = rf"[+-]?([0-9]+({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?"
    bare = _without_currency(text, how.currency)
    tries = [(plain, text), (plain, bare)]
    if how.thousands is not None:
        comma = re.escape(how.thousands)
        grouped = rf"[+-]?[0-9]{{1,3}}({comma}[0-9]{{3}})+({point}[0-9]*)?"
        tries += [(grouped, bare), (grouped, _with_usual_signs(bare))]
    tries.append((plain, _with_usual_signs(bare)))
    branches = []
    for pattern, tried in tries:  # from the usual to the rare, since every try costs
        number = tried
        if pattern != plain:
            number = f"replace({tried}, {literal(how.thousands)}, '')"
        if how.decimal != ".":
            number = f"replace({number}, {literal(how.decimal)}, '.')"
        branches.append(f"WHEN regexp_full_match({tried}, {literal(pattern)}) THEN {number}")
    return f"CASE {' '.join(branches)} END"


def exact(text: str, how: Notation) -> str:
    """Write SQL of a number as a decimal: nothing is lost of up to eight places."""
    return f"TRY_CAST({plain_number(text, how)} AS DECIMAL(28, 8))"


def cents(amount: str, times: int = 100, divided: int = 1) -> str:
    """Write SQL of whole cents of a decimal amount, half a cent rounded away from zero."""
    scaled = f"{amount} * {times}"
    if divided != 1:
        scaled = f"{amount} * CAST({1 / divided} AS DECIMAL(4, 3))"
    return f"TRY_CAST(round({scaled}, 0) AS BIGINT)"


def line_amount(unit_price: str, pieces: str, how: Notation, unit: str) -> str:
    """Write SQL of price times pieces in whole cents; ``pieces`` is SQL of a number."""
    times, divided = _MONEY[unit]
    # Nine digits before the point and six after; the product needs twice as many.
    price = f"TRY_CAST({plain_number(unit_price, how)} AS DECIMAL(15, 6))"
    product = " * ".join(
        f"CAST({one} AS DECIMAL(38, 6))" for one in (price, f"TRY_CAST({pieces} AS DECIMAL(15, 6))")
    )
    return cents(f"({product})", times, divided)


def moment(text: str, how: Notation) -> str:
    """Write SQL of a time as UTC without a zone.

    A time that names its zone is taken at its word; another is on the clock of ``how.zone``. Of
    the hour that a clock repeats in autumn the later one is meant; a time that it skips in spring
    is taken by the clock before the change.
    """
    naive, aware = _times(text, how)
    local = (
        naive if how.zone == "UTC" else f"timezone('UTC', timezone({literal(how.zone)}, {naive}))"
    )
    return _credible(f"COALESCE({aware}, {local})" if aware else local)


def day(text: str, how: Notation) -> str:
    """Write SQL of a calendar day: as it is written, or the shop's for a time that names a zone."""
    naive, aware = _times(text, how)
    written = f"CAST({naive} AS DATE)"
    if aware:
        here = f"timezone({literal(how.shop_zone)}, timezone('UTC', {aware}))"
        written = f"COALESCE(CAST({here} AS DATE), {written})"
    return _credible(written)


def _times(text: str, how: Notation) -> tuple[str, str | None]:
    """SQL of the time without a zone, and SQL of the UTC time where the text names its zone."""
    if how.formats and how.formats[0].startswith("epoch_"):
        factor = 1_000_000 if how.formats[0] == "epoch_seconds" else 1_000
        since = f"CAST(round(TRY_CAST({text} AS DECIMAL(28, 8)) * {factor}, 0) AS BIGINT)"
        return "CAST(NULL AS TIMESTAMP)", f"make_timestamp({since})"
    if not how.formats:
        aware = (
            f"CASE WHEN regexp_full_match({text}, {literal(_AWARE)})"
            f" THEN timezone('UTC', TRY_CAST({text} AS TIMESTAMPTZ)) END"
        )
        # The whole text must be a time: the engine would read 10:00 of "10:00 PM" or "10:00 EST".
        naive = f"CASE WHEN regexp_full_match({text}, {literal(_NAIVE)})"
        return f"{naive} THEN TRY_CAST({text} AS TIMESTAMP) END", aware
    listed = f"[{', '.join(map(literal, how.formats))}]"
    parsed = f"try_strptime({text}, {listed})"
    if names_zone(how.formats):
        return "CAST(NULL AS TIMESTAMP)", f"timezone('UTC', {parsed})"
    return parsed, None


def names_zone(formats: Sequence[str]) -> bool:
    """Whether the formats of times have the zone in them."""
    return any("%z" in one or "%Z" in one for one in formats)


def _credible(time: str) -> str:
    return f"CASE WHEN year({time}) >= {_FIRST_YEAR} THEN {time} END"


def _without_currency(text: str, currency: str) -> str:
    """SQL of a number's text without currency and spaces around it."""
    for mark in (currency, *_SIGNS.get(currency, ())):
        text = f"replace({text}, {literal(mark)}, '')"
    return f"trim({text})"


def _with_usual_signs(bare: str) -> str:
    """SQL of a number's text as on a keyboard: ``-5`` for ``5-``, ``- 5``, ``(5)``; 5 for ``5,-``.

    Spaces that do not break, and the minus and apostrophe of typesetting, become the usual ones.
    """
    odd, usual = "\u00a0\u202f\u2009\u2212\u2019", "   -'"
    keyed = f"trim(translate({bare}, {literal(odd)}, {literal(usual)}))"
    even = f"regexp_replace({keyed}, '[.,][-\u2013\u2014]+$', '')"
    signed = f"regexp_replace({even}, '^([+-]) +', '\\1')"
    return f"regexp_replace({signed}, '^([^+-]+?) *-$|^\\( *([^+-]+?) *\\)$', '-\\1\\2')"
