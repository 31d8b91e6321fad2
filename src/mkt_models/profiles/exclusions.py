"""Which products are never named: one predicate for rules, lists, interests and coupons.

What is no article, what may not be advertised, and what tells others about a person. All that
names products asks here, so that they agree.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from mkt_models.engine import literal
from mkt_models.params import Mining


@dataclass(frozen=True)
class Exclusions:
    """Departments and categories by their exact name, and words in a category or product type.

    Words match anywhere and in any case, so ``PREGNAN`` finds "Pregnancy test kits".
    """

    departments: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, mining: Mining) -> Self:
        """Take what the parameters exclude."""
        return cls(mining.exclude_departments, mining.exclude_categories, mining.exclude_words)

    def reason_sql(self) -> str:
        """Write the SQL that says why a product (alias ``p``) is left out, or null if it is not.

        The reasons are "excluded department", "excluded category" and "excluded word", the first
        that holds. What is null is in no exclusion.

        >>> Exclusions(words=("kosher",)).allowed_sql()  # doctest: +NORMALIZE_WHITESPACE
        "(CASE WHEN POSITION('KOSHER' IN UPPER(p.category)) > 0
            OR POSITION('KOSHER' IN UPPER(p.product_type)) > 0
            THEN 'excluded word' ELSE NULL END IS NULL)"
        """
        whens = list(self._whens())
        return f"CASE {' '.join(whens)} ELSE NULL END" if whens else "CAST(NULL AS VARCHAR)"

    def allowed_sql(self) -> str:
        """Write the condition that a product (alias ``p``) is not left out."""
        return f"({self.reason_sql()} IS NULL)"

    def _whens(self) -> Iterator[str]:
        for column, names in (("department", self.departments), ("category", self.categories)):
            if names:
                listed = ", ".join(literal(name) for name in sorted(set(names)))
                yield f"WHEN p.{column} IN ({listed}) THEN 'excluded {column}'"
        found = [
            f"POSITION({literal(word.upper())} IN UPPER(p.{column})) > 0"
            for word in sorted(set(self.words))
            for column in ("category", "product_type")
        ]
        if found:
            yield f"WHEN {' OR '.join(found)} THEN 'excluded word'"
