"""A shop that never was: customers, orders, behaviour and campaigns whose truth is known."""
