"""What a run publishes, and what a running service keeps: SQL, with SQLAlchemy and Alembic.

``values``, ``records``
    what a column takes; one small object per row
``snapshot``, ``snapshot_tables``
    the customers, consents and contacts that a run publishes, in one SQLite file
``live``, ``live_tables``, ``turn``
    what the service decides and what comes back, on SQLite or PostgreSQL; one customer at a time
``ledger``
    what contacts take of the budgets, counted within their amounts
``publishing``, ``history``
    a snapshot into the live store; decisions, contacts, outcomes and budgets out of it
``engine``
    opening either, and the steps of :mod:`mkt_models.migrations`
"""
