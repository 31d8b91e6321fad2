"""The portable subset of SQL: what may be written, and how Spark reads it.

Definitions from cleaning to tags are written once, in DuckDB's SQL. :func:`check` refuses, by
name, every construct that another engine lacks or answers differently. What is not listed is
refused, so that nothing goes wrong silently. Everything said here was found by running both
engines; ``tests/test_spark_engine.py`` repeats it.

Allowed
    SELECT, WITH, joins on conditions, WHERE, GROUP BY columns, HAVING, ORDER BY, LIMIT after
    ORDER BY, UNION ALL, VALUES, EXISTS, IN with one column, CASE, casts to BIGINT, INTEGER,
    DOUBLE, VARCHAR, BOOLEAN, DATE and TIMESTAMP; count (also DISTINCT of one column), sum, min,
    max; row_number, rank, dense_rank, lag and lead over an order, and aggregates over windows;
    DATEDIFF('day', …) of dates, date + or - whole days, year, month, day and hour; texts by ``||``,
    upper, lower, trim, length, substring, left, right, replace, position, starts_with, md5; abs,
    round, floor and ceil inside a cast, pow, sqrt, ln, exp, greatest, least, coalesce, nullif.
    Statements: a query, ``CREATE OR REPLACE TEMP TABLE x AS``, ``CREATE OR REPLACE VIEW x AS``,
    ``DROP``.

What the translation makes equal (:mod:`mkt_models.spark_sql`)
    - Nulls come last in every order (Spark's own default puts them first).
    - A literal such as ``100.0`` is a DOUBLE; Spark would compute in decimals and round them.
    - ``round(x, n)`` is computed as DuckDB does; Spark rounds the decimal digits that it would
      print. ``round(x)`` goes half away from zero on both.
    - ``(t AT TIME ZONE 'UTC') AT TIME ZONE 'zone'``, :func:`mkt_models.engine.local_time`, is
      ``convert_timezone``, which keeps a time without a zone.
    - IN and NOT IN of a sub-query have DuckDB's answers where values are missing, and are looked
      up by hash.
    - ``read_parquet('file')`` reads the same file.

What the session makes equal (:mod:`mkt_models.spark_engine`)
    ANSI mode: an overflow or a bad cast is an error, as in DuckDB. The zone is UTC, and TIMESTAMP
    has no zone. Result columns have DuckDB's types: sums of whole numbers are floats in a frame.

What the writer must see to
    - Guard a division by NULLIF: DuckDB gives infinity, Spark an error.
    - Sum whole numbers. A sum of fractions depends on the order of the rows on either engine.
    - ``round`` before a cast to a whole number: DuckDB rounds, Spark cuts off. The guard sees a
      division or a square root, but not the type of a column.
    - Every order that decides something ends with a column that breaks ties.
    - ln, exp and pow may differ in the last bit: round what follows from them.
    - upper and lower agree on letters that have one counterpart (not on ß).
"""

from collections.abc import Callable
from fractions import Fraction

from sqlglot import exp

_STRUCTURE: frozenset[type[exp.Expr]] = frozenset(
    {
        *(exp.Select, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order),
        *(exp.Ordered, exp.Limit, exp.With, exp.CTE, exp.Subquery, exp.Union, exp.Values),
        *(exp.Table, exp.TableAlias, exp.Alias, exp.Column, exp.Identifier, exp.Star),
        *(exp.Tuple, exp.Distinct, exp.Paren, exp.Literal, exp.Null, exp.Boolean, exp.DataType),
        *(exp.Cast, exp.Case, exp.If, exp.Window, exp.WindowSpec, exp.Var, exp.ReadParquet),
        *(exp.Exists, exp.In, exp.Between, exp.Is, exp.Not, exp.And, exp.Or, exp.Like),
        *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ),
        *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.AtTimeZone),
    }
)
_FUNCTIONS: frozenset[type[exp.Expr]] = frozenset(
    {
        *(exp.Count, exp.Sum, exp.Min, exp.Max),
        *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead),
        *(exp.DateDiff, exp.Extract, exp.Year, exp.Month, exp.Day, exp.Hour),
        *(exp.Upper, exp.Lower, exp.Trim, exp.Length, exp.Substring, exp.Left, exp.Right),
        *(exp.Replace, exp.StrPosition, exp.StartsWith, exp.MD5),
        *(exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Pow, exp.Sqrt, exp.Ln, exp.Exp),
        *(exp.Greatest, exp.Least, exp.Coalesce, exp.Nullif),
    }
)
_TYPES = {
    "VARCHAR",
    "TEXT",
    "BIGINT",
    "INT",
    "SMALLINT",
    "DOUBLE",
    "BOOLEAN",
    "DATE",
    "TIMESTAMPNTZ",
}
_WHOLE = {"BIGINT", "INT", "SMALLINT"}
_PARTS = {"YEAR", "MONTH", "DAY", "HOUR"}
_ORDERED = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead)
_FRACTIONS = (exp.Div, exp.Sqrt, exp.Ln, exp.Exp, exp.Pow)

