"""The rules of a run: those that hold for every table, those of each table, and a source's traps.

A rule is data: a condition in SQL, and a sentence. :mod:`mkt_models.cleaning.clean_tables` applies
it. A row is set aside by the first rule that it breaks. What is merely odd is flagged and kept,
because its money counts.
"""

from datetime import date

from mkt_models.cleaning.behaviour_rules import behaviour_rules
from mkt_models.cleaning.contact_rules import contact_rules
from mkt_models.cleaning.labels import LABELS, is_rare, usual
from mkt_models.cleaning.line_rules import line_rules
from mkt_models.cleaning.shop_rules import shop_rules
from mkt_models.cleaning_params import Cleaning
from mkt_models.columns import Table
from mkt_models.source_params import Source
from mkt_models.sources.canonical import Rule
from mkt_models.sources.read import ORIGINS
from mkt_models.sources.schemas import CANONICAL
from mkt_models.sources.vocabularies import VOCABULARIES, free_text, spelling

NOUNS = {
    Table.CUSTOMERS: "customer",
    Table.IDENTITIES: "identity",
    Table.PRODUCTS: "product",
    Table.TRANSACTIONS: "line",
    Table.EVENTS: "event",
    Table.SOCIAL: "action",
    Table.TICKETS: "ticket",
    Table.CAMPAIGNS: "campaign",
    Table.OFFERS: "offer",
    Table.EXPOSURES: "exposure",
    Table.OUTCOMES: "outcome",
    Table.CONSENTS: "consent",
}

# Which columns hold customer ids: they become the id of the person.
CUSTOMER_COLUMNS = ("customer_id", "target_customer_id")


def rules_for(source: Source, cleaning: Cleaning, as_of: date) -> tuple[Rule, ...]:
    """All rules of a run: those for any source, and those for the traps of this one.

    ``as_of`` is the day of the profile; together with ``cleaning`` it says which times are
    impossible, and how old a customer is.
    """
    general = [rule for table in CANONICAL for rule in _rules_of_any_table(table)]
    last = cleaning.last_day(as_of)
    zone = source.time_zone
    general += line_rules(zone, cleaning, last)
    general += shop_rules(zone, cleaning, as_of, last)
    general += behaviour_rules(zone, cleaning.first_day, last)
    general += contact_rules(cleaning, as_of, last)
    return (*general, *ORIGINS[source.kind].traps)


def person_rule(table: Table) -> Rule:
    """Give the rule that counts the rows of a table whose customer id became a person's."""
    return Rule(
        f"person_of_{NOUNS[table]}",
        table,
        "change",
        "The customer id is one of several of the same person and becomes that person's; "
        "identity_map says which it was",
        when="t.another_id = 1",
    )


def exact_rule(table: Table) -> Rule:
    """Give the rule that merges the equal rows of a table."""
    noun = NOUNS[table]
    return Rule(
        f"same_{noun}_twice",
        table,
        "merge",
        f"Rows that are equal in every column are one {noun}",
        aspect="uniqueness",
    )


def key_rule(table: Table) -> Rule | None:
    """Give the rule that merges rows of the same key; None where the key is the whole row."""
    schema = CANONICAL[table]
    if not schema.key or set(schema.key) == set(schema.columns):
        return None
    earliest = ", registered_on is the earliest" if table is Table.CUSTOMERS else ""
    return Rule(
        f"same_{NOUNS[table]}_differs",
        table,
        "merge",
        f"Of several rows of the same {schema.key[0]} the one that says most is kept and its gaps "
        f"are filled from the others{earliest}; they stand in quarantine/merged",
        aspect="uniqueness",
        columns=schema.key,
    )


def _rules_of_any_table(table: Table) -> list[Rule]:
    noun, schema = NOUNS[table], CANONICAL[table]
    texts = free_text(table)
    out = [
        Rule(
            f"blank_{noun}_text",
            table,
            "normalise",
            "Blanks around a text do not count, and a text of nothing but blanks is missing",
            when=" OR ".join(f"{c} <> trim({c}) OR {c} = ''" for c in texts),
            sets={c: f"NULLIF(trim({c}), '')" for c in texts},
        )
    ]
    labels = LABELS.get(table, ())
    if labels:
        out.append(
            Rule(
                f"{noun}_labels",
                table,
                "normalise",
                f"{', '.join(labels)}: spellings that differ by case alone become the one that "
                "most rows have, so that they are one group",
                when=" OR ".join(map(is_rare, labels)),
                sets={column: usual(column) for column in labels},
                aspect="validity",
                columns=labels,
            )
        )
    words = VOCABULARIES.get(table, {})
    if words:
        forms = {column: spelling(column, known) for column, known in words.items()}
        out.append(
            Rule(
                f"{noun}_spelling",
                table,
                "normalise",
                f"{', '.join(words)}: upper or lower case, blanks, hyphens and known variants "
                "become one spelling, so that they are counted together",
                when=" OR ".join(
                    f"({c} IS NOT NULL AND ({form} IS NULL OR {form} <> {c}))"
                    for c, form in forms.items()
                ),
                sets=forms,
                aspect="validity",
                columns=tuple(words),
            )
        )
    # Lines and consents have their own rule: what they may lack is not the same.
    if table not in (Table.TRANSACTIONS, Table.CONSENTS):
        out.append(
            Rule(
                f"{noun}_key_missing",
                table,
                "quarantine",
                f"Without {_listed(schema.needed)} the {noun} cannot be used",
                when=" OR ".join(f"{c} IS NULL" for c in schema.needed),
                aspect="completeness",
                columns=schema.needed,
            )
        )
    out.append(exact_rule(table))
    key = key_rule(table)
    if key is not None:
        out.append(key)
    if any(column in schema.columns for column in CUSTOMER_COLUMNS):
        out.append(person_rule(table))
    return out


def _listed(names: tuple[str, ...]) -> str:
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
