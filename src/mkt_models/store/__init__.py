"""What a run publishes, and what a running service keeps: SQL, with SQLAlchemy and Alembic.

``values``, ``records``
    what a column takes; one small object per row
``snapshot``, ``snapshot_tables``
    the customers, consents and contacts that a run publishes, in one SQLite file
``live``, ``live_tables``
    the store of a running service, on SQLite or PostgreSQL
``turn``, ``reports``
    what is decided for one customer at a time, and what comes back: consents, contacts, outcomes
``ledger``, ``purses``
    what contacts take of the budgets, counted within their amounts; and what is left
``publishing``, ``history``
    a snapshot into the live store; decisions, contacts, outcomes and budgets out of it
``reading``
    a live store for those who only read it, while services write
``database``, ``engine``
    what all stores share; opening them, and the steps of :mod:`mkt_models.migrations`
"""
