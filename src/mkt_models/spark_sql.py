"""Portable SQL in Spark's words, with DuckDB's meaning.

sqlglot translates; before it does, what Spark would read otherwise is spelt out (see
:mod:`mkt_models.portable`).
"""

from dataclasses import dataclass
from typing import Literal

import sqlglot
from sqlglot import exp

from mkt_models.portable import PortableError, check, is_decimal, refusal

Kind = Literal["query", "table", "view", "drop"]


@dataclass(frozen=True)
class Statement:
    """One statement of the portable subset.

    Attributes
    ----------
    kind
        ``query``, or what becomes of ``name``: a ``table`` or ``view`` made, or a ``drop``.
    name
        The table or view; empty for a query.
    query
        The SELECT in DuckDB's SQL; empty for a drop.
    spark
        The SELECT in Spark's SQL; empty for a drop.
    stars
        Whether the outermost SELECT lists columns by ``*``.

    """

    kind: Kind
    name: str
    query: str
    spark: str
    stars: bool = False


def parse(sql: str) -> Statement:
    """Read one statement of DuckDB's SQL, refuse what is not portable, translate the rest.

    Raises PortableError, which names the construct and what to write instead.

    >>> parse("SELECT a, sum(b) / 100.0 AS euros FROM t GROUP BY a ORDER BY a").spark
    'SELECT a, SUM(b) / CAST(100.0 AS DOUBLE) AS euros FROM t GROUP BY a ORDER BY a NULLS LAST'
    >>> parse("SELECT isodow(day) FROM t")
    Traceback (most recent call last):
    mkt_models.portable.PortableError: dayofweek_iso() is not in the portable subset of SQL; write
    DATEDIFF('day', DATE '1970-01-05', day) % 7: Monday is 0. It stands in: ISODOW(day)
    """
    try:
        trees = [tree for tree in sqlglot.parse(sql, read="duckdb") if tree is not None]
    except sqlglot.errors.ParseError as error:
        raise PortableError(f"this is no SQL that can be read: {error}") from error
    if len(trees) != 1:
        raise PortableError(f"{len(trees)} statements at once; execute them one by one")
    tree = trees[0]
    if isinstance(tree, exp.Create):
        kind, name, query = _created(tree)
    elif isinstance(tree, exp.Drop):
        dropped = tree.args.get("tables") or []
        if tree.args.get("kind") not in ("TABLE", "VIEW") or len(dropped) != 1:
            raise refusal(tree, "DROP of anything but one table or view")
        return Statement("drop", dropped[0].name, "", "")
    elif isinstance(tree, exp.Query):
        kind, name, query = "query", "", tree
    else:
        raise refusal(tree, f"the statement {type(tree).__name__}")
    check(query)
    return Statement(
        kind,
        name,
        query.sql("duckdb"),
        _translated(query).sql("spark"),
        any(isinstance(column, exp.Star) or column.is_star for column in query.selects),
    )


def to_spark(query: str, pretty: bool = False) -> str:
    """Translate one query to Spark's SQL; raise PortableError for what is not portable."""
    spark = parse(query).spark
    return sqlglot.transpile(spark, read="spark", write="spark", pretty=pretty)[0]


def _created(tree: exp.Create) -> tuple[Kind, str, exp.Query]:
    """Kind, name and query of a CREATE … AS SELECT."""
    query, target = tree.expression, tree.this
    if not isinstance(query, exp.Query) or not isinstance(target, exp.Table):
        raise refusal(tree, "CREATE without AS SELECT")
    kind: Kind = "view" if tree.kind == "VIEW" else "table"
    temporary = tree.find(exp.TemporaryProperty) is not None
    if tree.kind not in ("TABLE", "VIEW") or not tree.args.get("replace") or target.db:
        raise refusal(tree, "CREATE other than CREATE OR REPLACE [TEMP] TABLE or VIEW x AS")
    if kind == "table" and not temporary:
        raise refusal(tree, "a table that is not TEMP")
    return kind, target.name, query


def _translated(query: exp.Query) -> exp.Expr:
    """The same query with DuckDB's meaning spelt out, to be written as Spark's SQL."""
    out: exp.Expr = query.copy()
    for step in (_lookup, _round, _zone, _double, _file):
        out = out.transform(step)
    return out


def _lookup(node: exp.Expr) -> exp.Expr:
    """Spell out IN and NOT IN of a sub-query, with their answer where values are missing.

    Outside a filter Spark forgets that a missing value is in no list for certain; and NOT IN it
    compares with every row instead of looking it up by hash. A plain IN of a filter it does well.
    """
    negated = isinstance(node, exp.Not)
    found = node.this.unnest() if isinstance(node, exp.Not) else node
    if not isinstance(found, exp.In) or found.args.get("query") is None:
        return node
    if not negated and _filters(node):
        return node
    rows = exp.Subquery(
        this=found.args["query"].unnest().copy(),
        alias=exp.TableAlias(
            this=exp.to_identifier("looked_up"), columns=[exp.to_identifier("looked_up_value")]
        ),
    )

    def some(where: exp.Expr | None = None) -> exp.Expr:
        there = exp.select("1").from_(rows.copy())
        return exp.Exists(this=there.where(where) if where is not None else there)

    value, one = found.this, exp.column("looked_up_value")
    unknown = exp.and_(exp.Is(this=value.copy(), expression=exp.null()), some())
    yes, no = (exp.false(), exp.true()) if negated else (exp.true(), exp.false())
    return (
        exp.Case()
        .when(some(exp.EQ(this=one.copy(), expression=value.copy())), yes)
        .when(unknown, exp.null())
        .when(some(exp.Is(this=one.copy(), expression=exp.null())), exp.null())
        .else_(no)
    )


def _filters(node: exp.Expr) -> bool:
    """Whether a condition is one that rows must meet: missing then means no."""
    parent = node.parent
    while isinstance(parent, exp.And | exp.Paren):
        parent = parent.parent
    if isinstance(parent, exp.Not) and isinstance(parent.this.unnest(), exp.In):
        return True  # spelt out with the NOT
    return isinstance(parent, exp.Where | exp.Having | exp.Join)


def _file(node: exp.Expr) -> exp.Expr:
    """A path is one of the file system, whatever a cluster reads by default."""
    if not isinstance(node, exp.ReadParquet):
        return node
    path = node.expressions[0].name
    return exp.ReadParquet(expressions=[exp.Literal.string(f"file://{path}")])


def _double(node: exp.Expr) -> exp.Expr:
    if not is_decimal(node) or isinstance(node.parent, exp.Cast):
        return node
    return exp.cast(node.copy(), "DOUBLE")


def _round(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.Round) or not node.args.get("decimals"):
        return node
    digits = node.args["decimals"]
    if not (isinstance(digits, exp.Literal) and digits.is_int and int(digits.name) >= 0):
        raise refusal(node, "round to a number of digits that is no literal")
    scale = exp.cast(exp.Literal.number("1" + "0" * int(digits.name)), "DOUBLE")
    scaled = exp.Mul(this=exp.paren(node.this.copy()), expression=scale)
    return exp.paren(exp.Div(this=exp.Round(this=scaled), expression=scale.copy()))


def _zone(node: exp.Expr) -> exp.Expr:
    if not isinstance(node, exp.AtTimeZone):
        return node
    inner = node.this.unnest()
    if not isinstance(inner, exp.AtTimeZone):
        return node
    return exp.Anonymous(
        this="CONVERT_TIMEZONE",
        expressions=[inner.args["zone"].copy(), node.args["zone"].copy(), inner.this.copy()],
    )
