"""Candidates, eligibility, contact policy, worth and arbitration: one decision per customer."""