# What to write instead of what is refused most often.
_INSTEAD: dict[type[exp.Expr], str] = {
    exp.Avg: "write CAST(sum(x) AS DOUBLE) / NULLIF(count(x), 0)",
    exp.Stddev: "write sqrt((n * sum_x2 - sum_x * sum_x) / (n * (n - 1))) over whole numbers",
    exp.DayOfWeek: "write DATEDIFF('day', DATE '1970-01-05', day) % 7: Monday is 0",
    exp.DayOfWeekIso: "write DATEDIFF('day', DATE '1970-01-05', day) % 7: Monday is 0",
    exp.Log: "write ln(x), or ln(x) / ln(10.0)",
    exp.IntDiv: "cast a quotient that was rounded",
    exp.Interval: "add whole days to a date",
    exp.Filter: "write sum(CASE WHEN … THEN … ELSE 0 END)",
    exp.Qualify: "rank in a sub-query and filter outside",
    exp.ArgMax: "rank in a sub-query by row_number and keep the first",
    exp.ArgMin: "rank in a sub-query by row_number and keep the first",
    exp.TryCast: "cast what the source has checked",
    exp.Concat: "write a || b",
    exp.Describe: "ask engine.columns",
}


class PortableError(ValueError):
    """SQL that would not run, or not mean the same, on every engine; the message names it."""


def check(query: exp.Query) -> None:
    """Raise PortableError, naming the construct, unless a query is in the portable subset."""
    for node in query.walk():
        kind = type(node)
        if kind not in _STRUCTURE and kind not in _FUNCTIONS:
            raise refusal(node, _name(node))
        check = _CHECKS.get(kind)
        if check is not None and (wrong := check(node)):
            raise refusal(node, wrong)


def _name(node: exp.Expr) -> str:
    """What a construct is called, in the words of SQL where it is a function."""
    if isinstance(node, exp.Anonymous):
        return f"{node.name.lower()}()"
    if isinstance(node, exp.Func):
        return f"{node.sql_name().lower()}()"
    return type(node).__name__.upper()


def refusal(node: exp.Expr, what: str) -> PortableError:
    """Say what is not portable, what to write instead, and where it stands."""
    instead = _INSTEAD.get(type(node))
    hint = f"; {instead}" if instead else ""
    shown = node.sql("duckdb", comments=False)
    shown = shown if len(shown) <= 120 else shown[:117] + "..."
    return PortableError(
        f"{what} is not in the portable subset of SQL{hint}. It stands in: {shown}"
    )


# --- what a construct may hold: each gives the name of what is wrong, or nothing ------------------


def _check_star(star: exp.Expr) -> str:
    return "* with EXCLUDE, REPLACE or RENAME" if any(star.args.values()) else ""


def _check_tuple(tuple_: exp.Expr) -> str:
    return "" if isinstance(tuple_.parent, exp.Values) else "a tuple, as in (a, b) IN …,"


def _check_distinct(distinct: exp.Expr) -> str:
    if distinct.args.get("on"):
        return "DISTINCT ON"
    return "DISTINCT of several columns in an aggregate" if len(distinct.expressions) > 1 else ""


def _check_group(group: exp.Expr) -> str:
    if group.args.get("all") is not None:
        return "GROUP BY ALL"
    by_number = any(isinstance(one, exp.Literal) for one in group.expressions)
    return "GROUP BY the number of a column" if by_number else ""


def _check_ordered(ordered: exp.Expr) -> str:
    by = ordered.this
    return "ORDER BY ALL" if isinstance(by, exp.Var | exp.Column) and by.name == "ALL" else ""


def _check_limit(limit: exp.Expr) -> str:
    parent = limit.parent
    return "" if parent is not None and parent.args.get("order") else "LIMIT without ORDER BY"


def _check_union(union: exp.Expr) -> str:
    return "UNION other than UNION ALL" if union.args.get("distinct") else ""


def _check_join(join: exp.Expr) -> str:
    if join.args.get("method") or join.args.get("kind") not in (
        None,
        "",
        "INNER",
        "OUTER",
        "CROSS",
    ):
        return f"{join.args.get('method') or join.args.get('kind')} JOIN"
    return ""


def _check_table(table: exp.Expr) -> str:
    if table.args.get("db"):
        return "a table of another schema (ask engine.tables or engine.columns)"
    return "" if isinstance(table.this, exp.Identifier | exp.ReadParquet) else "a table function"


