"""Rules of contact: campaigns, their offers, who was contacted and what came of it, consents."""

from datetime import date

from mkt_models.cleaning.rule_kinds import (
    MOST_CENTS,
    impossible_day,
    impossible_moment,
    odd_word,
    orphan,
    wrong_value,
)
from mkt_models.cleaning_params import Cleaning
from mkt_models.columns import Table
from mkt_models.sources.canonical import Rule
from mkt_models.sources.vocabularies import unknown_word

FIRST_DAY = "(SELECT min(local_date) FROM transactions)"
LAST_DAY = "(SELECT max(local_date) FROM transactions)"

_CONTACT = "c.customer_id = t.customer_id AND c.campaign_id = t.campaign_id"


def contact_rules(cleaning: Cleaning, as_of: date, last: date) -> list[Rule]:
    """Rules of these tables, in the order in which they are tried."""
    first = cleaning.first_day
    return [
        *_campaigns(first, last),
        *_offers(),
        *_exposures(first, last),
        *_outcomes(first, last),
        *_consents(as_of, last),
    ]


def _campaigns(first: date, last: date) -> list[Rule]:
    table = Table.CAMPAIGNS
    return [
        Rule(
            "campaign_ends_before_it_starts",
            table,
            "quarantine",
            "A campaign cannot end before it starts: who was contacted when is not known",
            when="ends_on < starts_on",
            aspect="timeliness",
            columns=("starts_on", "ends_on"),
        ),
        impossible_moment(
            "campaign_time_impossible",
            table,
            "starts_on",
            impossible_day("starts_on", first, last),
            "A campaign that starts",
        ),
        odd_word(
            "campaign_channel_unknown",
            table,
            "channel",
            "No strategy can use this channel; the campaign stays as history",
        ),
        Rule(
            "begun_before_the_data",
            table,
            "change",
            "The campaign began before the first recorded purchase; there is no history to learn "
            "from, so no model is trained on it",
            when=f"starts_on < {FIRST_DAY}",
            needs=(Table.TRANSACTIONS,),
        ),
        Rule(
            "ends_after_the_data",
            table,
            "change",
            "The campaign ends after the last recorded purchase; who will redeem is not yet "
            "known, so it is no training case",
            when=f"ends_on > {LAST_DAY}",
            needs=(Table.TRANSACTIONS,),
        ),
    ]


def _offers() -> list[Rule]:
    table = Table.OFFERS
    return [
        wrong_value(
            "discount_share_impossible",
            table,
            "discount_share",
            "discount_share IS NOT NULL AND NOT (discount_share >= 0 AND discount_share <= 1)",
            "A discount is a share of the price from 0 to 1",
        ),
        wrong_value(
            "offer_cost_impossible",
            table,
            "cost_cents",
            f"cost_cents < 0 OR cost_cents > {MOST_CENTS}",
            "An offer costs the shop no less than nothing, and not all money",
        ),
        orphan(
            "product_of_offer_unknown",
            table,
            "product_id",
            Table.PRODUCTS,
            "The offer's product is not in the product table",
        ),
        orphan(
            "campaign_of_offer_unknown",
            table,
            "campaign_id",
            Table.CAMPAIGNS,
            "The offer's campaign is not in the campaign table",
        ),
    ]


def _exposures(first: date, last: date) -> list[Rule]:
    table = Table.EXPOSURES
    return [
        impossible_moment(
            "exposure_time_impossible",
            table,
            "sent_on",
            impossible_day("sent_on", first, last),
            "A contact",
        ),
        Rule(
            "control_arm",
            table,
            "move",
            "The customer was eligible and withheld at random: that is no contact, and what "
            "campaigns are compared with",
            when="arm = 'control'",
            to="controls",
        ),
        odd_word(
            "arm_unknown",
            table,
            "arm",
            "The arm is neither treatment nor control; the row counts as a contact",
        ),
        wrong_value(
            "probability_impossible",
            table,
            "assignment_probability",
            "assignment_probability IS NOT NULL AND NOT"
            " (assignment_probability >= 0 AND assignment_probability <= 1)",
            "A probability is 0 to 1",
        ),
        Rule(
            "not_assigned_at_random",
            table,
            "flag",
            "How the customer was chosen is not recorded: no effect of the campaign is causal",
            when="assignment_probability IS NULL",
        ),
        odd_word(
            "exposure_channel_unknown",
            table,
            "channel",
            "No contact policy knows this channel; the contact stays as history",
        ),
        orphan(
            "campaign_of_exposure_unknown",
            table,
            "campaign_id",
            Table.CAMPAIGNS,
            "The contact's campaign is not in the campaign table",
        ),
        orphan(
            "offer_of_exposure_unknown",
            table,
            "offer_id",
            Table.OFFERS,
            "The contact's offer is not in the offer table",
        ),
        orphan(
            "customer_of_exposure_unknown",
            table,
            "customer_id",
            Table.CUSTOMERS,
            "The customer contacted is not in the customer table",
        ),
    ]


