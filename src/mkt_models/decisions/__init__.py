"""Candidates, eligibility, contact policy, worth and arbitration: one decision per customer.

``words``, ``short_names``, ``texts``, ``eligibility``, ``occasions``, ``scene``
    reasons in words; who, on which day, in which scene
``consent``, ``contact``, ``caps``, ``quiet_hours``, ``local_clock``
    who has agreed, how often and when
``catalogue``, ``entries``, ``programmes``, ``content_library``, ``content_kinds``, ``question``
    what may be said; about whom, when, under which policy
``content`` and ``items_``, ``offer_``, ``tier_``, ``piece_``, ``service_``, ``share_content``
    what a strategy shows to a customer, and why: one function per kind of content
``candidates``, ``worth``, ``arbitration``, ``answer``, ``decide``
    what could be said, what it would bring, which of it is said, and how
``exploration``
    which of it is said first when something may be tried, and with which probability
``budgets``, ``charges``, ``options``, ``dual``, ``allocation``, ``plan``, ``plan_tables``
    what a unit of each budget is worth to all customers, and what a candidate takes of it
"""