def _check_read(read: exp.Expr) -> str:
    paths = read.expressions
    plain = len(paths) == 1 and isinstance(paths[0], exp.Literal)
    return "" if plain else "read_parquet with more than one path"


def _check_cast(cast: exp.Expr) -> str:
    kind = cast.args["to"].this.value
    if kind not in _TYPES:
        return f"the type {cast.args['to'].sql('duckdb')}"
    if kind in _WHOLE and _fractional(cast.this):
        return "a cast of a fraction to a whole number without round()"
    return "a cast of a fraction to text" if kind == "TEXT" and _fractional(cast.this) else ""


def _check_window(window: exp.Expr) -> str:
    ranked = isinstance(window.this, _ORDERED) and not window.args.get("order")
    return f"{window.this.sql('duckdb')} OVER a window without ORDER BY" if ranked else ""


def _check_date_diff(diff: exp.Expr) -> str:
    if diff.args.get("unit") is None or diff.args["unit"].name.upper() != "DAY":
        return "DATEDIFF in other units than 'day'"
    for side in (diff.this, diff.expression):
        timed = isinstance(side, exp.Column) and side.name.lower().endswith("_at")
        cast = isinstance(side, exp.Cast) and side.args["to"].this.value != "DATE"
        if timed or cast:
            return "DATEDIFF of times (cast both to DATE)"
    return ""


def _check_extract(extract: exp.Expr) -> str:
    part = extract.name.upper()
    return "" if part in _PARTS else f"EXTRACT({part} FROM …)"


def _check_in_cast(function: exp.Expr) -> str:
    cast = isinstance(function.parent, exp.Cast)
    return "" if cast else "floor or ceil outside a cast to the type that is meant"


def _check_pattern(like: exp.Expr) -> str:
    plain = isinstance(like.expression, exp.Literal) and "\\" not in like.expression.name
    return "" if plain else "LIKE with a backslash or a pattern that is computed"


def _check_zone(zone: exp.Expr) -> str:
    inner = zone.this.unnest()
    outermost = isinstance(inner, exp.AtTimeZone) and inner.args["zone"].name == "UTC"
    parent = zone.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    ok = outermost or (isinstance(parent, exp.AtTimeZone) and zone.args["zone"].name == "UTC")
    return "" if ok else "AT TIME ZONE (use engine.local_time)"


def _check_arithmetic(operation: exp.Expr) -> str:
    """0.1 * cents is a decimal in DuckDB; only fractions that both engines hold exactly pass."""
    for literal, other in (
        (operation.this, operation.expression),
        (operation.expression, operation.this),
    ):
        inexact = is_decimal(literal) and Fraction(literal.name) != Fraction(float(literal.name))
        if inexact and not _fractional(other):
            return f"{literal.name} in arithmetic that may be of decimals (cast it to DOUBLE)"
    return ""


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr], str]] = {
    exp.Star: _check_star,
    exp.Tuple: _check_tuple,
    exp.Distinct: _check_distinct,
    exp.Group: _check_group,
    exp.Ordered: _check_ordered,
    exp.Limit: _check_limit,
    exp.Union: _check_union,
    exp.Join: _check_join,
    exp.Table: _check_table,
    exp.ReadParquet: _check_read,
    exp.Cast: _check_cast,
    exp.Window: _check_window,
    exp.DateDiff: _check_date_diff,
    exp.Extract: _check_extract,
    exp.Floor: _check_in_cast,
    exp.Ceil: _check_in_cast,
    exp.Like: _check_pattern,
    exp.AtTimeZone: _check_zone,
    exp.Add: _check_arithmetic,
    exp.Sub: _check_arithmetic,
    exp.Mul: _check_arithmetic,
}


def is_decimal(node: exp.Expr) -> bool:
    """Whether a node is a number written with a point."""
    return isinstance(node, exp.Literal) and not node.is_string and "." in node.name


def _fractional(node: exp.Expr) -> bool:
    """Whether an expression evidently gives fractions: the types of columns are not known here."""
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return bool(node.args["to"].this.value == "DOUBLE")
    if isinstance(node, exp.Round | exp.Floor | exp.Ceil):
        return bool(node.args.get("decimals")) and _fractional(node.this)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod):
        return _fractional(node.this) or _fractional(node.expression)
    if isinstance(node, exp.Neg | exp.Abs | exp.Sum | exp.Min | exp.Max | exp.Window):
        return _fractional(node.this)
    if isinstance(node, exp.Coalesce | exp.Greatest | exp.Least):
        return any(_fractional(one) for one in (node.this, *node.expressions))
    if isinstance(node, exp.Case):
        branches = [branch.args["true"] for branch in node.args["ifs"]]
        return any(_fractional(one) for one in (*branches, node.args.get("default")) if one)
    return isinstance(node, _FRACTIONS) or is_decimal(node)
