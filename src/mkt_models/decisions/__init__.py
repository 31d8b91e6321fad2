"""Candidates, eligibility, contact policy, worth and arbitration: one decision per customer.

``words``, ``eligibility``, ``occasions``, ``contact``
    reasons in words; who, on which day, how often
``catalogue``, ``question``
    what may be said; about whom, when, under which policy
``candidates``, ``worth``, ``arbitration``, ``answer``, ``decide``
    what could be said, what it would bring, which of it is said, and how
``exploration``
    which of it is said first when something may be tried, and with which probability
``budgets``, ``charges``, ``allocation``, ``plan``
``budgets``, ``charges``, ``options``, ``dual``, ``allocation``, ``plan``
    what a unit of each budget is worth to all customers, and what a candidate takes of it
"""