def _outcomes(first: date, last: date) -> list[Rule]:
    table = Table.OUTCOMES
    sent = [f"EXISTS (SELECT 1 FROM {c} AS c WHERE {_CONTACT})" for c in ("exposures", "controls")]
    by_then = [
        f"EXISTS (SELECT 1 FROM {c} AS c WHERE {_CONTACT} AND c.sent_on <= t.occurred_on)"
        for c in ("exposures", "controls")
    ]
    return [
        impossible_moment(
            "outcome_time_impossible",
            table,
            "occurred_on",
            impossible_day("occurred_on", first, last),
            "A response",
        ),
        Rule(
            "outcome_before_exposure",
            table,
            "quarantine",
            "A response before the campaign's first contact with the customer answers nothing",
            when=f"({' OR '.join(sent)}) AND NOT ({' OR '.join(by_then)})",
            needs=(Table.EXPOSURES,),
            aspect="timeliness",
            columns=("occurred_on",),
        ),
        Rule(
            "outcome_without_exposure",
            table,
            "flag",
            "The customer is not on the campaign's mailing list",
            when=f"NOT ({' OR '.join(sent)})",
            needs=(Table.EXPOSURES,),
            aspect="consistency",
            columns=("customer_id",),
        ),
        wrong_value(
            "outcome_amount_impossible",
            table,
            "amount_cents",
            f"amount_cents < 0 OR amount_cents > {MOST_CENTS}",
            "A response is worth no less than nothing, and not all money",
        ),
        orphan(
            "campaign_of_outcome_unknown",
            table,
            "campaign_id",
            Table.CAMPAIGNS,
            "The response's campaign is not in the campaign table",
        ),
        orphan(
            "offer_of_outcome_unknown",
            table,
            "offer_id",
            Table.OFFERS,
            "The response's offer is not in the offer table",
        ),
        orphan(
            "customer_of_outcome_unknown",
            table,
            "customer_id",
            Table.CUSTOMERS,
            "The customer who responded is not in the customer table",
        ),
    ]


def _consents(as_of: date, last: date) -> list[Rule]:
    table = Table.CONSENTS
    granted = "coalesce(status, '') = 'granted'"
    return [
        Rule(
            "consent_key_missing",
            table,
            "quarantine",
            "A consent without customer, purpose or channel permits nothing, and neither does one "
            "without its day",
            when="customer_id IS NULL OR purpose IS NULL OR channel IS NULL"
            f" OR (changed_on IS NULL AND {granted})",
            aspect="completeness",
            columns=("customer_id", "purpose", "channel", "changed_on"),
        ),
        Rule(
            "consent_day_impossible",
            table,
            "quarantine",
            "A consent cannot have been given after the data was taken; a refusal stays, whatever "
            "its day",
            when=f"changed_on > DATE '{last}' AND {granted}",
            aspect="timeliness",
            columns=("changed_on",),
        ),
        Rule(
            "consent_status_unknown",
            table,
            "change",
            "What is neither granted, refused nor revoked counts as refused, because nobody said "
            "yes",
            when=f"status IS NULL OR {unknown_word(table, 'status')}",
            sets={"status": "'refused'"},
            aspect="validity",
            columns=("status",),
        ),
        Rule(
            "refusal_without_day",
            table,
            "change",
            f"A refusal without its day is dated {as_of}, so that no earlier consent outweighs it",
            when=f"changed_on IS NULL AND NOT {granted}",
            sets={"changed_on": f"DATE '{as_of}'"},
            aspect="completeness",
            columns=("changed_on",),
        ),
        odd_word(
            "consent_channel_unknown",
            table,
            "channel",
            "No strategy can use this channel; the consent permits nothing",
        ),
        orphan(
            "customer_of_consent_unknown",
            table,
            "customer_id",
            Table.CUSTOMERS,
            "Who was asked is not in the customer table; what they said holds all the same",
        ),
    ]
